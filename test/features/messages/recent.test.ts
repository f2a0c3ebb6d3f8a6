/** The newest page of a chat, which may come from the cache: it is never older than the chat. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Cache } from '../../../src/cache/cache.ts'
import { recentMessagesKey } from '../../../src/cache/keys.ts'
import { createMemoryCache } from '../../../src/cache/memory-cache.ts'
import { noReplicas } from '../../../src/db/replicas.ts'
import { accessChat } from '../../../src/features/chats/access.ts'
import { createHistory } from '../../../src/features/messages/history.ts'
import { createRecent } from '../../../src/features/messages/recent.ts'
import { type AppServer, startAppServer } from '../../realtime/app-server.ts'
import type { Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { readWhileChanging } from './recent-support.ts'
import { say, seqsOf, upTo } from './support.ts'

let server: TestServer
let inside: AppServer
let ann: TestUser
let ben: TestUser
beforeAll(async () => {
  server = await startServer()
  inside = await startAppServer(server)
  ;[ann, ben] = [await server.addUser(), await server.addUser()].map(inside.here) as [TestUser, TestUser]
})
afterAll(async () => {
  await inside.stop()
  await server.stop()
})

const newest = async (user: TestUser, chatId: string, query = ''): Promise<Json> =>
  (await user.get(`/chats/${chatId}/messages${query}`)).body

describe('the newest messages', () => {
  it('are those that any other way of paging shows, after every change', async () => {
    const chatId = await server.addGroup(ann, ben)
    const isExact = async () => {
      for (const limit of [1, 3, 50, 51])
        for (const user of [ann, ben])
          expect(await newest(user, chatId, `?limit=${limit}`)).toEqual(
            await newest(user, chatId, `?limit=${limit}&offset=0`),
          )
    }
    await isExact()
    const sent: Json[] = []
    for (const n of upTo(4)) sent.push(await say(ann, chatId, `${n}`))
    await isExact()
    await ann.patch(`/chats/${chatId}/messages/${sent[1].id}`, { content: 'edited' })
    await isExact()
    expect((await newest(ben, chatId)).messages[2].content).toBe('edited')
    await ann.delete(`/chats/${chatId}/messages/${sent[3].id}`)
    await isExact()
    expect((await newest(ben, chatId)).messages[0]).toMatchObject({ content: '', deleted_at: expect.any(String) })
    await say(ben, chatId, 'more')
    await isExact()
  })

  it('are answered to members alone', async () => {
    const chatId = await server.addGroup(ann, ben)
    await say(ann, chatId, 'hello')
    expect((await newest(ben, chatId)).messages).toHaveLength(1)
    expect((await ann.delete(`/chats/${chatId}/members/${ben.id}`)).status).toBeLessThan(300)
    const stranger = inside.here(await server.addUser())
    for (const user of [ben, stranger]) expect((await user.get(`/chats/${chatId}/messages`)).status).toBe(404)
    expect((await ann.delete(`/chats/${chatId}`)).status).toBeLessThan(300)
    expect((await ann.get(`/chats/${chatId}/messages`)).status).toBe(404)
  })

  it('are never older than what was acknowledged before, while others write, edit and delete', async () => {
    const chatId = await server.addGroup(ann, ben)
    const { reads, faults } = await readWhileChanging({ chatId, writers: [ann, ann], readers: [ann, ben, ben] })
    expect(faults).toEqual([])
    expect(reads).toBeGreaterThan(50)
  })

  it('of a group cost one statement when nothing has changed; those of a direct chat are always read', async () => {
    const statementsOf = async (chatId: string) => {
      await newest(ben, chatId)
      // Read marks of senders and last_seen are written behind the answers.
      await Bun.sleep(600)
      const before = inside.statements.length
      await newest(ben, chatId, '?limit=20')
      return inside.statements.slice(before).filter((text) => text.includes('from "messages"')).length
    }
    const groupId = await server.addGroup(ann, ben)
    const dmId = await server.addDm(ann, ben)
    for (const chatId of [groupId, dmId]) await say(ann, chatId, 'hello')
    expect(await statementsOf(groupId)).toBe(0)
    expect(await statementsOf(dmId)).toBe(1)
  })
})

describe('a page', () => {
  const world = async (count: number) => {
    const { db } = server.database
    const cache: Cache = createMemoryCache()
    const chatId = await server.addGroup(ann, ben)
    const sent: Json[] = []
    for (const n of upTo(count)) sent.push(await say(ann, chatId, `${n}`))
    return {
      ...{ chatId, sent },
      recent: createRecent({ cache, readHistory: createHistory({ db, replicas: noReplicas }) }),
      access: () => accessChat(db, ben.id, chatId, 'read'),
      isKept: async () => (await cache.get(recentMessagesKey(chatId))).value !== undefined,
    }
  }

  it('is not kept when a message was edited after its chat was read', async () => {
    const { chatId, sent, recent, access, isKept } = await world(3)
    const chat = await access()
    await ann.patch(`/chats/${chatId}/messages/${sent[0].id}`, { content: 'edited' })
    expect((await recent.list(chat, 50))[2]).toMatchObject({ content: 'edited', rev: 1 })
    expect(await isKept()).toBe(false)
    await recent.list(await access(), 50)
    expect(await isKept()).toBe(true)
  })

  it('ends with the newest message of when its chat was read', async () => {
    const { chatId, recent, access, isKept } = await world(3)
    const chat = await access()
    await say(ann, chatId, 'one more')
    for (const _ of upTo(2)) expect(seqsOf(await recent.list(chat, 50))).toEqual([3, 2, 1])
    expect(await isKept()).toBe(true)
    expect(seqsOf(await recent.list(await access(), 50))).toEqual([4, 3, 2, 1])
    // What came too late does no harm: whoever sees another state of the chat does not use it.
    await recent.list(chat, 50)
    expect(seqsOf(await recent.list(await access(), 2))).toEqual([4, 3])
  })

  it('is not kept of a chat that is gone or empty, nor when more is asked for than is ever kept', async () => {
    const { chatId, recent, access, isKept } = await world(1)
    const chat = await access()
    expect(await recent.list(chat, 51)).toHaveLength(1)
    expect(await isKept()).toBe(false)
    await ann.delete(`/chats/${chatId}`)
    expect(await recent.list(chat, 50)).toEqual([])
    expect(await isKept()).toBe(false)
    const empty = await world(0)
    expect(await empty.recent.list(await empty.access(), 50)).toEqual([])
    expect(await empty.isKept()).toBe(false)
  })
})
