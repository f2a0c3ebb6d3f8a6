/** Without Redis two instances on one database would not hear of each other: the second must not start. */
import type { Database } from '../db/client.ts'
import type { Log } from '../observability/log.ts'

/** Another instance holds the database. */
export class InstanceLockHeld extends Error {
  override readonly name = 'InstanceLockHeld'
}

const INSTANCE_LOCK = 7_301_002
const CHECK_EVERY_MS = 2000

/**
 * Takes the advisory lock on a connection of its own (`database` must have a pool of one) and takes it again whenever
 * that connection was lost.
 * @param onLost told when another instance took the lock meanwhile
 * @returns what gives it back
 * @throws InstanceLockHeld
 */
export async function holdInstanceLock(database: Database, log: Log, onLost: () => void): Promise<() => Promise<void>> {
  const take = async (): Promise<boolean> => {
    // A session may hold a lock several times: ask first, so that one release frees it.
    const [row] = await database.sql<{ held: boolean }[]>`
      select exists (select from pg_locks where locktype = 'advisory' and objid = ${INSTANCE_LOCK} and pid = pg_backend_pid()
        and granted) or pg_try_advisory_lock(${INSTANCE_LOCK}) as held`
    return row?.held ?? false
  }
  if (!(await take())) {
    throw new InstanceLockHeld('Another messenger runs on this database; several need REDIS_URL to hear of each other')
  }
  const timer = setInterval(() => {
    take().then(
      (isHeld) => {
        if (!isHeld) onLost()
      },
      (error) => log.debug('The instance lock cannot be checked', { error }),
    )
  }, CHECK_EVERY_MS)
  return () => {
    clearInterval(timer)
    return database.close()
  }
}
