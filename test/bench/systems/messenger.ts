/** Our server as its users run it, from source, with a database of its own in the run's PostgreSQL. */
import { connectDatabase, type Database } from '../../../src/db/client.ts'
import { SECRET, startProcess } from '../../faults/server-process.ts'
import type { Undo } from '../part.ts'
import type { BenchDatabase, BenchPostgres } from './postgres.ts'
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
  dataDir?: string
}

export async function startMessenger(
  postgres: BenchPostgres,
  undo: Undo,
  { databaseUrl, settings = {}, dataDir = '' }: MessengerOptions = {},
): Promise<Messenger> {
  const made: BenchDatabase | undefined = databaseUrl ? undefined : await postgres.createDatabase('messenger')
  const url = databaseUrl ?? made?.url ?? ''
  const { BENCH_SERVER_OPTIONS: options } = process.env
  // Options for Bun in the server's process: BENCH_SERVER_OPTIONS="--cpu-prof".
  const profiling: Record<string, string> = options ? { BUN_OPTIONS: options } : {}
  const server = await startProcess(dataDir, { DATABASE_URL: url, ...profiling, ...settings })
  const database = connectDatabase({ url, poolMax: 2, name: 'bench', statementTimeoutSeconds: 0 })
  const turns = turnsOf(server.pid)
  const stop = async () => {
    await database.close()
    turns.thaw()
    await server.terminate()
  }
  undo.add(stop)
  return {
    name: 'messenger',
    url: server.url,
    pid: server.pid,
    secret: SECRET,
    databaseUrl: url,
    database,
    ...turns,
    stop,
  }
}
