/** What the instances of one database have in common: in Redis; or in this process, for one that is alone. */
import type { Bus } from '../bus/bus.ts'
import { createMemoryBus } from '../bus/memory.ts'
import { createRedisBus } from '../bus/redis.ts'
import { instancesTopic } from '../bus/topics.ts'
import type { Cache } from '../cache/cache.ts'
import type { Holders } from '../cache/holders.ts'
import type { RateLimiter } from '../cache/limiter.ts'
import { createMemoryCache } from '../cache/memory-cache.ts'
import { createMemoryHolders } from '../cache/memory-holders.ts'
import { createMemoryLimiter } from '../cache/memory-limiter.ts'
import { createRedisCache } from '../cache/redis-cache.ts'
import { createRedisHolders } from '../cache/redis-holders.ts'
import { createRedisLimiter } from '../cache/redis-limiter.ts'
import type { Log } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import { connectRedis } from '../redis/client.ts'
import { createBeatMeter, measureRedis } from '../redis/measure.ts'

export interface Instances {
  bus: Bus
  cache: Cache
  limiter: RateLimiter
  holders: Holders
  /** What the health of the server may tell of, without needing it. */
  probes: Record<string, () => Promise<unknown>>
  close(): Promise<void>
}

export function beAlone(log: Log): Instances {
  const bus = createMemoryBus(log)
  const holders = createMemoryHolders()
  return {
    bus,
    cache: createMemoryCache(),
    limiter: createMemoryLimiter(),
    holders,
    probes: {},
    close: () => bus.close(),
  }
}

/** @param url of Redis, or several of its cluster's nodes. @throws RedisRefused when it will not have us */
export async function joinByRedis(url: string, log: Log, metrics: Metrics): Promise<Instances> {
  const redis = await connectRedis(url, log, createBeatMeter(metrics))
  measureRedis(metrics, redis)
  const bus = createRedisBus(redis, log)
  const holders = createRedisHolders({ redis, log })
  await bus.subscribe([instancesTopic])
  return {
    bus,
    cache: createRedisCache({ redis, log }),
    limiter: createRedisLimiter({ redis, log }),
    holders,
    probes: { redis: () => redis.send('health', ['GET', 'health']) },
    async close() {
      await holders.close()
      await bus.close()
      await redis.close()
    },
  }
}
