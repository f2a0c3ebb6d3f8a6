/** `messenger seed-demo`: fills an empty database with a community, so that whoever looks around finds a living place. */
import { parseArgs } from 'node:util'
import { createApp } from '../app.ts'
import type { Config } from '../config.ts'
import type { Database } from '../db/client.ts'
import { emailOf, HOST, names } from '../demo/people.ts'
import { type Seeded, seed } from '../demo/seed.ts'
import { hasAccounts } from '../demo/store.ts'
import { listFaults } from '../features/users/rules.ts'
import type { Log } from '../observability/log.ts'
import { beAlone } from './instances.ts'
import { findFfmpeg, joinPostgres, loadSecret, openStorage, runMigrations } from './parts.ts'
import { makePassword } from './user.ts'

const HELP = `Usage: messenger seed-demo [--password-stdin]

Fills an empty database with a small harbour town: people, groups, channels, photos, weeks of conversation. Then it prints
who can sign in. It runs beside a server or before its first start. For looking around; not for a server that people use.

  --password-stdin   take everybody's password from the standard input; without it one is made

Exit codes: 0 done, 1 failed, or somebody has an account here already, 2 not understood.
`

export interface Output {
  /** All of the standard input. */
  readStdin: () => Promise<string>
  write: (text: string) => void
  writeError: (text: string) => void
}

/** @returns the exit code */
export async function runSeedDemo(args: string[], config: Config, log: Log, output: Output): Promise<number> {
  const { isHelp, isGiven, fault } = parse(args)
  if (fault !== undefined) output.writeError(`${fault}\n\n${HELP}`)
  if (isHelp) output.write(HELP)
  if (fault !== undefined || isHelp) return fault === undefined ? 0 : 2

  const password = isGiven ? (await output.readStdin()).replace(/\r?\n$/, '') : makePassword()
  const { password: weakness } = listFaults({ password })
  if (weakness !== undefined) {
    output.writeError(`The password ${weakness}\n`)
    return 1
  }
  const postgres = await joinPostgres(config, log)
  try {
    await runMigrations(postgres, log)
    const database = postgres.connect({ poolMax: 4, name: 'messenger seed-demo' })
    try {
      if (await hasAccounts(database.db)) {
        output.writeError(OCCUPIED)
        return 1
      }
      output.writeError('Drawing, talking, singing: this takes some seconds\n')
      const seeded = await fill(database, config, log, password)
      output.write(describe(seeded, config, isGiven ? undefined : password))
      return 0
    } finally {
      await database.close()
    }
  } finally {
    await postgres.stop()
  }
}

async function fill(database: Database, config: Config, log: Log, password: string): Promise<Seeded> {
  const app = createApp({
    ...beAlone(log),
    // More is said in a minute than people may.
    config: { ...config, RATE_LIMITS: 'off' },
    secret: await loadSecret(config),
    database,
    writerDatabase: database,
    storage: await openStorage(config, log),
    ffmpeg: await findFfmpeg(config),
    isRunner: () => false,
    log,
  })
  try {
    const hasPremium = config.PAYMENT_PROVIDER === 'stub'
    return await seed({ db: database.db, services: app.services, password, hasPremium, now: new Date() })
  } finally {
    await app.settle()
    app.stop()
  }
}

const OCCUPIED = `There are accounts here already, and the demo is no company for them: it fills only an empty database.
For a place of its own, give it another one: DATA_DIR=./demo messenger seed-demo, then DATA_DIR=./demo messenger
(or an empty DATABASE_URL). What an earlier run that was cut off has left goes with its data directory or database.
`

function describe(
  { people, chats, messages }: Seeded,
  { PUBLIC_URL: publicUrl, PORT: port }: Config,
  made: string | undefined,
): string {
  const others = names.filter((name) => name !== HOST)
  return `${people} people, ${chats} chats and ${messages} messages are there.

  Open      ${publicUrl ?? `http://localhost:${port || 8080}`}/
  Sign in   ${emailOf(HOST)}
  Password  ${made ?? 'the one that you gave'}

The same password opens the others, each as NAME@example.com: ${others.join(', ')}.
`
}

function parse(args: string[]): { isHelp: boolean; isGiven: boolean; fault?: string } {
  try {
    const options = { 'password-stdin': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
    const { values } = parseArgs({ args, options })
    return { isHelp: values.help ?? false, isGiven: values['password-stdin'] ?? false }
  } catch (error) {
    const fault = error instanceof Error ? error.message : 'The arguments were not understood'
    return { isHelp: false, isGiven: false, fault }
  }
}
