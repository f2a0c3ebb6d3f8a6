/** The one PostgreSQL of a run, with the settings of the product's own; every system has a database in it. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../../src/db/client.ts'
import { startEmbeddedPostgres } from '../../../src/embedded/postgres.ts'
import { createLog } from '../../../src/observability/log.ts'

export interface BenchPostgres {
  /** The process that all others of it come from. */
  pid: number
  /** What `show` says of a setting. */
  show(setting: string): Promise<string>
  createDatabase(name: string): Promise<BenchDatabase>
  /** As after the last checkpoint: what one measurement left to write does not meet the next one. */
  checkpoint(): Promise<void>
  stop(): Promise<void>
}

export interface BenchDatabase {
  name: string
  /** For DATABASE_URL. */
  url: string
  /** For clients that take libpq's variables. */
  environment: { PGHOST: string; PGUSER: string; PGDATABASE: string }
}

/** Of several servers, with pools of their own, and of the ceilings. */
const MAX_CONNECTIONS = 200

export async function startPostgres(): Promise<BenchPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'messenger-bench-'))
  const log = createLog('error', (line) => process.stderr.write(line))
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log, maxConnections: MAX_CONNECTIONS })
  const admin = connectDatabase({ socket: postgres, poolMax: 1, name: 'bench', statementTimeoutSeconds: 0 })
  let made = 0
  return {
    pid: Number(readFileSync(join(folder, 'postgres/postmaster.pid'), 'utf8').split('\n')[0]),
    async show(setting) {
      const [row] = await admin.sql<{ value: string }[]>`select current_setting(${setting}) as value`
      return row?.value ?? ''
    },
    async createDatabase(title) {
      const name = `${title.replaceAll(/\W/g, '_')}_${++made}`
      await admin.sql`create database ${admin.sql(name)}`
      return {
        name,
        url: `postgres://${postgres.user}@/${name}?host=${postgres.socketDirectory}`,
        environment: { PGHOST: postgres.socketDirectory, PGUSER: postgres.user, PGDATABASE: name },
      }
    },
    async checkpoint() {
      await admin.sql`checkpoint`
    },
    async stop() {
      await admin.close()
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
