/** Races of presence that no client can bring about at will. */
import { describe, expect, it } from 'bun:test'
import { createMemoryBus } from '../../../src/bus/memory.ts'
import { connectDatabase } from '../../../src/db/client.ts'
import type { Head } from '../../../src/features/chats/model.ts'
import { createPresence } from '../../../src/features/presence/service.ts'
import { createLog } from '../../../src/observability/log.ts'

const log = createLog('error', () => {})
const chats: Head[] = [{ chatId: 'a', type: 'dm', memberCount: 2, seq: 0, rev: 0 }]

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
  // Never connected to: these cases ask the database nothing.
  const { db } = connectDatabase({ url: 'postgres://nobody@localhost:1/none', poolMax: 1, name: 'none' })
  const presence = createPresence({ db, bus, log, listHeads, lastSeen: { touch() {} }, offlineAfterMs: 20 })
  const asked = async (count: number) => {
    for (let i = 0; i < 200 && questions.length < count; i++) await Bun.sleep(1)
    expect(questions).toHaveLength(count)
  }
  return { presence, told, questions, asked }
}

describe('going offline', () => {
  it('is not the last word on one who came back while their chats were read', async () => {
    const { presence, told, questions, asked } = createWorld()
    presence.connected('u', chats)
    presence.disconnected('u')
    await asked(1)
    presence.connected('u', chats)
    questions[0]?.resolve(chats)
    await Bun.sleep(5)
    expect(told.at(-1)).toBe(true)
    expect([...(await presence.listOnline(['u', 'v']))]).toEqual(['u'])
  })

  it('is told once, later, of one who came back and went again meanwhile', async () => {
    const { presence, told, questions, asked } = createWorld()
    presence.connected('u', chats)
    presence.disconnected('u')
    await asked(1)
    presence.connected('u', chats)
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

  it('survives that the chats cannot be read', async () => {
    const { presence, told, questions, asked } = createWorld()
    presence.connected('u', chats)
    presence.disconnected('u')
    await asked(1)
    questions[0]?.reject(new Error('The database is away'))
    await Bun.sleep(5)
    presence.connected('u', chats)
    expect(told).toEqual([true, true])
  })

  it('never comes after the end of the server', async () => {
    const { presence, told, questions } = createWorld()
    presence.connected('u', chats)
    presence.disconnected('u')
    presence.close()
    await Bun.sleep(40)
    expect(questions).toEqual([])
    expect(told).toEqual([true])
  })
})
