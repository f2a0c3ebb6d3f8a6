/**
 * Read replicas, for what may be a moment old: pages of history, and search. Each read says itself what the replica must
 * have replayed, and the primary has decided before whether its caller may read. Whatever is the matter with a replica, no
 * request fails: the primary is asked.
 */
import type { Log } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import { connectDatabase, type Database, type Db, isConnectionLoss, isContention } from './client.ts'
import type { QueryMeter } from './measure.ts'
import { createReplica, type Replica } from './replica.ts'
import { addSample, type Sample } from './replica-lag.ts'

export interface Replicas {
  /** Whether there is one to ask. */
  areUsable(): boolean
  /**
   * Asks the replica that has the least to do. `work` is one statement (a host may stand for several replicas), which
   * answers undefined where the replica does not have what it must have yet.
   * @returns undefined: ask the primary. Never rejects
   */
  read<T>(work: (db: Db) => Promise<T | undefined>): Promise<T | undefined>
  /** For the health of the server: each rejects while its replica is not used. */
  probes: Record<string, () => Promise<void>>
  close(): Promise<void>
}

export interface ReplicasOptions {
  urls: readonly string[]
  /** Connections to each of them, beside the one that looks. */
  poolMax: number
  /** One that is further behind is not asked. */
  maxLagSeconds: number
  primary: Database
  log: Log
  metrics: Metrics
  queries: QueryMeter
}

const LOOK_EVERY_MS = 1000
/** The primary answers instead of one that takes longer. */
const READ_SECONDS = 5

/** For a server that has none. */
export const noReplicas: Replicas = {
  areUsable: () => false,
  read: async () => undefined,
  probes: {},
  close: async () => {},
}

/** Waits for no replica: one is used from when it was first seen to keep up. */
export function openReplicas(options: ReplicasOptions): Replicas {
  const { urls, primary, log, metrics, queries, poolMax, maxLagSeconds } = options
  if (urls.length === 0) return noReplicas
  const reads = metrics.counters(
    'messenger_replica_reads_total',
    'Reads of a replica: answered; behind, so that the primary was asked; or failed.',
    ['replica', 'outcome'],
  )
  const replicas = urls.map((url, index) => {
    const name = `replica_${index + 1}`
    const readOnly = { default_transaction_read_only: true }
    const onAnswered = queries.of(name)
    const database = connectDatabase({
      ...{ url, poolMax, onAnswered, startup: readOnly, statementTimeoutSeconds: READ_SECONDS },
      name: 'messenger replica',
    })
    queries.watch(name, database)
    const watcher = connectDatabase({
      ...{
        url,
        poolMax: 1,
        startup: readOnly,
        statementTimeoutSeconds: 1,
        silenceSeconds: 2,
        connectTimeoutSeconds: 2,
      },
      name: 'messenger replica watch',
    })
    const onRead = (outcome: string) => reads(name, outcome).inc()
    return createReplica({ name, address: addressOf(url), database, watcher, maxLagSeconds, log, onRead })
  })
  measure(metrics, replicas)

  let samples: Sample[] = []
  let cluster: string | undefined
  async function sample(): Promise<void> {
    const at = performance.now()
    const [row] = await primary.sql<{ written: number; cluster: string }[]>`
      select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as written, system_identifier::text as cluster
      from pg_control_system()`
    if (!row) return
    // Another one took the primary's place: its log goes on somewhere else.
    if (cluster !== row.cluster || row.written < (samples.at(-1)?.written ?? 0)) samples = []
    cluster = row.cluster
    samples = addSample(samples, { at, written: row.written })
  }

  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let isSampling = false
  let isRefusalTold = false
  function noteUnsampled(error: unknown): void {
    const isPassing = isConnectionLoss(error) || isContention(error)
    if (isPassing || isRefusalTold) return
    isRefusalTold = true
    log.error('The primary does not tell how far it is: no read replica can be used', { error })
  }

  async function lookAtAll(): Promise<void> {
    if (!isSampling) {
      isSampling = true
      const sampled = sample()
        .catch(noteUnsampled)
        .finally(() => {
          isSampling = false
        })
      await Promise.race([sampled, Bun.sleep(LOOK_EVERY_MS)])
    }
    await Promise.all(replicas.map((replica) => replica.look(samples, cluster)))
    if (isClosed) return
    timer = setTimeout(lookAtAll, LOOK_EVERY_MS)
    timer.unref()
  }
  lookAtAll()

  const findIdlest = () =>
    replicas
      .filter((replica) => replica.fault() === undefined)
      .sort((a, b) => a.running() - b.running())
      .at(0)

  return {
    areUsable: () => findIdlest() !== undefined,
    read: async (work) => findIdlest()?.read(work),
    probes: Object.fromEntries(replicas.map((replica) => [replica.name, () => requireUsable(replica)])),
    async close() {
      isClosed = true
      clearTimeout(timer)
      await Promise.all(replicas.map((replica) => replica.close()))
    },
  }
}

async function requireUsable(replica: Replica): Promise<void> {
  const fault = replica.fault()
  if (fault !== undefined) throw new Error(`The replica is not used: ${fault}`)
}

function measure(metrics: Metrics, replicas: readonly Replica[]): void {
  metrics.gauge(
    'messenger_replica_used',
    'Whether the replica is asked: 1 or 0.',
    () => replicas.map((replica) => ({ labels: [replica.name], value: Number(replica.fault() === undefined) })),
    { labels: ['replica'] },
  )
  metrics.gauge(
    'messenger_replica_lag_seconds',
    'How far the replica is behind the primary; 0 when it has everything.',
    () =>
      replicas.flatMap((replica) => {
        const lag = replica.lagSeconds()
        return lag === undefined ? [] : [{ labels: [replica.name], value: lag }]
      }),
    { labels: ['replica'] },
  )
}

/** Where a URL leads to: host or directory, and database. No user, no password. */
function addressOf(url: string): string {
  const [place = '', query = ''] = url.replace(/^\w+:\/\/(?:[^/]*@)?/, '').split('?')
  return `${new URLSearchParams(query).get('host') ?? ''}${place}`
}
