/** Limits of all instances together: the algorithm of memory-limiter.ts as one script, by the clock of Redis. */
import type { Log } from '../observability/log.ts'
import { defineScript, type Redis } from '../redis/client.ts'
import { limitKey } from './keys.ts'
import type { RateLimiter } from './limiter.ts'
import { createMemoryLimiter, type LocalLimiter } from './memory-limiter.ts'
import { createFaultLog } from './redis-faults.ts'

/** ARGV: milliseconds between two, milliseconds of the period. Answers the milliseconds until it would be allowed, or 0. */
const HIT = defineScript(`
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local interval, period = tonumber(ARGV[1]), tonumber(ARGV[2])
  local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
  local too_early = arrival + interval - now - period
  if too_early > 0.001 then return math.ceil(too_early) end
  redis.call('SET', KEYS[1], string.format('%.3f', arrival + interval), 'PX', math.ceil(arrival + interval - now))
  return 0
`)

/** While Redis is away `local` answers: each instance then has the whole limit to itself. */
export function createRedisLimiter(options: { redis: Redis; log: Log; local?: LocalLimiter }): RateLimiter {
  const { redis, log, local = createMemoryLimiter() } = options
  const note = createFaultLog(log)
  return {
    async hit(key, limit) {
      if (!redis.isReady()) return local.hit(key, limit)
      const periodMs = limit.periodSeconds * 1000
      try {
        const waitMs = await redis.runScript(HIT, limitKey(key), [`${periodMs / limit.count}`, `${periodMs}`])
        return Math.ceil(Number(waitMs) / 1000)
      } catch (error) {
        note(error)
        return local.hit(key, limit)
      }
    },
  }
}
