/** One embedded PostgreSQL for the whole run of the tests; each server gets a database of its own in it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../src/db/client.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { createLog } from '../../src/observability/log.ts'

const log = createLog('error')
let running: Promise<{ postgres: EmbeddedPostgres; directory: string }> | undefined

async function start() {
  const directory = await mkdtemp(join(tmpdir(), 'messenger-test-'))
  return { postgres: await startEmbeddedPostgres({ dataDir: directory, log, maxConnections: 200 }), directory }
}

/** A new, empty database. @returns its DATABASE_URL */
export async function createDatabase(): Promise<string> {
  running ??= start()
  const { postgres } = await running
  const name = `test_${Bun.randomUUIDv7().replaceAll('-', '')}`
  const admin = connectDatabase({ socket: postgres, poolMax: 1, name: 'tests' })
  await admin.sql.unsafe(`create database ${name}`)
  await admin.close()
  return `postgres://${postgres.user}@/${name}?host=${postgres.socketDirectory}`
}

/** After the last test. */
export async function stopPostgres(): Promise<void> {
  if (!running) return
  const { postgres, directory } = await running
  await postgres.stop()
  await rm(directory, { recursive: true, force: true })
}
