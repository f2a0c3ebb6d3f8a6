/** Presence over several instances: one Redis knows who holds what, one bus tells all of them. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Bus } from '../../../src/bus/bus.ts'
import { createMemoryBus } from '../../../src/bus/memory.ts'
import { createRedisHolders } from '../../../src/cache/redis-holders.ts'
import type { Head } from '../../../src/features/chats/model.ts'
import { createPresence } from '../../../src/features/presence/service.ts'
import { createLog } from '../../../src/observability/log.ts'
import type { Redis } from '../../../src/redis/client.ts'
import { freshName, useRedis } from '../../cache/worlds.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'

const log = createLog('error', () => {})
const OFFLINE_AFTER_MS = 150

const world = useRedis()
let server: TestServer
const stops: (() => Promise<void>)[] = []
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => {
  for (const stop of stops) await stop()
  await server.stop()
})

const intimate = (chatId: string): Head[] => [{ chatId, type: 'dm', memberCount: 2, seq: 0, rev: 0 }]

interface Told {
  type: string
  user_id: string
  is_online?: boolean
  is_joined?: boolean
}

/** What anybody could hear, in order. */
function listen(bus: Bus) {
  const all: Told[] = []
  bus.onMessage(({ payload }) => all.push(JSON.parse(payload)))
  const states = (userId: string) =>
    all.filter(({ user_id }) => user_id === userId).map((told) => told.is_online ?? told.is_joined)
  return { all, states }
}

/** Instances on one bus. Each user has one chat, whose id is theirs, unless `headsOf` says otherwise. */
async function startInstances(
  count: number,
  headsOf: (userId: string) => Promise<Head[]> = async (id) => intimate(id),
) {
  const bus = createMemoryBus(log)
  const told = listen(bus)
  const instances = await Promise.all(
    Array.from({ length: count }, async () => {
      const redis = await world.connect()
      const line = { isCut: false, asked: 0 }
      const fail = () => Promise.reject(new Error('cut off'))
      const cuttable: Redis = {
        ...redis,
        isReady: () => !line.isCut && redis.isReady(),
        send: (...args) => (line.isCut ? fail() : redis.send(...args)),
        runScript(...args) {
          line.asked++
          return line.isCut ? fail() : redis.runScript(...args)
        },
      }
      const holders = createRedisHolders({ redis: cuttable, log, holdMs: 800, holdAnewMs: 200, lastHoldMs: 200 })
      const presence = createPresence({
        db: server.database.db,
        bus,
        log,
        holders,
        listHeads: headsOf,
        listBlockers: () => Promise.resolve(new Set<string>()),
        listBlockedBy: () => Promise.resolve([]),
        lastSeen: { touch() {} },
        offlineAfterMs: OFFLINE_AFTER_MS,
      })
      stops.push(async () => {
        presence.close()
        await holders.close()
      })
      return { presence, line }
    }),
  )
  const [first, second] = instances
  if (!first || !second) throw new Error('Two instances at least')
  return { told, first, second }
}

