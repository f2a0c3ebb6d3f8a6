/** What every rate limiter guarantees, in process and in Redis. */
import { describe, expect, it } from 'bun:test'
import type { RateLimiter } from '../../src/cache/limiter.ts'
import { createMemoryLimiter } from '../../src/cache/memory-limiter.ts'
import { createRedisLimiter } from '../../src/cache/redis-limiter.ts'
import type { Redis } from '../../src/redis/client.ts'
import { until } from '../support/until.ts'
import { createTestLog, freshName, useRedis } from './worlds.ts'

const { log } = createTestLog()

function describeLimiter(name: string, createLimiter: () => Promise<RateLimiter>): void {
  describe(name, () => {
    const hits = async (
      limiter: RateLimiter,
      key: string,
      count: number,
      limit: { count: number; periodSeconds: number },
    ) => {
      const answers: number[] = []
      for (let n = 0; n < count; n++) answers.push(await limiter.hit(key, limit))
      return answers
    }

    it('allows as many at once as the limit says, then answers the seconds to wait', async () => {
      const limiter = await createLimiter()
      expect(await hits(limiter, freshName(), 7, { count: 5, periodSeconds: 60 })).toEqual([0, 0, 0, 0, 0, 12, 12])
      expect(await hits(limiter, freshName(), 2, { count: 1, periodSeconds: 3600 })).toEqual([0, 3600])
    })

    it('never lets more through when they come at once', async () => {
      const limiter = await createLimiter()
      const key = freshName()
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => limiter.hit(key, { count: 10, periodSeconds: 60 })),
      )
      expect(answers.filter((seconds) => seconds === 0)).toHaveLength(10)
    })

    it('allows one more after each share of the period, and all after the whole', async () => {
      const limiter = await createLimiter()
      const key = freshName()
      const limit = { count: 4, periodSeconds: 4 }
      expect(await hits(limiter, key, 5, limit)).toEqual([0, 0, 0, 0, 1])
      await Bun.sleep(1100)
      expect(await hits(limiter, key, 2, limit)).toEqual([0, 1])
      await Bun.sleep(4000)
      expect(await hits(limiter, key, 5, limit)).toEqual([0, 0, 0, 0, 1])
    })

    it('is not prolonged by what it refuses', async () => {
      const limiter = await createLimiter()
      const key = freshName()
      const limit = { count: 2, periodSeconds: 1 }
      await hits(limiter, key, 50, limit)
      await Bun.sleep(550)
      expect(await limiter.hit(key, limit)).toBe(0)
    })

    it('counts each key apart', async () => {
      const limiter = await createLimiter()
      const limit = { count: 1, periodSeconds: 60 }
      expect(await hits(limiter, freshName(), 2, limit)).toEqual([0, 60])
      expect(await hits(limiter, freshName(), 2, limit)).toEqual([0, 60])
    })

    it('takes a limit that is raised in between', async () => {
      const limiter = await createLimiter()
      const key = freshName()
      expect(await hits(limiter, key, 3, { count: 2, periodSeconds: 60 })).toEqual([0, 0, 30])
      await Bun.sleep(10)
      expect(await limiter.hit(key, { count: 60_000, periodSeconds: 60 })).toBe(0)
    })
  })
}

describeLimiter('the limiter in process', async () => createMemoryLimiter())

describe('with Redis', () => {
  const world = useRedis()
  describeLimiter('the limiter in Redis', async () => createRedisLimiter({ redis: await world.connect(), log }))

  it('counts for all instances together', async () => {
    const [here, there] = [await world.connect(), await world.connect()].map((redis) =>
      createRedisLimiter({ redis, log }),
    )
    const key = freshName()
    const limit = { count: 10, periodSeconds: 60 }
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 ? here : there)?.hit(key, limit)))
    expect(answers.filter((seconds) => seconds === 0)).toHaveLength(10)
  })

  it('leaves no key behind', async () => {
    const limiter = createRedisLimiter({ redis: await world.connect(), log })
    const key = freshName()
    await limiter.hit(key, { count: 10, periodSeconds: 1 })
    const ttlMs = Number(await world.server.cli('pttl', `limit:${key}`))
    expect(ttlMs).toBeGreaterThan(0)
    expect(ttlMs).toBeLessThanOrEqual(100)
    await until(async () => (await world.server.cli('exists', `limit:${key}`)) === '0')
  })

  it('says in the log what Redis refuses, once, and goes on', async () => {
    const { lines, log: listening } = createTestLog()
    const refusing: Redis = { ...(await world.connect()), runScript: () => Promise.reject(new Error('OOM')) }
    const limiter = createRedisLimiter({ redis: refusing, log: listening })
    const key = freshName()
    const answers = [
      await limiter.hit(key, { count: 1, periodSeconds: 9 }),
      await limiter.hit(key, { count: 1, periodSeconds: 9 }),
    ]
    expect(answers).toEqual([0, 9])
    expect(lines).toHaveLength(1)
  })
})

describe('with a Redis cluster', () => {
  const world = useRedis('cluster')
  describeLimiter('the limiter in a cluster', async () => createRedisLimiter({ redis: await world.connect(), log }))
})

describe('while Redis is away', () => {
  const world = useRedis()
  it('limits go on in each instance, and together again when it is back', async () => {
    const [here, there] = [await world.connect(), await world.connect()].map((redis) =>
      createRedisLimiter({ redis, log }),
    )
    if (!here || !there) throw new Error('no limiters')
    const limit = { count: 2, periodSeconds: 60 }
    const hitBoth = async (key: string) => [
      await here.hit(key, limit),
      await there.hit(key, limit),
      await here.hit(key, limit),
    ]
    expect(await hitBoth(freshName())).toEqual([0, 0, 30])
    await world.server.kill()
    const key = freshName()
    expect(await hitBoth(key)).toEqual([0, 0, 0])
    expect(await here.hit(key, limit)).toBe(30)
    await world.server.start()
    await until(async () => (await hitBoth(freshName()))[2] === 30)
  })

  it('a frozen one holds up nobody for long', async () => {
    const limiter = createRedisLimiter({ redis: await world.connect(), log })
    const key = freshName()
    const limit = { count: 1, periodSeconds: 60 }
    world.server.freeze()
    const answers = [await limiter.hit(key, limit), await limiter.hit(key, limit)]
    world.server.thaw()
    expect(answers).toEqual([0, 60])
  })
})
