/**
 * One clock for all instances: that of the database they share. What ends at a time that another instance set (a token, a
 * link, a day of premium) ends at the same moment everywhere, however wrong a machine's own clock is or becomes.
 */
import type { Log } from '../observability/log.ts'
import type { Database } from './client.ts'

export interface Clock {
  /** Milliseconds since 1970, by the database. Costs no query. */
  now(): number
  stop(): void
}

const READ_EVERY_MS = 10_000
/** What took longer to be answered says too little of when it was so. */
const MAX_ANSWER_MS = 1000
/** The machine's own clock is told of when it is so wrong. */
const WARN_MS = 5000

/** Reads it once and follows it from then on; between readings, and while the database is away, time passes steadily. */
export async function followDatabaseClock({ sql }: Pick<Database, 'sql'>, log: Log): Promise<Clock> {
  /** The database's time less that since this process started. */
  let ahead = performance.timeOrigin
  let isKnown = false
  let isWarned = false

  async function read(): Promise<void> {
    const askedAt = performance.now()
    const [row] = await sql<{ at: number }[]>`select extract(epoch from clock_timestamp())::float8 as at`
    const answeredAt = performance.now()
    // The first one counts however long it took: the machine's own clock may be hours off.
    if (!row || (isKnown && answeredAt - askedAt > MAX_ANSWER_MS)) return
    isKnown = true
    ahead = row.at * 1000 - (askedAt + answeredAt) / 2
    warn(Date.now() - (ahead + answeredAt))
  }

  function warn(offBy: number): void {
    const isWrong = Math.abs(offBy) > WARN_MS
    if (isWrong && !isWarned)
      log.warn('The clocks of this machine and of the database differ; the one of the database counts', {
        seconds: Math.round(offBy / 1000),
      })
    isWarned = isWrong
  }

  await read()
  const reader = setInterval(() => {
    read().catch((error) => log.debug('The clock of the database could not be read', { error }))
  }, READ_EVERY_MS)
  reader.unref()

  return { now: () => ahead + performance.now(), stop: () => clearInterval(reader) }
}
