/** The processes that decode images: one for each spare core, as long as there is work, and within their limits. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Subprocess } from 'bun'
import { unavailable } from '../../errors.ts'
import type { ImageAnswer, ImageJob } from './image-job.ts'
import { IMAGE_WORKER, workerCommand } from './worker-command.ts'

/** What became of a job: what the worker said, or why it ended without a word. */
export type PoolAnswer = ImageAnswer | { died: 'took too long' | 'took too much memory' | 'crashed' }

export interface ImagePool {
  /** @throws unavailable when too many wait already */
  run(job: ImageJob): Promise<PoolAnswer>
  /** Ends all workers; what waits is refused. */
  close(): Promise<void>
}

export interface ImagePoolOptions {
  /** The server's, where a compiled binary keeps what it has unpacked. */
  dataDir?: string
  /** Workers at once. */
  size?: number
  queueLimit?: number
  /** Of one job. */
  timeLimitMs?: number
  /** A worker without work for so long ends: its memory goes back to the system. */
  idleMs?: number
  /** What a worker may hold, in bytes. */
  memoryLimit?: number
  /** A worker that holds more than this after a job ends, in bytes. */
  memoryKept?: number
}

interface Worker {
  process: Subprocess
  /** It has done a job before. */
  isUsed: boolean
  /** Ends the wait for the job at hand. */
  settle?: (answer: PoolAnswer) => void
  idle?: Timer
}

interface Waiting {
  start(worker: Worker): void
  refuse(): void
}

const MEBIBYTE = 1024 * 1024
/** Of every platform that we run on. */
const PAGE_BYTES = 4096
const WATCH_MS = 25
/**
 * Becomes the worker, with a limit in KiB of what it may ask for (RLIMIT_DATA), so that nothing large comes between two
 * looks at what it holds. Bun asks for far more than it uses. Where the limit cannot be set, the worker runs without.
 */
const WITHIN_LIMIT = 'ulimit -d "$1" 2>/dev/null; shift; exec "$@"'
const ASKED_BEYOND_HELD = 700 * MEBIBYTE

/**
 * glibc (mallopt(3)) raises these by itself once something large was freed, and keeps what comes after: of one image's
 * memory the next would find half still taken.
 */
const GIVES_BACK = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' }

export function createImagePool({
  dataDir,
  size = Math.max(1, availableParallelism() - 1),
  queueLimit = 32 * size,
  timeLimitMs = 30_000,
  idleMs = 60_000,
  memoryLimit = 320 * MEBIBYTE,
  memoryKept = 160 * MEBIBYTE,
}: ImagePoolOptions = {}): ImagePool {
  const workers = new Set<Worker>()
  const free: Worker[] = []
  const waiting: Waiting[] = []
  let isClosed = false

  function start(): Worker {
    const askedKib = String(Math.ceil((memoryLimit + ASKED_BEYOND_HELD) / 1024))
    const command = ['sh', '-c', WITHIN_LIMIT, 'sh', askedKib, ...workerCommand(IMAGE_WORKER)]
    const worker: Worker = {
      isUsed: false,
      process: Bun.spawn(command, {
        // No other setting and no secret for whatever may get hold of a decoder.
        env: { PATH: '/usr/bin:/bin', DATA_DIR: dataDir, ...GIVES_BACK },
        stdio: ['ignore', 'ignore', 'ignore'],
        ipc: (answer: ImageAnswer) => worker.settle?.(answer),
        onExit: () => lose(worker),
      }),
    }
    workers.add(worker)
    return worker
  }

  function lose(worker: Worker): void {
    workers.delete(worker)
    const at = free.indexOf(worker)
    if (at >= 0) free.splice(at, 1)
    clearTimeout(worker.idle)
    worker.settle?.({ died: 'crashed' })
  }

  /** It is counted no more, so that another one may start at once. */
  function end(worker: Worker): void {
    workers.delete(worker)
    worker.process.kill('SIGKILL')
  }

  /** A worker without work takes what waits, or waits itself. */
  function release(worker: Worker, rss: number): void {
    const isFit = workers.has(worker) && rss <= memoryKept
    if (!isFit) end(worker)
    const next = waiting.shift()
    if (next) next.start(isFit ? worker : start())
    else if (isFit) keep(worker)
  }

  function keep(worker: Worker): void {
    free.push(worker)
    worker.idle = setTimeout(() => {
      lose(worker)
      end(worker)
    }, idleMs)
    worker.idle.unref()
  }

  async function perform(worker: Worker, job: ImageJob): Promise<PoolAnswer> {
    const answered = Promise.withResolvers<PoolAnswer>()
    worker.settle = answered.resolve
    const limit = setTimeout(() => answered.resolve({ died: 'took too long' }), timeLimitMs)
    const watch = setInterval(() => {
      if (memoryOf(worker.process.pid) > memoryLimit) answered.resolve({ died: 'took too much memory' })
    }, WATCH_MS)
    try {
      worker.process.send(job)
    } catch {
      // It has died, and that it has is still to be told.
      answered.resolve({ died: 'crashed' })
    }
    const answer = await answered.promise
    clearTimeout(limit)
    clearInterval(watch)
    worker.settle = undefined
    worker.isUsed = true
    release(worker, 'died' in answer ? Number.POSITIVE_INFINITY : answer.rss)
    return answer
  }

  function takeWorker(): Promise<Worker> {
    const kept = free.pop()
    if (kept) {
      clearTimeout(kept.idle)
      return Promise.resolve(kept)
    }
    if (workers.size < size) return Promise.resolve(start())
    if (waiting.length >= queueLimit) throw tooMany()
    return new Promise((resolve, reject) => waiting.push({ start: resolve, refuse: () => reject(tooMany()) }))
  }

  return {
    async run(job) {
      if (isClosed) throw tooMany()
      const worker = await takeWorker()
      const { isUsed } = worker
      const answer = await perform(worker, job)
      // One that waited may have been dead already, or broken by what it did before: that is not this image's fault.
      const isDoubtful = isUsed && 'died' in answer && answer.died === 'crashed'
      return isDoubtful && !isClosed ? perform(await takeWorker(), job) : answer
    },
    async close() {
      isClosed = true
      for (const { refuse } of waiting.splice(0)) refuse()
      const ending = [...workers].map(({ process }) => process.exited)
      for (const worker of [...workers]) end(worker)
      await Promise.all(ending)
    },
  }
}

/** What a process holds, in bytes; 0 when it is gone, and where there is no /proc. */
function memoryOf(pid: number): number {
  try {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
    return Number(pages) * PAGE_BYTES
  } catch {
    return 0
  }
}

const tooMany = () => unavailable('Too many images are waiting; try again in a moment', 5)
