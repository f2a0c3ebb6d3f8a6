/** How Redis is, and how long a message takes through it. */
import { LATENCIES, type Metrics } from '../observability/metrics.ts'
import type { Redis } from './client.ts'

/** For `connectRedis`: told of each beat that came back, in milliseconds. */
export function createBeatMeter(metrics: Metrics): (ms: number) => void {
  const seconds = metrics.histogram(
    'messenger_bus_round_trip_seconds',
    'From publishing on Redis to hearing it: the way of a message to another instance, tried every 3 s by one clock.',
    LATENCIES,
  )
  return (ms) => seconds.observe(ms / 1000)
}

export function measureRedis(metrics: Metrics, redis: Redis): void {
  metrics.gauge('messenger_redis_up', 'Whether Redis answers: 1 or 0.', () => (redis.isReady() ? 1 : 0))
  metrics.gauge('messenger_bus_queue', 'Commands that Redis has not answered yet.', redis.unanswered)
  metrics.gauge('messenger_redis_memory_bytes', 'Memory that Redis uses; of a cluster, one node.', () =>
    readInfo(redis, 'used_memory'),
  )
  metrics.gauge(
    'messenger_redis_max_memory_bytes',
    'The most that Redis may use; absent without a limit.',
    async () => {
      const bytes = await readInfo(redis, 'maxmemory')
      return bytes === 0 ? undefined : bytes
    },
  )
}

async function readInfo(redis: Redis, field: string): Promise<number | undefined> {
  const text = String(await redis.send('health', ['INFO', 'memory']))
  const found = new RegExp(`^${field}:(\\d+)`, 'm').exec(text)
  return found ? Number(found[1]) : undefined
}
