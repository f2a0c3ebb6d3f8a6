/** What every cache guarantees, in process and in Redis. */
import { describe, expect, it } from 'bun:test'
import { type Cache, remember } from '../../src/cache/cache.ts'
import { createMemoryCache } from '../../src/cache/memory-cache.ts'
import { createRedisCache } from '../../src/cache/redis-cache.ts'
import type { Redis } from '../../src/redis/client.ts'
import { until } from '../support/until.ts'
import { createTestLog, freshName, useRedis } from './worlds.ts'

const { log } = createTestLog()

/** `connect` gives another instance's cache; the same where there is only one instance. */
function describeCache(name: string, connect: () => Promise<Cache>): void {
  describe(name, () => {
    const readAll = async (caches: readonly Cache[], key: string) =>
      Promise.all(caches.map(async (cache) => (await cache.get(key)).value))

    async function fill(cache: Cache, key: string, value: string, ttlSeconds = 60): Promise<void> {
      const { permit } = await cache.get(key)
      await cache.set(key, value, ttlSeconds, permit)
    }

    it('keeps what was loaded, for every instance', async () => {
      const caches = [await connect(), await connect()] as const
      const key = freshName()
      for (const value of ['', 'null', '?', '=', 'ünï "😀"\n', 'x'.repeat(100_000)]) {
        await fill(caches[0], key, value)
        expect(await readAll(caches, key)).toEqual([value, value])
        await caches[1].forget(key)
        expect(await readAll(caches, key)).toEqual([undefined, undefined])
      }
    })

    it('never keeps what was read before forgetting, however late it comes', async () => {
      const [reader, writer] = [await connect(), await connect()]
      const key = freshName()
      let row = 'old'
      const { permit } = await reader.get(key)
      const read = row
      row = 'new'
      await writer.forget(key)
      await reader.set(key, read, 60, permit)
      expect(await readAll([reader, writer], key)).toEqual([undefined, undefined])
      await fill(writer, key, row)
      await reader.set(key, read, 60, permit)
      expect(await readAll([reader, writer], key)).toEqual(['new', 'new'])
    })

    it('answers no older value after forgetting, whoever reads and writes meanwhile', async () => {
      const caches = [await connect(), await connect()]
      const key = freshName()
      let row = 0
      /** The newest version whose forgetting has resolved. */
      let forgotten = 0
      let isOver = false
      let hits = 0
      const read = async (cache: Cache) => {
        while (!isOver) {
          const atLeast = forgotten
          const { value, permit } = await cache.get(key)
          if (value === undefined) {
            const loaded = row
            await Bun.sleep(Math.random() * 3)
            await cache.set(key, `${loaded}`, 60, permit)
          } else {
            hits++
            expect(Number(value)).toBeGreaterThanOrEqual(atLeast)
          }
          await Bun.sleep(0)
        }
      }
      const write = async (cache: Cache) => {
        while (!isOver) {
          const version = ++row
          await cache.forget(key)
          forgotten = Math.max(forgotten, version)
          await Bun.sleep(Math.random() * 8)
        }
      }
      const end = Bun.sleep(1500)
        .then(() => until(() => hits > 100 && forgotten > 50, 'much was read and written'))
        .finally(() => {
          isOver = true
        })
      await Promise.all([end, ...caches.flatMap((cache) => [read(cache), read(cache), read(cache), write(cache)])])
    })

    it('keeps nothing longer than asked for, counted from before it was loaded', async () => {
      const cache = await connect()
      const key = freshName()
      const { permit } = await cache.get(key)
      await Bun.sleep(1500)
      await cache.set(key, 'value', 3, permit)
      expect((await cache.get(key)).value).toBe('value')
      await Bun.sleep(1600)
      expect((await cache.get(key)).value).toBeUndefined()
    })

    it('does not keep what took longer to load than it may live', async () => {
      const cache = await connect()
      const key = freshName()
      const { permit } = await cache.get(key)
      await Bun.sleep(1100)
      await cache.set(key, 'value', 1, permit)
      expect((await cache.get(key)).value).toBeUndefined()
    })

    it('sets nothing without a good permit', async () => {
      const cache = await connect()
      const key = freshName()
      await cache.set(key, 'value', 60, undefined)
      await cache.set(key, 'value', 60, 'of my own')
      await cache.get(key)
      await cache.set(key, 'value', 60, 'of my own')
      expect((await cache.get(key)).value).toBeUndefined()
      await fill(cache, key, 'first')
      const { permit } = await cache.get(freshName())
      await cache.set(key, 'value', 60, permit)
      expect((await cache.get(key)).value).toBe('first')
    })

    it('replaces whatever is there, for as long as asked', async () => {
      const caches = [await connect(), await connect()] as const
      const key = freshName()
      await caches[0].replace(key, 'first', 60)
      expect(await readAll(caches, key)).toEqual(['first', 'first'])
      await caches[1].replace(key, 'second', 60)
      expect(await readAll(caches, key)).toEqual(['second', 'second'])
      const other = freshName()
      const { permit } = await caches[0].get(other)
      await caches[1].replace(other, 'replaced', 1)
      await caches[0].set(other, 'loaded', 60, permit)
      expect(await readAll(caches, other)).toEqual(['replaced', 'replaced'])
      await Bun.sleep(1100)
      expect(await readAll(caches, other)).toEqual([undefined, undefined])
    })

    it('recalls at most what it would answer', async () => {
      const cache = await connect()
      const key = freshName()
      expect(cache.recall(key)).toBeUndefined()
      const { permit } = await cache.get(key)
      expect(cache.recall(key)).toBeUndefined()
      await cache.set(key, 'value', 60, permit)
      expect([undefined, 'value']).toContain(cache.recall(key))
      await cache.forget(key)
      expect(cache.recall(key)).toBeUndefined()
      expect((await cache.get(key)).value).toBeUndefined()
    })

    it('forgets what was never there', async () => {
      await (await connect()).forget(freshName())
    })

    it('remembers: loads once, and again after forgetting; keeps neither undefined nor a failure', async () => {
      const cache = await connect()
      const key = freshName()
      let loads = 0
      const load = async () => `${++loads}`
      expect([await remember(cache, key, 60, load), await remember(cache, key, 60, load)]).toEqual(['1', '1'])
      await cache.forget(key)
      expect(await remember(cache, key, 60, load)).toBe('2')
      const other = freshName()
      expect(await remember(cache, other, 60, () => Promise.resolve(undefined))).toBeUndefined()
      const failing = remember(cache, other, 60, () => Promise.reject(new Error('no database')))
      await expect(failing).rejects.toThrow('no database')
      expect(await remember(cache, other, 60, load)).toBe('3')
    })
  })
}

