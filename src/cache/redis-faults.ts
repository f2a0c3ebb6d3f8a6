/** What Redis answers with an error although it is there, such as a full memory: worth a line, but not one a request. */
import type { Log } from '../observability/log.ts'
import { RedisAway } from '../redis/client.ts'

const ONCE_IN_MS = 60_000

/** That Redis is away is told by its client. */
export function createFaultLog(log: Log): (error: unknown) => void {
  let notedAt = Number.NEGATIVE_INFINITY
  return (error) => {
    if (error instanceof RedisAway || performance.now() - notedAt < ONCE_IN_MS) return
    notedAt = performance.now()
    log.warn('Redis refused a command', { error })
  }
}
