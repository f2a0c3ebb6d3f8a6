/**
 * Limits of this process by the generic cell rate algorithm (ITU-T I.371): one number a key, the theoretical arrival
 * time of the next request; bursts up to `count`, then one each `period / count`.
 */
import type { Limit } from './limiter.ts'

export interface LocalLimiter {
  hit(key: string, limit: Limit): number
}

const SWEEP_EVERY_HITS = 50_000

/** `now` in milliseconds, of a clock that nobody sets. */
export function createMemoryLimiter(now = () => performance.now()): LocalLimiter {
  const arrivals = new Map<string, number>()
  let hits = 0

  const sweep = (time: number) => {
    for (const [key, arrival] of arrivals) if (arrival <= time) arrivals.delete(key)
  }

  return {
    hit(key, { count, periodSeconds }) {
      const time = now()
      if (++hits % SWEEP_EVERY_HITS === 0) sweep(time)
      const interval = (periodSeconds * 1000) / count
      const arrival = Math.max(arrivals.get(key) ?? 0, time)
      const tooEarlyBy = arrival + interval - time - periodSeconds * 1000
      // A thousandth of a millisecond of slack: the intervals are fractions and add up.
      if (tooEarlyBy > 0.001) return Math.max(1, Math.ceil(tooEarlyBy / 1000))
      arrivals.set(key, arrival + interval)
      return 0
    },
  }
}
