/** The holders in process and in Redis; what becomes of them when an instance or Redis dies. */
import { afterEach, describe, expect, it } from 'bun:test'
import { HOLD_ANEW } from '../../src/cache/holder-scripts.ts'
import type { Holders, Holding, HoldingState } from '../../src/cache/holders.ts'
import { createMemoryHolders } from '../../src/cache/memory-holders.ts'
import { createRedisHolders, type RedisHoldersOptions } from '../../src/cache/redis-holders.ts'
import type { Redis } from '../../src/redis/client.ts'
import { until } from '../support/until.ts'
import { describeHolders } from './holders-contract.ts'
import { createTestLog, freshName, type RedisWorld, useRedis } from './worlds.ts'

const { log } = createTestLog()
const fresh = () => ({ group: freshName(), member: freshName() })

const alone = createMemoryHolders()
describeHolders('the holders in process', async () => alone)

const open = new Set<Holders>()
afterEach(async () => {
  for (const holders of open) await holders.close()
  open.clear()
})

/** Times so short that a test sees them pass. */
const SHORT = { holdMs: 600, holdAnewMs: 150, lastHoldMs: 300 }

/** An instance, and the ways in which it may fall silent. */
async function start(world: RedisWorld, times: Partial<RedisHoldersOptions> = SHORT) {
  const redis = await world.connect()
  let isCut = false
  const cut: Redis = {
    ...redis,
    isReady: () => !isCut && redis.isReady(),
    send: (...args) => (isCut ? Promise.reject(new Error('cut off')) : redis.send(...args)),
    runScript: (...args) => (isCut ? Promise.reject(new Error('cut off')) : redis.runScript(...args)),
  }
  const holders = createRedisHolders({ redis: cut, log, ...times })
  open.add(holders)
  const late: HoldingState[] = []
  holders.onLate((states) => late.push(...states))
  return {
    holders,
    late,
    setCut(isNowCut: boolean) {
      isCut = isNowCut
    },
  }
}

/** Sweeps until so many of `all` have ended. Other tests leave their dead too. @returns which */
async function sweep(holders: Holders, all: readonly Holding[], count = all.length): Promise<Holding[]> {
  const groups = new Set(all.map(({ group }) => group))
  const ended: Holding[] = []
  await until(async () => {
    ended.push(...(await holders.sweepDead()).filter(({ group }) => groups.has(group)))
    return ended.length >= count
  })
  return ended
}

const isHeld = async (holders: Holders, one: { group: string; member: string }) =>
  (await holders.areHeld([one]))[0] === true

