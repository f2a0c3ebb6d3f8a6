/** The cache of all instances, in Redis. A key holds `=<value>`, or `?<permit>` while somebody loads the value. */
import type { Log } from '../observability/log.ts'
import { defineScript, type Redis } from '../redis/client.ts'
import type { Cache } from './cache.ts'
import { LEASE_MS, MAX_CACHE_SECONDS } from './keys.ts'
import { createFaultLog } from './redis-faults.ts'

/** ARGV: a permit, milliseconds. Answers what the key holds, which is the permit when it held nothing. */
const LEASE = defineScript(`
  local held = redis.call('GET', KEYS[1])
  if held then return held end
  redis.call('SET', KEYS[1], '?' .. ARGV[1], 'PX', ARGV[2])
  return '?' .. ARGV[1]
`)

/** ARGV: the permit, the value, its TTL and that of a lease in milliseconds. The value is as old as its lease. */
const SET = defineScript(`
  if redis.call('GET', KEYS[1]) ~= '?' .. ARGV[1] then return 0 end
  local age = ARGV[4] - redis.call('PTTL', KEYS[1])
  local left = ARGV[3] - age
  if left <= 0 then return 0 end
  redis.call('SET', KEYS[1], '=' .. ARGV[2], 'PX', left)
  return 1
`)

/** Keys to be forgotten later. */
const MAX_OWED = 10_000

export function createRedisCache({ redis, log }: { redis: Redis; log: Log }): Cache {
  const note = createFaultLog(log)
  /** What could not be forgotten yet. While there is any nothing is read. */
  const owed = new Set<string>()
  let isSettling = false
  /** By performance.now(): more was owed than is remembered, so the values of before have to expire first. */
  let distrustUntil = 0

  function owe(key: string): void {
    if (owed.size < MAX_OWED || owed.has(key)) owed.add(key)
    else distrustUntil = performance.now() + MAX_CACHE_SECONDS * 1000
  }

  async function forget(key: string): Promise<void> {
    try {
      await redis.send(key, ['DEL', key])
      owed.delete(key)
    } catch (error) {
      note(error)
      owe(key)
    }
  }

  /** Makes up for what is owed. */
  async function settle(): Promise<void> {
    if (isSettling) return
    isSettling = true
    await Promise.all([...owed].map(forget))
    isSettling = false
  }

  function mayRead(): boolean {
    if (!redis.isReady() || performance.now() < distrustUntil) return false
    if (owed.size === 0) return true
    settle()
    return false
  }

  redis.onReady(() => void settle())

  return {
    recall: () => undefined,

    async get(key) {
      if (!mayRead()) return { permit: undefined }
      try {
        const held =
          (await redis.send(key, ['GET', key])) ??
          (await redis.runScript(LEASE, key, [Bun.randomUUIDv7(), `${LEASE_MS}`]))
        const text = String(held)
        return text.startsWith('=') ? { value: text.slice(1) } : { permit: text.slice(1) }
      } catch (error) {
        note(error)
        return { permit: undefined }
      }
    },

    async set(key, value, ttlSeconds, permit) {
      if (permit === undefined || !redis.isReady()) return
      await redis.runScript(SET, key, [permit, value, `${toTtlMs(ttlSeconds)}`, `${LEASE_MS}`]).catch(note)
    },

    async replace(key, value, ttlSeconds) {
      if (!redis.isReady()) return
      await redis.send(key, ['SET', key, `=${value}`, 'PX', `${toTtlMs(ttlSeconds)}`]).catch(note)
    },

    forget,
  }
}

const toTtlMs = (seconds: number): number => Math.min(seconds, MAX_CACHE_SECONDS) * 1000