const alone = createMemoryCache()
describeCache('the cache in process', async () => alone)

describe('the cache in process', () => {
  it('stays within its bounds: what was not used for longest goes first', async () => {
    const cache = createMemoryCache({ maxBytes: 100_000 })
    const load = (key: string) => remember(cache, key, 60, async () => 'x'.repeat(1000))
    for (let n = 0; n < 200; n++) {
      await load(`${n}`)
      await load('often')
    }
    expect((await cache.get('often')).value).toBeDefined()
    expect((await cache.get('199')).value).toBeDefined()
    expect((await cache.get('0')).value).toBeUndefined()
    await remember(cache, 'too big', 60, async () => 'x'.repeat(60_000))
    expect((await cache.get('too big')).value).toBeUndefined()
  })
})

describe('with Redis', () => {
  const world = useRedis()
  const connect = async () => createRedisCache({ redis: await world.connect(), log })
  describeCache('the cache in Redis', connect)

  it('leaves no key that does not expire', async () => {
    const cache = await connect()
    const [value, lease] = [freshName(), freshName()]
    await remember(cache, value, 1_000_000, async () => 'value')
    await cache.get(lease)
    expect(Number(await world.server.cli('pttl', value))).toBeWithin(1_700_000, 1_800_001)
    expect(Number(await world.server.cli('pttl', lease))).toBeWithin(9000, 10_001)
  })

  it('FLUSHALL costs a loading, nothing else', async () => {
    const cache = await connect()
    const key = freshName()
    const { permit } = await cache.get(key)
    await world.server.cli('flushall')
    await cache.set(key, 'of before', 60, permit)
    expect(await remember(cache, key, 60, async () => 'loaded')).toBe('loaded')
    expect((await cache.get(key)).value).toBe('loaded')
  })
})

