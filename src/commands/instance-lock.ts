/**
 * What instances of one database owe each other. Without Redis they would not hear of each other, so one that is alone
 * shares the database with nobody; and of all instances one runs the jobs. Both are advisory locks of PostgreSQL, held
 * by one connection for as long as the process lives.
 */
import type { Database } from '../db/client.ts'
import type { Log } from '../observability/log.ts'

/** Another instance holds the database. */
export class InstanceLockHeld extends Error {
  override readonly name = 'InstanceLockHeld'
}

export interface InstanceLock {
  /** Whether this instance is the one that runs the jobs. */
  isRunner(): boolean
  release(): Promise<void>
}

const INSTANCE_LOCK = 7_301_002
const RUNNER_LOCK = 7_301_003
const CHECK_EVERY_MS = 2000

/**
 * Takes the locks on a connection of its own (`database` must have a pool of one) and takes them again whenever that
 * connection was lost; the runner's is tried for until its holder lets go.
 * @param options.isAlone without Redis: no other instance may run; with it, none that is alone
 * @param options.onLost told when the database went to an instance that cannot share it
 * @throws InstanceLockHeld
 */
export async function holdInstanceLock(
  database: Database,
  log: Log,
  { isAlone, onLost }: { isAlone: boolean; onLost: () => void },
): Promise<InstanceLock> {
  const { sql } = database
  // A session may hold a lock several times: ask first, so that one release frees it.
  const isHeld = (lock: number) => sql`exists (select from pg_locks
    where locktype = 'advisory' and objid = ${lock} and pid = pg_backend_pid() and granted)`
  const tryShared = isAlone ? sql`pg_try_advisory_lock` : sql`pg_try_advisory_lock_shared`
  let isRunner = false

  async function take(): Promise<boolean> {
    const [row] = await sql<{ has_place: boolean; is_runner: boolean }[]>`
      select ${isHeld(INSTANCE_LOCK)} or ${tryShared}(${INSTANCE_LOCK}) as has_place,
        ${isHeld(RUNNER_LOCK)} or pg_try_advisory_lock(${RUNNER_LOCK}) as is_runner`
    const isNew = !isRunner && row?.is_runner === true
    isRunner = row?.is_runner ?? false
    if (isNew) log.info('This instance runs the jobs')
    return row?.has_place ?? false
  }

  if (!(await take())) {
    throw new InstanceLockHeld(
      isAlone
        ? 'Another messenger runs on this database; several need REDIS_URL to hear of each other'
        : 'A messenger without REDIS_URL runs on this database: it could not hear of this one',
    )
  }
  const timer = setInterval(() => {
    take().then(
      (hasPlace) => {
        if (!hasPlace) onLost()
      },
      (error) => {
        // With the connection the locks are gone.
        isRunner = false
        log.debug('The instance lock cannot be checked', { error })
      },
    )
  }, CHECK_EVERY_MS)
  return {
    isRunner: () => isRunner,
    release() {
      clearInterval(timer)
      isRunner = false
      return database.close()
    },
  }
}
