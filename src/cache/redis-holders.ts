/**
 * The holders of all instances, in Redis. Each instance counts its own, tells Redis only of the first and the last, and
 * holds everything anew every 20 s; what it does not hold anew expires.
 */
import type { Log } from '../observability/log.ts'
import type { Redis, Script } from '../redis/client.ts'
import { ADD_HOLDS, ASK_HELD, BE_ALIVE, HOLD, HOLD_ANEW, LIST, RELEASE, TAKE_DEAD } from './holder-scripts.ts'
import type { Holders, Holding, HoldingState } from './holders.ts'
import * as keys from './keys.ts'
import { createLocalHolders } from './local-holders.ts'
import { createFaultLog } from './redis-faults.ts'

export interface RedisHoldersOptions {
  redis: Redis
  log: Log
  holdMs?: number
  holdAnewMs?: number
  lastHoldMs?: number
}

/** So many commands go out at once; then others have their turn. */
const BATCH = 500
/** Changes that wait for Redis; one that finds no place expires there like those of the dead. */
const MAX_LATE = 100_000

export function createRedisHolders(options: RedisHoldersOptions): Holders {
  const { redis, log, holdMs = keys.HOLD_MS, holdAnewMs = keys.HOLD_ANEW_MS, lastHoldMs = keys.LAST_HOLD_MS } = options
  const note = createFaultLog(log)
  const local = createLocalHolders()
  /** What Redis may know wrongly, by its entry: it changed while Redis was away, or while it was being written. */
  const late = new Map<string, Holding>()
  const listeners: ((states: HoldingState[]) => void)[] = []
  /** A new one for each life: what is cleared up of a former life does not touch this one. */
  let instance: string = Bun.randomUUIDv7()
  let renewing = Promise.resolve()
  let isClosed = false

  function remember(holding: Holding): void {
    if (late.size < MAX_LATE) late.set(toEntry(holding), holding)
  }

  /**
   * Whatever changes holders is sent whole: a script sent by its SHA-1 that Redis does not know would have to be sent
   * again, after what was sent since.
   */
  const change = ({ source }: Script, key: string, args: readonly string[]) =>
    redis.send(key, ['EVAL', source, '1', key, ...args])

  const addHolds = (entries: readonly string[]) =>
    change(ADD_HOLDS, keys.holdsKey(instance), [`${keys.HOLDS_KEY_MS}`, ...entries])

  async function hold(holding: Holding): Promise<boolean> {
    if (!local.add(holding)) return false
    const { group, member } = holding
    try {
      const [, wasHeld] = await Promise.all([
        addHolds([toEntry(holding)]),
        change(HOLD, keys.holdersKey(group), [member, instance, `${holdMs}`, `${keys.HOLDERS_KEY_MS}`]),
      ])
      if (!local.has(holding)) remember(holding)
      return wasHeld === 0
    } catch (error) {
      note(error)
      remember(holding)
      return true
    }
  }

  async function release(holding: Holding): Promise<boolean> {
    if (!local.remove(holding)) return false
    try {
      return await releaseFor(instance, holding)
    } catch (error) {
      note(error)
      remember(holding)
      return !local.has(holding)
    }
  }

  /** @returns whether nobody holds it any more @throws RedisAway */
  async function releaseFor(holder: string, holding: Holding): Promise<boolean> {
    const [isHeld] = await Promise.all([
      change(RELEASE, keys.holdersKey(holding.group), [holding.member, holder]),
      redis.send(keys.holdsKey(holder), ['SREM', keys.holdsKey(holder), toEntry(holding)]),
    ])
    return isHeld === 0
  }

  /**
   * Holds everything for `forMs` from now. Each batch is read as it is sent; yet what went to the wrong node of a cluster
   * is sent again, perhaps after what was released meanwhile: that is released once more.
   */
  async function holdAll(forMs: number): Promise<void> {
    for (const groups of batchesOf(local.groups())) {
      const held = groups.map((group) => ({ group, members: local.members(group) })).filter((g) => g.members.length > 0)
      const holdings = held.flatMap(({ group, members }) => members.map((member) => ({ group, member })))
      if (holdings.length === 0) continue
      const times = [`${forMs}`, `${keys.HOLDERS_KEY_MS}`]
      await Promise.all([
        addHolds(holdings.map(toEntry)),
        ...held.map(({ group, members }) =>
          change(HOLD_ANEW, keys.holdersKey(group), [instance, ...times, ...members]),
        ),
      ])
      for (const holding of holdings) if (!local.has(holding)) remember(holding)
    }
  }

  /** @throws RedisAway */
  async function beAlive(forMs: number): Promise<void> {
    const register = () =>
      redis.runScript(BE_ALIVE, keys.INSTANCES_KEY, [instance, `${forMs}`, `${keys.INSTANCES_KEY_MS}`])
    const wasTakenForDead = (await register()) === 1
    if (!wasTakenForDead) return
    instance = Bun.randomUUIDv7()
    // Everybody was told that these had ended.
    for (const group of local.groups()) for (const member of local.members(group)) remember({ group, member })
    await register()
  }

  async function renew(): Promise<void> {
    if (isClosed || !redis.isReady()) return
    try {
      await beAlive(holdMs)
      await holdAll(holdMs)
      await makeUp()
    } catch (error) {
      note(error)
    }
  }

  /** Tells Redis what it missed, and the listeners how that stands now. */
  async function makeUp(): Promise<void> {
    for (const holdings of batchesOf([...late.values()])) {
      for (const holding of holdings) late.delete(toEntry(holding))
      try {
        const states = await Promise.all(
          holdings.map(async (holding) => ({
            ...holding,
            isHeld: local.has(holding) || !(await releaseFor(instance, holding)) || local.has(holding),
          })),
        )
        report(states)
      } catch (error) {
        for (const holding of holdings) remember(holding)
        throw error
      }
    }
  }

  function report(states: HoldingState[]): void {
    if (states.length > 0) for (const listener of listeners) listener(states)
  }

  /** One after the other, each after the last. */
  function renewSoon(): Promise<void> {
    renewing = renewing.then(renew)
    return renewing
  }

  const timer = setInterval(renewSoon, holdAnewMs)
  redis.onReady(renewSoon)
  renewSoon()

  async function isHeld(holding: Holding): Promise<boolean> {
    if (local.has(holding)) return true
    if (!redis.isReady()) return false
    return (await redis.runScript(ASK_HELD, keys.holdersKey(holding.group), [holding.member])) === 1
  }

  return {
    hold,
    release,

    async list(group, limit) {
      const here = local.members(group)
      try {
        const found = redis.isReady() ? await redis.runScript(LIST, keys.holdersKey(group), [`${limit}`]) : []
        return [...new Set([...here, ...toStrings(found)])].slice(0, limit)
      } catch (error) {
        note(error)
        return here.slice(0, limit)
      }
    },

    async areHeld(holdings) {
      try {
        return await Promise.all(holdings.map(isHeld))
      } catch (error) {
        note(error)
        return holdings.map(local.has)
      }
    },

    async sweepDead() {
      if (!redis.isReady()) return []
      try {
        const dead = toStrings(await redis.runScript(TAKE_DEAD, keys.INSTANCES_KEY, [`${keys.INSTANCES_KEY_MS}`]))
        const ended = (await Promise.all(dead.map(releaseAllOf))).flat()
        return [...new Map(ended.map((holding) => [toEntry(holding), holding])).values()]
      } catch (error) {
        note(error)
        return []
      }
    },

    onLate: (listener) => void listeners.push(listener),

    async close() {
      clearInterval(timer)
      isClosed = true
      await renewing
      if (!redis.isReady()) return
      await holdAll(lastHoldMs)
        .then(() => beAlive(lastHoldMs))
        .catch(note)
    },
  }

  /** @returns what nobody holds any more @throws RedisAway */
  async function releaseAllOf(deadInstance: string): Promise<Holding[]> {
    const key = keys.holdsKey(deadInstance)
    const ended: Holding[] = []
    for (const entries of batchesOf(toStrings(await redis.send(key, ['SMEMBERS', key])))) {
      const holdings = entries.map(fromEntry)
      const areOver = await Promise.all(holdings.map((holding) => releaseFor(deadInstance, holding)))
      ended.push(...holdings.filter((_, index) => areOver[index]))
    }
    return ended
  }
}

const toEntry = ({ group, member }: Holding): string => `${group} ${member}`

function fromEntry(entry: string): Holding {
  const [group = '', member = ''] = entry.split(' ')
  return { group, member }
}

const toStrings = (reply: unknown): string[] => (Array.isArray(reply) ? reply.map(String) : [])

function batchesOf<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_, n) => items.slice(n * BATCH, (n + 1) * BATCH))
}
