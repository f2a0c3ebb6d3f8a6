/** Finding the PostgreSQL of a server that is running, for commands that work beside it. */
import { join, resolve } from 'node:path'
import { databaseName, superuser } from './cluster.ts'
import { isHeld, readLock } from './lock.ts'
import type { EmbeddedPostgres } from './postgres.ts'

/** How to connect to the PostgreSQL that has `dataDir` open; undefined when none has. */
export async function findRunningPostgres(dataDir: string): Promise<Omit<EmbeddedPostgres, 'stop'> | undefined> {
  const lock = await readLock(join(resolve(dataDir), 'postgres'))
  const isRunning = lock !== undefined && lock.socketDirectory !== '' && (await isHeld(lock))
  return isRunning
    ? { socketDirectory: lock.socketDirectory, port: lock.port, user: superuser, database: databaseName }
    : undefined
}
