/** How long the statements of a pool take: for the metrics, and for the log where one is slow. */
import type { Log } from '../observability/log.ts'
import { LATENCIES, type Metrics } from '../observability/metrics.ts'
import type { Database, DatabaseOptions } from './client.ts'

export interface QueryMeter {
  /** For {@link DatabaseOptions} of the pool of that name. */
  of(pool: string): NonNullable<DatabaseOptions['onAnswered']>
  /** Tells of the pool's connections, too. */
  watch(pool: string, database: Pick<Database, 'load'>): void
}

const MAX_STATEMENT = 1000

/** @param slowMs statements that take longer are logged, without their parameters; 0 for none */
export function createQueryMeter(metrics: Metrics, log: Log, slowMs: number): QueryMeter {
  const seconds = metrics.histograms(
    'messenger_db_query_seconds',
    'How long PostgreSQL takes for a statement.',
    LATENCIES,
    ['pool'],
  )
  const watched = new Map<string, Pick<Database, 'load'>>()
  const loads = <T>(of: (pool: string, load: ReturnType<Database['load']>) => T[]) =>
    [...watched].flatMap(([pool, database]) => of(pool, database.load()))
  metrics.gauge(
    'messenger_db_pool_connections',
    'Connections to PostgreSQL.',
    () =>
      loads((pool, { idle, busy, connecting }) =>
        Object.entries({ idle, busy, connecting }).map(([state, value]) => ({ labels: [pool, state], value })),
      ),
    { labels: ['pool', 'state'] },
  )
  metrics.gauge(
    'messenger_db_pool_waiting',
    'Statements that wait for a connection.',
    () => loads((pool, { waiting }) => [{ labels: [pool], value: waiting }]),
    { labels: ['pool'] },
  )

  return {
    of(pool) {
      const histogram = seconds(pool)
      return (statement, ms) => {
        histogram.observe(ms / 1000)
        if (slowMs > 0 && ms > slowMs) {
          log.warn('A slow query', {
            pool,
            ms: Math.round(ms),
            statement: statement.replace(/\s+/g, ' ').trim().slice(0, MAX_STATEMENT),
          })
        }
      }
    },
    watch: (pool, database) => watched.set(pool, database),
  }
}

/** How full PostgreSQL itself is, by its own word. */
export function measureServer(metrics: Metrics, { sql }: Pick<Database, 'sql'>): void {
  metrics.gauge(
    'messenger_postgres_connections',
    'Connections of everybody to the server that has the database.',
    async () => {
      const [row] = await sql<{ count: number }[]>`select sum(numbackends)::int as count from pg_stat_database`
      return row?.count
    },
  )
  metrics.gauge('messenger_postgres_max_connections', 'The most that it allows.', async () => {
    const [row] = await sql<{ most: number }[]>`select current_setting('max_connections')::int as most`
    return row?.most
  })
  metrics.gauge('messenger_postgres_database_bytes', 'The size of the database on its disk.', async () => {
    const [row] = await sql<{ bytes: string }[]>`select pg_database_size(current_database()) as bytes`
    return row && Number(row.bytes)
  })
}