describe('online', () => {
  it('is told when the first socket on any instance opens, and some seconds after the last one closed', async () => {
    const { told, first, second } = await startInstances(2)
    const user = freshName()
    await first.presence.connected(user, intimate(user))
    await second.presence.connected(user, intimate(user))
    expect(told.states(user)).toEqual([true])
    first.presence.disconnected(user)
    await Bun.sleep(OFFLINE_AFTER_MS * 2)
    expect(told.states(user)).toEqual([true])
    expect([...(await first.presence.listOnline([user, freshName()]))]).toEqual([user])
    second.presence.disconnected(user)
    await until(() => told.states(user).length === 2)
    expect(told.states(user)).toEqual([true, false])
    expect([...(await first.presence.listOnline([user]))]).toEqual([])
  })

  it('does not flicker when a user comes back on another instance', async () => {
    const { told, first, second } = await startInstances(2)
    const user = freshName()
    await first.presence.connected(user, intimate(user))
    for (let round = 0; round < 3; round++) {
      const [from, to] = round % 2 ? [second, first] : [first, second]
      from.presence.disconnected(user)
      await Bun.sleep(20)
      await to.presence.connected(user, intimate(user))
      await Bun.sleep(OFFLINE_AFTER_MS * 2)
    }
    expect(told.states(user)).toEqual([true])
  })

  it('ends with the true word, however closely going here and coming there meet', async () => {
    const user = freshName()
    const headsOf = async () => {
      await Bun.sleep(Math.random() * 6)
      return intimate(user)
    }
    const { told, first, second } = await startInstances(2, headsOf)
    for (let round = 0; round < 30; round++) {
      await first.presence.connected(user, intimate(user))
      first.presence.disconnected(user)
      await Bun.sleep(OFFLINE_AFTER_MS - 4 + Math.random() * 8)
      await second.presence.connected(user, intimate(user))
      await Bun.sleep(15)
      expect(told.states(user).at(-1)).toBe(true)
      second.presence.disconnected(user)
      await until(() => told.states(user).at(-1) === false)
    }
  })

  it('of 50 is asked in one go', async () => {
    const { first } = await startInstances(2)
    await first.presence.listOnline([])
    first.line.asked = 0
    const answer = first.presence.listOnline(Array.from({ length: 50 }, freshName))
    // All of them are on their way before anything was answered.
    expect(first.line.asked).toBe(50)
    expect((await answer).size).toBe(0)
  })

  it('ends for those whose instance died, and is told to their chats', async () => {
    const { told, first, second } = await startInstances(2)
    const [gone, stays] = [freshName(), freshName()]
    await first.presence.connected(gone, intimate(gone))
    await first.presence.connected(stays, intimate(stays))
    await second.presence.connected(stays, intimate(stays))
    first.line.isCut = true
    await until(async () => {
      await second.presence.sweepDead()
      return told.states(gone).length > 1
    })
    expect(told.states(gone)).toEqual([true, false])
    expect(told.states(stays)).toEqual([true])
    expect([...(await second.presence.listOnline([gone, stays]))]).toEqual([stays])
    // It was only cut off: its sockets had been there all the time.
    first.line.isCut = false
    await until(() => told.states(gone).length > 2)
    expect(told.states(gone)).toEqual([true, false, true])
    expect([...(await second.presence.listOnline([gone, stays]))]).toEqual([gone, stays])
  })

  it('is made up for when somebody left while Redis was away', async () => {
    const { told, first, second } = await startInstances(2)
    const user = freshName()
    await first.presence.connected(user, intimate(user))
    first.line.isCut = true
    first.presence.disconnected(user)
    await until(() => told.states(user).length === 2)
    first.line.isCut = false
    // Told again: the first time nobody elsewhere may have heard it.
    await until(() => told.states(user).length === 3)
    expect(told.states(user)).toEqual([true, false, false])
    expect([...(await second.presence.listOnline([user]))]).toEqual([])
  })

  it('outlives that the chats of one cannot be read', async () => {
    const broken = freshName()
    const headsOf = async (id: string) => {
      if (id === broken) throw new Error('The database is away')
      return intimate(id)
    }
    const { told, first, second } = await startInstances(2, headsOf)
    const users = [freshName(), broken, freshName()]
    for (const user of users) await first.presence.connected(user, intimate(user))
    first.line.isCut = true
    await until(async () => {
      await second.presence.sweepDead()
      return users.filter((user) => told.states(user).length > 1).length === 2
    })
    expect(told.states(broken)).toEqual([true])
  })
})

describe('who looks at a chat', () => {
  async function addPeople() {
    const [owner, member, other] = [await server.addUser(), await server.addUser(), await server.addUser()]
    return { owner, member, other, chatId: await server.addGroup(owner, member, other) }
  }

  it('is answered of all instances, and told once of one with a device on each', async () => {
    const { owner, member, other, chatId } = await addPeople()
    const { told, first, second } = await startInstances(2)
    expect(await first.presence.joinChat(member.id, chatId)).toEqual([])
    expect(await second.presence.joinChat(member.id, chatId)).toEqual([])
    expect(await second.presence.joinChat(other.id, chatId)).toEqual([member.id])
    expect((await first.presence.joinChat(owner.id, chatId))?.sort()).toEqual([member.id, other.id].sort())
    await first.presence.leaveChat(member.id, chatId)
    expect(told.states(member.id)).toEqual([true])
    await second.presence.leaveChat(member.id, chatId)
    expect(told.states(member.id)).toEqual([true, false])
    expect(await second.presence.joinChat(owner.id, chatId)).toEqual([other.id])
  })

  it('ends with a dead instance, and the chat is told', async () => {
    const { member, other, chatId } = await addPeople()
    const { told, first, second } = await startInstances(2)
    await first.presence.joinChat(member.id, chatId)
    first.line.isCut = true
    await until(async () => {
      await second.presence.sweepDead()
      return told.states(member.id).length > 1
    })
    expect(told.states(member.id)).toEqual([true, false])
    expect(await second.presence.joinChat(other.id, chatId)).toEqual([])
  })

  it('is nobody in chats of more than 200 and in channels', async () => {
    const { owner, member, chatId } = await addPeople()
    const { told, first, second } = await startInstances(2)
    const { sql } = server.database
    await sql`update chats set member_count = 201 where id = ${chatId}`
    expect(await first.presence.joinChat(owner.id, chatId)).toBeUndefined()
    await sql`update chats set member_count = 3, type = 'channel' where id = ${chatId}`
    expect(await second.presence.joinChat(owner.id, chatId)).toBeUndefined()
    await sql`update chats set type = 'group' where id = ${chatId}`
    expect(await second.presence.joinChat(member.id, chatId)).toEqual([])
    expect(told.states(owner.id)).toEqual([])
  })

  it('is refused to strangers', async () => {
    const { chatId } = await addPeople()
    const { first } = await startInstances(2)
    const stranger = await server.addUser()
    await expect(first.presence.joinChat(stranger.id, chatId)).rejects.toMatchObject({ status: 404 })
  })
})