describe('with Redis', () => {
  const world = useRedis()
  describeHolders('the holders in Redis', async () => (await start(world, {})).holders)

  it('are held as long as their instance lives', async () => {
    const [here, there] = [await start(world), await start(world)]
    const one = fresh()
    await here.holders.hold(one)
    for (let n = 0; n < 10; n++) {
      await Bun.sleep(150)
      expect(await isHeld(there.holders, one)).toBe(true)
      expect(await there.holders.list(one.group, 9)).toEqual([one.member])
    }
  })

  it('end soon after the death of their instance, and one of those who sweep is told', async () => {
    const [here, there, third] = [await start(world), await start(world), await start(world)]
    const [lonely, shared] = [fresh(), fresh()]
    await here.holders.hold(lonely)
    await here.holders.hold(shared)
    await there.holders.hold(shared)
    here.setCut(true)
    expect(await isHeld(there.holders, lonely)).toBe(true)
    await until(async () => !(await isHeld(there.holders, lonely)))
    expect(await there.holders.list(lonely.group, 9)).toEqual([])
    await Bun.sleep(200)
    const swept = await Promise.all([there.holders.sweepDead(), third.holders.sweepDead()])
    const mine = [lonely, shared].map(({ group }) => group)
    expect(swept.flat().filter(({ group }) => mine.includes(group))).toEqual([lonely])
    expect(await sweep(there.holders, [lonely, shared], 0)).toEqual([])
    expect(await isHeld(third.holders, shared)).toBe(true)
    expect(await there.holders.release(shared)).toBe(true)
  })

  it('are told when all their instances died together', async () => {
    const [a, b, sweeper] = [await start(world), await start(world), await start(world)]
    const one = fresh()
    await a.holders.hold(one)
    await b.holders.hold(one)
    a.setCut(true)
    b.setCut(true)
    await Bun.sleep(SHORT.holdMs + 300)
    expect(await sweep(sweeper.holders, [one])).toEqual([one])
    expect(await sweep(sweeper.holders, [one], 0)).toEqual([])
  })

  it('of one taken for dead that comes back are held and told again', async () => {
    const [here, there] = [await start(world), await start(world)]
    const [stays, goes] = [fresh(), fresh()]
    await here.holders.hold(stays)
    await here.holders.hold(goes)
    here.setCut(true)
    await sweep(there.holders, [stays, goes])
    await here.holders.release(goes)
    here.setCut(false)
    await until(() => here.late.length >= 2)
    expect(here.late).toContainEqual({ ...stays, isHeld: true })
    expect(here.late).toContainEqual({ ...goes, isHeld: false })
    expect(await there.holders.areHeld([stays, goes])).toEqual([true, false])
    expect(await sweep(there.holders, [stays, goes], 0)).toEqual([])
    expect(await here.holders.release(stays)).toBe(true)
  })

  it('of an instance that stops are left for a moment, so that their users may come back elsewhere', async () => {
    const [here, there] = [await start(world, { ...SHORT, holdMs: 60_000 }), await start(world)]
    const [back, gone] = [fresh(), fresh()]
    await here.holders.hold(back)
    await here.holders.hold(gone)
    await here.holders.close()
    expect(await there.holders.hold(back)).toBe(false)
    await until(async () => !(await isHeld(there.holders, gone)))
    expect(await sweep(there.holders, [back, gone], 1)).toEqual([gone])
    expect(await isHeld(there.holders, back)).toBe(true)
  })

  it('do not outlive a release when Redis forgot its scripts just then', async () => {
    const [here, there] = [await start(world, { holdAnewMs: 20 }), await start(world, {})]
    for (let round = 0; round < 60; round++) {
      const all = Array.from({ length: 5 }, fresh)
      await Promise.all(all.map(here.holders.hold))
      await world.server.cli('script', 'flush')
      await Promise.all(all.map(here.holders.release))
      await until(async () => (await there.holders.areHeld(all)).every((isIt) => !isIt))
    }
  })

  it('are written again when Redis was flushed', async () => {
    const [here, there] = [await start(world), await start(world)]
    const all = Array.from({ length: 1200 }, fresh)
    await Promise.all(all.map(here.holders.hold))
    await world.server.cli('flushall')
    await until(async () => (await there.holders.areHeld(all)).every(Boolean))
    expect(here.late).toEqual([])
    // Also for whoever clears up after this one.
    here.setCut(true)
    expect(await sweep(there.holders, all)).toHaveLength(all.length)
  })

  it('end also when they were being held anew while they were released, and that arrives last', async () => {
    const there = await start(world)
    const redis = await world.connect()
    const isOnItsWay = Promise.withResolvers<void>()
    const arrives = Promise.withResolvers<void>()
    const hasArrived = Promise.withResolvers<void>()
    const roundabout: Redis = {
      ...redis,
      async send(key, command) {
        if (command[1] !== HOLD_ANEW.source) return redis.send(key, command)
        isOnItsWay.resolve()
        await arrives.promise
        return redis.send(key, command).finally(hasArrived.resolve)
      },
    }
    const holders = createRedisHolders({ redis: roundabout, log, holdAnewMs: 100 })
    open.add(holders)
    const one = fresh()
    await holders.hold(one)
    await isOnItsWay.promise
    expect(await holders.release(one)).toBe(true)
    arrives.resolve()
    await hasArrived.promise
    await until(async () => !(await isHeld(there.holders, one)))
  })

  it('leave no key that does not expire', async () => {
    const { holders } = await start(world, {})
    await holders.hold(fresh())
    await until(async () => (await world.server.cli('exists', 'instances')) === '1')
    for (const key of (await world.server.cli('keys', '*')).split('\n'))
      expect([key, Number(await world.server.cli('ttl', key)) > 0]).toEqual([key, true])
  })
})

describe('with a Redis cluster', () => {
  const world = useRedis('cluster')
  describeHolders('the holders in a cluster', async () => (await start(world, {})).holders)

  it('end with their instance there too', async () => {
    const [here, there] = [await start(world), await start(world)]
    const all = Array.from({ length: 20 }, fresh)
    await Promise.all(all.map(here.holders.hold))
    here.setCut(true)
    expect(await sweep(there.holders, all)).toHaveLength(20)
  })
})

describe('while Redis is away', () => {
  const world = useRedis()

  it('what is held here is all that is known; the others learn of it when it is back', async () => {
    const [here, there] = [await start(world, {}), await start(world, {})]
    const [before, meanwhile, released, elsewhere] = [fresh(), fresh(), fresh(), fresh()]
    await here.holders.hold(before)
    await here.holders.hold(released)
    await there.holders.hold(elsewhere)
    await world.server.kill()
    expect(await here.holders.hold(meanwhile)).toBe(true)
    expect(await here.holders.release(released)).toBe(true)
    const all = [before, meanwhile, released, elsewhere]
    expect(await here.holders.areHeld(all)).toEqual([true, true, false, false])
    expect(await here.holders.list(meanwhile.group, 9)).toEqual([meanwhile.member])
    expect(await here.holders.list(elsewhere.group, 9)).toEqual([])
    expect(await here.holders.sweepDead()).toEqual([])
    await world.server.start()
    await until(async () => (await there.holders.areHeld(all)).filter(Boolean).length === 3)
    expect(await there.holders.areHeld(all)).toEqual([true, true, false, true])
    // Only what changed is told: not everybody anew.
    await until(() => here.late.length >= 2)
    expect(here.late).toHaveLength(2)
    expect(here.late).toContainEqual({ ...meanwhile, isHeld: true })
    expect(here.late).toContainEqual({ ...released, isHeld: false })
    expect(there.late).toEqual([])
  })

  it('a release that a frozen Redis did not hear of is made up for', async () => {
    const [here, there] = [await start(world, { holdAnewMs: 200 }), await start(world, {})]
    const one = fresh()
    await here.holders.hold(one)
    world.server.freeze()
    expect(await here.holders.release(one)).toBe(true)
    world.server.thaw()
    await until(async () => !(await isHeld(there.holders, one)))
    await until(() => here.late.length > 0)
    expect(here.late).toEqual([{ ...one, isHeld: false }])
  })
})
