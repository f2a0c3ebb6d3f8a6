/** What the instances of one database have in common, in Redis: loaded only where there is one, for it takes 9 MB. */
import { createRedisBus } from '../bus/redis.ts'
import { instancesTopic } from '../bus/topics.ts'
import { createRedisCache } from '../cache/redis-cache.ts'
import { createRedisHolders } from '../cache/redis-holders.ts'
import { createRedisLimiter } from '../cache/redis-limiter.ts'
import type { Log } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import { connectRedis } from '../redis/client.ts'
import { createBeatMeter, measureRedis } from '../redis/measure.ts'
import type { Instances } from './instances.ts'

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