describe('with a Redis cluster', () => {
  const world = useRedis('cluster')
  describeCache('the cache in a cluster', async () => createRedisCache({ redis: await world.connect(), log }))
})

describe('while Redis is away', () => {
  const world = useRedis()

  it('every reading loads, and what is forgotten meanwhile is made up for before anything is read', async () => {
    const redis = await world.connect()
    const cache = createRedisCache({ redis, log })
    const keys = Array.from({ length: 50 }, freshName)
    for (const key of keys) await remember(cache, key, 60, async () => 'old')
    world.server.freeze()
    await Promise.all(keys.map(cache.forget))
    expect(await remember(cache, keys[0] ?? '', 60, async () => 'new')).toBe('new')
    world.server.thaw()
    // Frozen, it kept the old values; whatever is answered from now on is none of them.
    let kept = 0
    await until(async () => {
      const values = await Promise.all(keys.map((key) => remember(cache, key, 60, async () => 'new')))
      expect(values.filter((value) => value === 'old')).toEqual([])
      kept = (await Promise.all(keys.map(cache.get))).filter(({ value }) => value === 'new').length
      return kept === keys.length
    })
  })

  it('goes on when Redis comes back empty', async () => {
    const redis = await world.connect()
    const cache = createRedisCache({ redis, log })
    const key = freshName()
    await remember(cache, key, 60, async () => 'old')
    await world.server.kill()
    await cache.forget(key)
    expect(await cache.get(key)).toEqual({ permit: undefined })
    await cache.set(key, 'lost', 60, 'a permit')
    await world.server.start()
    await until(async () => {
      expect(await remember(cache, key, 60, async () => 'new')).toBe('new')
      return (await cache.get(key)).value === 'new'
    })
  })

  it('does not read what it could not forget, also when Redis is there otherwise', async () => {
    const redis = await world.connect()
    let isRefusing = true
    const refusing: Redis = {
      ...redis,
      send: (key, command) =>
        command[0] === 'DEL' && isRefusing ? Promise.reject(new Error('OOM')) : redis.send(key, command),
    }
    const cache = createRedisCache({ redis: refusing, log })
    const key = freshName()
    await remember(cache, key, 60, async () => 'old')
    await cache.forget(key)
    for (let n = 0; n < 5; n++) expect(await remember(cache, key, 60, async () => 'new')).toBe('new')
    isRefusing = false
    await until(async () => {
      await remember(cache, key, 60, async () => 'kept')
      return (await cache.get(key)).value === 'kept'
    })
  })

  it('trusts nothing older than the outage when more is forgotten than can be remembered', async () => {
    const redis = await world.connect()
    const cache = createRedisCache({ redis, log })
    const keys = Array.from({ length: 10_100 }, freshName)
    const last = keys.at(-1) ?? ''
    await remember(cache, last, 300, async () => 'old')
    world.server.freeze()
    await until(() => !redis.isReady() || cache.get(freshName()).then(({ permit }) => permit === undefined))
    await Promise.all(keys.map(cache.forget))
    world.server.thaw()
    await until(() => redis.isReady())
    await Bun.sleep(300)
    expect((await cache.get(last)).value).toBeUndefined()
    expect(await remember(cache, last, 300, async () => 'new')).toBe('new')
  })
})
