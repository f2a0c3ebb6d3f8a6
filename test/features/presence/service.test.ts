/** Races of presence that no client can bring about at will. */
import { describe, expect, it } from 'bun:test'
import type { Bus } from '../../../src/bus/bus.ts'
import { createMemoryBus } from '../../../src/bus/memory.ts'
import type { Holders } from '../../../src/cache/holders.ts'
import { createMemoryHolders } from '../../../src/cache/memory-holders.ts'
import { connectDatabase } from '../../../src/db/client.ts'
import type { Head } from '../../../src/features/chats/model.ts'
import { createPresence } from '../../../src/features/presence/service.ts'
import { createLog } from '../../../src/observability/log.ts'

const log = createLog('error', () => {})
const chats: Head[] = [{ chatId: 'a', type: 'dm', memberCount: 2, seq: 0, rev: 0 }]

function createInstance(bus: Bus, holders: Holders, listHeads: () => Promise<Head[]>) {
  // Never connected to: these cases ask the database nothing.
  const { db } = connectDatabase({ url: 'postgres://nobody@localhost:1/none', poolMax: 1, name: 'none' })
  const listBlockers = () => Promise.resolve(new Set<string>())
  const listBlockedBy = () => Promise.resolve([])
  const lastSeen = { touch() {} }
  return createPresence({ db, bus, log, holders, listHeads, listBlockers, listBlockedBy, lastSeen, offlineAfterMs: 20 })
}

function createWorld() {
  const bus = createMemoryBus(log)
  const told: boolean[] = []
  bus.onMessage(({ payload }) => told.push(JSON.parse(payload).is_online))
  const questions: PromiseWithResolvers<Head[]>[] = []
  const listHeads = () => {
    const question = Promise.withResolvers<Head[]>()
    questions.push(question)
    return question.promise
  }
  const presence = createInstance(bus, createMemoryHolders(), listHeads)
  const asked = async (count: number) => {
    for (let i = 0; i < 200 && questions.length < count; i++) await Bun.sleep(1)
    expect(questions).toHaveLength(count)
  }
  return { presence, told, questions, asked }
}

describe('going offline', () => {
  it('is not the last word on one who came back while their chats were read', async () => {
    const { presence, told, questions, asked } = createWorld()
    await presence.connected('u', chats)
    presence.disconnected('u')
    await asked(1)
    await presence.connected('u', chats)
    questions[0]?.resolve(chats)
    await Bun.sleep(5)
    expect(told.at(-1)).toBe(true)
    expect([...(await presence.listOnline(['u', 'v']))]).toEqual(['u'])
  })

  it('is told once, later, of one who came back and went again meanwhile', async () => {
    const { presence, told, questions, asked } = createWorld()
    await presence.connected('u', chats)
    presence.disconnected('u')
    await asked(1)
    await presence.connected('u', chats)
    presence.disconnected('u')
    questions[0]?.resolve(chats)
    await Bun.sleep(5)
    expect(told.at(-1)).toBe(true)
    await asked(2)
    questions[1]?.resolve(chats)
    await Bun.sleep(5)
    expect(told.filter((isOnline) => !isOnline)).toHaveLength(1)
    expect(told.at(-1)).toBe(false)
  })

  it('is not the last word on one who came back on another instance while it was being told', async () => {
    const everywhere = createMemoryHolders()
    const asked: PromiseWithResolvers<void>[] = []
    const answeringLate: Holders = {
      ...everywhere,
      async areHeld(holdings) {
        const answer = await everywhere.areHeld(holdings)
        const question = Promise.withResolvers<void>()
        asked.push(question)
        await question.promise
        return answer
      },
    }
    const bus = createMemoryBus(log)
    const told: boolean[] = []
    bus.onMessage(({ payload }) => told.push(JSON.parse(payload).is_online))
    const here = createInstance(bus, answeringLate, async () => chats)
    const there = createInstance(bus, everywhere, async () => chats)
    await here.connected('u', chats)
    here.disconnected('u')
    while (asked.length < 1) await Bun.sleep(1)
    await there.connected('u', chats)
    asked[0]?.resolve()
    while (asked.length < 2) await Bun.sleep(1)
    expect(told).toEqual([true, true, false])
    asked[1]?.resolve()
    await Bun.sleep(1)
    expect(told).toEqual([true, true, false, true])
  })

  it('survives that the chats cannot be read', async () => {
    const { presence, told, questions, asked } = createWorld()
    await presence.connected('u', chats)
    presence.disconnected('u')
    await asked(1)
    questions[0]?.reject(new Error('The database is away'))
    await Bun.sleep(5)
    await presence.connected('u', chats)
    expect(told).toEqual([true, true])
  })

  it('never comes after the end of the server', async () => {
    const { presence, told, questions } = createWorld()
    await presence.connected('u', chats)
    presence.disconnected('u')
    presence.close()
    await Bun.sleep(40)
    expect(questions).toEqual([])
    expect(told).toEqual([true])
  })
})
