/** `messenger cleanup-media`: removes the files that nobody needs any more, beside a running server too. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Config } from '../config.ts'
import { createRetention, type Removal } from '../features/media/retention.ts'
import { createWork } from '../features/media/work.ts'
import type { Log } from '../observability/log.ts'
import { joinPostgres, openStorage, runMigrations } from './parts.ts'

const HELP = `Usage: messenger cleanup-media [--dry-run]

Removes files that nobody needs any more, and lists them: those of messages that were deleted 30 days ago; those that
belong to no message, avatars of nobody and unfinished work, when they are a day old. The server does it by itself once
a day.

  --dry-run   only list them

Exit codes: 0 done, 1 failed, or somebody else is clearing away or backing up, 2 not understood.
`

interface Output {
  write: (text: string) => void
  writeError: (text: string) => void
}

/** @returns the exit code */
export async function runCleanupMedia(args: string[], config: Config, log: Log, output: Output): Promise<number> {
  const { isDryRun, isHelp, fault } = parse(args)
  if (fault !== undefined) output.writeError(`${fault}\n\n${HELP}`)
  if (isHelp) output.write(HELP)
  if (fault !== undefined || isHelp) return fault === undefined ? 0 : 2

  const postgres = await joinPostgres(config, log)
  try {
    await runMigrations(postgres, log)
    const database = postgres.connect({ poolMax: 2, name: 'messenger cleanup-media' })
    try {
      const storage = await openStorage(config, log)
      const work = createWork(join(config.DATA_DIR, 'media', 'work'), log)
      const retention = createRetention({ db: database.db, storage, work })
      return await clear(retention.clear, isDryRun, output)
    } finally {
      await database.close()
    }
  } finally {
    await postgres.stop()
  }
}

async function clear(
  run: ReturnType<typeof createRetention>['clear'],
  isDryRun: boolean,
  { write, writeError }: Output,
): Promise<number> {
  const totals = new Map<Removal['why'], { files: number; bytes: number }>()
  const onFile = ({ file, size, why }: Removal) => {
    const { files, bytes } = totals.get(why) ?? { files: 0, bytes: 0 }
    totals.set(why, { files: files + 1, bytes: bytes + size })
    write(`${file}\t${size}\t${why}\n`)
  }
  const isDone = await run({ isDryRun, onFile })
  for (const [why, { files, bytes }] of totals) write(`${why}: ${files} files, ${bytes} bytes\n`)
  const all = [...totals.values()]
  const sum = (of: (one: { files: number; bytes: number }) => number) => all.reduce((total, one) => total + of(one), 0)
  const verb = isDryRun ? 'Would remove' : 'Removed'
  write(`${verb} ${sum(({ files }) => files)} files, ${sum(({ bytes }) => bytes)} bytes\n`)
  if (!isDone) writeError('It stopped: somebody else is clearing away, or a backup is copying files\n')
  return isDone ? 0 : 1
}

function parse(args: string[]): { isDryRun: boolean; isHelp: boolean; fault?: string } {
  try {
    const options = { 'dry-run': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
    const { values } = parseArgs({ args, options })
    return { isDryRun: values['dry-run'] ?? false, isHelp: values.help ?? false }
  } catch (error) {
    return {
      isDryRun: true,
      isHelp: false,
      fault: error instanceof Error ? error.message : 'The arguments were not understood',
    }
  }
}
