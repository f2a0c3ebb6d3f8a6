/** One read replica: a hot standby that follows the primary by streaming. It is asked only while it is known to keep up. */
import type { Log } from '../observability/log.ts'
import { type Database, type Db, isConnectionLoss, isContention } from './client.ts'
import { lagOf, type Sample } from './replica-lag.ts'

/** What became of a read. */
export type ReadOutcome = 'answered' | 'behind' | 'failed'

export interface ReplicaOptions {
  /** As metrics and health call it. */
  name: string
  /** As the log calls it beside: where it is, without a password. */
  address: string
  /** The pool that reads. */
  database: Database
  /** A connection of its own to look at it: reads that take long must not look like a replica that is gone. */
  watcher: Database
  maxLagSeconds: number
  log: Log
  onRead(outcome: ReadOutcome): void
}

export interface Replica {
  readonly name: string
  /** Why it is not asked now; undefined when it is. */
  fault(): string | undefined
  /** Reads under way. */
  running(): number
  /** By what the last look saw; undefined when that is not known. */
  lagSeconds(): number | undefined
  /** Undefined: the primary is to be asked. Never rejects. */
  read<T>(work: (db: Db) => Promise<T | undefined>): Promise<T | undefined>
  /** `samples` are those of the primary of database cluster `cluster`; none yet when it did not answer. Never rejects. */
  look(samples: readonly Sample[], cluster: string | undefined): Promise<void>
  close(): Promise<void>
}

const LOOK_WITHIN_MS = 1000
const TOLD_EVERY_MS = 60_000
const SILENT = 'it does not answer'

export function createReplica(options: ReplicaOptions): Replica {
  const { name, address, database, watcher, maxLagSeconds, log, onRead } = options
  let fault: string | undefined = 'it was not looked at yet'
  let isTold = false
  let lag: number | undefined
  let isLooking = false
  let isClosed = false
  let failureToldAt = Number.NEGATIVE_INFINITY
  /** What lets go of each read that is under way. */
  const releases = new Set<() => void>()

  function judge(found: string | undefined): void {
    if (isClosed) return
    const isChanged = (fault === undefined) !== (found === undefined)
    fault = found
    if (found !== undefined) {
      lag = found === SILENT ? undefined : lag
      // Nobody waits for one that is gone.
      for (const release of releases) release()
    }
    if (isTold && !isChanged) return
    isTold = true
    if (found === undefined) log.info('A read replica is used', { replica: name, address })
    else
      log.warn('A read replica is not used now; the primary answers for it', { replica: name, address, reason: found })
  }

  function noteFailure(error: unknown): void {
    onRead('failed')
    if (isConnectionLoss(error)) judge(SILENT)
    const isUnforeseen = !isConnectionLoss(error) && !isContention(error)
    if (!isUnforeseen || performance.now() - failureToldAt < TOLD_EVERY_MS) return
    failureToldAt = performance.now()
    log.warn('A read replica refused a statement; the primary was asked', { replica: name, address, error })
  }

  async function examine(samples: readonly Sample[], cluster: string | undefined): Promise<string | undefined> {
    const [row] = await watcher.sql<{ isStandby: boolean; replayed: number | null; cluster: string }[]>`
      select pg_is_in_recovery() as "isStandby", system_identifier::text as cluster,
        pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::float8 as replayed
      from pg_control_system()`
    if (!row?.isStandby || row.replayed === null) return 'it is no replica, or none any more'
    if (cluster !== undefined && row.cluster !== cluster) return 'it is a replica of another database'
    lag = lagOf(samples, row.replayed)
    if (lag === undefined) return 'how far it is behind is not known yet'
    return lag <= maxLagSeconds ? undefined : `it is more than ${maxLagSeconds} s behind`
  }

  return {
    name,
    fault: () => fault,
    running: () => releases.size,
    lagSeconds: () => lag,

    read: (work) =>
      new Promise((resolve) => {
        const release = () => {
          if (releases.delete(release)) resolve(undefined)
        }
        releases.add(release)
        work(database.db).then(
          (found) => {
            if (!releases.delete(release)) return
            onRead(found === undefined ? 'behind' : 'answered')
            resolve(found)
          },
          (error) => {
            const isAwaited = releases.delete(release)
            resolve(undefined)
            if (isAwaited) noteFailure(error)
          },
        )
      }),

    async look(samples, cluster) {
      // The last one still waits for an answer.
      if (isLooking) return judge(SILENT)
      isLooking = true
      const found = examine(samples, cluster)
        .catch((error) => (isConnectionLoss(error) || isContention(error) ? SILENT : `it refuses: ${error}`))
        .finally(() => {
          isLooking = false
        })
      judge(await Promise.race([found, Bun.sleep(LOOK_WITHIN_MS).then(() => SILENT)]))
    },

    async close() {
      isClosed = true
      await Promise.all([database.close(), watcher.close({ timeoutSeconds: 0 })])
    },
  }
}
