/** Counts what a limiter refuses, by the kind of limit: what stands before the first colon of a key. */
import type { Metrics } from '../observability/metrics.ts'
import type { Limit } from './limiter.ts'

export type CountRefusal = (kind: string) => void

export function createRefusalCounter(metrics: Metrics): CountRefusal {
  const refusals = metrics.counters(
    'messenger_rate_limited_total',
    'Requests and frames that a rate limit refused, by the limit.',
    ['limit'],
  )
  return (kind) => refusals(kind).inc()
}

/** The limiter itself, but for the counting. */
export function countRefusals<Answer extends number | Promise<number>>(
  limiter: { hit(key: string, limit: Limit): Answer },
  count: CountRefusal,
): { hit(key: string, limit: Limit): Answer } {
  const note = (key: string, retryAfterSeconds: number) => {
    if (retryAfterSeconds > 0) count(key.slice(0, key.indexOf(':')))
    return retryAfterSeconds
  }
  return {
    hit(key, limit) {
      const answer = limiter.hit(key, limit)
      if (typeof answer === 'number') note(key, answer)
      // Of a failure whoever asked is told.
      else
        answer.then(
          (seconds) => note(key, seconds),
          () => {},
        )
      return answer
    },
  }
}
