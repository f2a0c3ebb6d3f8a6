/** Our server as its users run it, from source, with a database of its own in the run's PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase, type Database } from '../../../src/db/client.ts'
import type { Undo } from '../part.ts'
import type { BenchPostgres } from './postgres.ts'
import { type BenchServer, turnsOf } from './server.ts'

export interface Messenger extends BenchServer {
  secret: string
  databaseUrl: string
  /** For what is put there and looked up directly. */
  database: Database
}

export interface MessengerOptions {
  /** An existing one; without it a new, empty one is made. */
  databaseUrl?: string
  settings?: Record<string, string>
}

const ROOT = join(import.meta.dir, '../../..')
const SECRET = 'a secret of the bench, long enough to be one'
const START_MS = 60_000

export async function startMessenger(
  postgres: BenchPostgres,
  undo: Undo,
  { databaseUrl, settings = {} }: MessengerOptions = {},
): Promise<Messenger> {
  const databaseAt = databaseUrl ?? (await postgres.createDatabase('messenger')).url
  const folder = await mkdtemp(join(tmpdir(), 'messenger-bench-'))
  undo.add(() => rm(folder, { recursive: true, force: true }))
  // As a service manager takes it: nobody reads it along, which would cost as much as serving.
  const logPath = join(folder, 'log')
  const { BENCH_SERVER_OPTIONS: options, PATH, HOME } = process.env
  const child = Bun.spawn([process.execPath, 'src/main.ts'], {
    cwd: ROOT,
    stdout: Bun.file(logPath),
    stderr: 'inherit',
    env: {
      ...{ PATH, HOME, DATA_DIR: join(folder, 'data'), PORT: '0', HOST: '127.0.0.1', RATE_LIMITS: 'off' },
      ...{ JWT_SECRET: SECRET, DATABASE_URL: databaseAt },
      // Options for Bun in the server's process: BENCH_SERVER_OPTIONS="--cpu-prof".
      ...(options && { BUN_OPTIONS: options }),
      ...settings,
    },
  })
  const turns = turnsOf(child.pid)
  const database = connectDatabase({ url: databaseAt, poolMax: 2, name: 'bench', statementTimeoutSeconds: 0 })
  const stop = async () => {
    await database.close()
    turns.thaw()
    child.kill()
    await child.exited
  }
  undo.add(stop)
  const url = await readUrl(logPath, () => child.exitCode)
  return { name: 'messenger', url, pid: child.pid, secret: SECRET, databaseUrl: databaseAt, database, ...turns, stop }
}

/** From the line that says that it is ready. */
async function readUrl(logPath: string, exitCode: () => number | null): Promise<string> {
  for (const until = performance.now() + START_MS; performance.now() < until; await Bun.sleep(20)) {
    const log = await Bun.file(logPath)
      .text()
      .catch(() => '')
    const [, url] = /"message":"messenger is ready".*?"url":"([^"]+)"/.exec(log) ?? []
    if (url) return url
    if (exitCode() !== null) throw new Error(`The server ended with ${exitCode()}: ${log}`)
  }
  throw new Error('The server does not start')
}
