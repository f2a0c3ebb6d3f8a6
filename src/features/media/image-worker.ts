/**
 * The process that decodes images, started by the server from its own executable. It knows no setting and no secret, and
 * ends when the server does.
 */
import { writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { ImageRefused, makeAvatar, makeImage, makePoster, setUpSharp } from './image.ts'
import type { ImageAnswer, ImageJob, ImageResults } from './image-job.ts'

/** There is nobody to work for. */
const STARTED_BY_HAND = 2

/** Resolves with the exit code when the server has gone, or does not need it any more. */
export function runImageWorker(): Promise<number> {
  if (!process.send) return Promise.resolve(STARTED_BY_HAND)
  yieldToOthers()
  setUpSharp()
  process.on('message', async (job: ImageJob) => process.send?.(await answer(job)))
  return new Promise((resolve) => process.on('disconnect', () => resolve(0)))
}

/** The chat goes first; and should memory run out, let it be this process. */
function yieldToOthers(): void {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  try {
    writeFileSync('/proc/self/oom_score_adj', '900')
  } catch {
    // Linux alone has it, and not every sandbox lets it be written.
  }
}

async function answer(job: ImageJob): Promise<ImageAnswer> {
  const result = await run(job).then((done) => ({ done }), explain)
  return { ...result, rss: process.memoryUsage.rss() }
}

/** What sharp says of a file is the file's fault, in words about the inside of a decoder; but the disk is ours. */
function explain(error: unknown): { refused: string } | { failed: string } {
  if (error instanceof ImageRefused) return { refused: error.message }
  const message = error instanceof Error ? error.message : String(error)
  const isOurs = (error instanceof Error && 'code' in error) || DISK_FAULT.test(message)
  return isOurs ? { failed: message } : { refused: 'is damaged' }
}

const DISK_FAULT = /no space left|write error|unable to write|for writing|permission denied|file is missing/i

function run(job: ImageJob): Promise<ImageResults[keyof ImageResults]> {
  if (job.do === 'make') return makeImage(job.path, job.options)
  return job.do === 'poster' ? makePoster(job.path) : makeAvatar(job.path)
}
