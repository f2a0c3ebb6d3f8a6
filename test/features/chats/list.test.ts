/** The chat list: its order, its pages, and what it costs. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { chats } from '../../../src/db/schema/index.ts'
import { type AppServer, startAppServer } from '../../realtime/app-server.ts'
import type { Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { addUsers, overviewOf, say } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const list = async (user: TestUser, query = ''): Promise<Json> => (await user.get(`/chats${query}`)).body
const idsOf = (page: Json): string[] => page.chats.map(({ id }: Json) => id)

/** All pages of `limit`; `between` runs after each. */
async function readAll(user: TestUser, limit: number, between: (page: number) => Promise<void> = async () => {}) {
  const ids: string[] = []
  let cursor: string | null = null
  let pages = 0
  do {
    const page: Json = await list(user, `?limit=${limit}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)
    expect(page.chats.length).toBeLessThanOrEqual(limit)
    expect(page.has_more).toBe(page.next_cursor !== null)
    ids.push(...idsOf(page))
    cursor = page.next_cursor
    await between(++pages)
  } while (cursor)
  return { ids, pages }
}

describe('my chats', () => {
  it('come with the newest activity first, and a message moves its chat up', async () => {
    const [user, ...peers] = (await addUsers(server, 4)) as [TestUser, ...TestUser[]]
    const made: string[] = []
    for (const peer of peers) made.push(await server.addDm(user, peer))
    expect(idsOf(await list(user))).toEqual([...made].reverse())
    const [first = '', second = '', third = ''] = made
    await say(user, first, 'hello')
    expect(idsOf(await list(user))).toEqual([first, third, second])
    await say(peers[1] as TestUser, second, 'hello')
    expect(idsOf(await list(user))).toEqual([second, first, third])
  })

  it('show the last living message, unread, role and the other one', async () => {
    const [user, peer] = (await addUsers(server, 2)) as [TestUser, TestUser]
    const chatId = await server.addDm(user, peer)
    const sent = []
    for (const content of ['one', 'two', 'three']) sent.push(await say(peer, chatId, content))
    const socket = await peer.socket()
    const [chat] = (await list(user)).chats
    expect(chat).toMatchObject({
      id: chatId,
      unread_count: 3,
      last_seq: 3,
      last_rev: 0,
      role: 'member',
      owner_id: null,
    })
    expect(chat.last_message).toEqual((await user.get(`/chats/${chatId}/messages`)).body.messages[0])
    expect(chat.last_message_at).toBe(chat.last_message.created_at)
    expect(chat.peer).toMatchObject({ id: peer.id, is_online: true, is_deleted: false })
    expect(chat.name).toBe(chat.peer.username)
    await socket.close()

    for (const index of [2, 1]) {
      await peer.delete(`/chats/${chatId}/messages/${sent[index].id}`)
      const now = await overviewOf(user, chatId)
      // A tombstone counts until it is read, and keeps its place, but is not shown as the last message.
      expect(now).toMatchObject({ unread_count: 3, last_seq: 3, last_message: { id: sent[index - 1].id } })
    }
    await peer.delete(`/chats/${chatId}/messages/${sent[0].id}`)
    expect(await overviewOf(user, chatId)).toMatchObject({ last_message: null, last_seq: 3, last_rev: 3 })
  })

  it('are empty for a newcomer', async () => {
    expect(await list(await server.addUser())).toEqual({ chats: [], has_more: false, next_cursor: null })
  })

  it('refuse a cursor that is none, and a limit beyond 100', async () => {
    const user = await server.addUser()
    for (const query of ['?cursor=nonsense', '?limit=0', '?limit=101', '?limit=x', `?cursor=${'x'.repeat(201)}`])
      expect((await user.get(`/chats${query}`)).status).toBe(400)
  })
})

describe('pages', () => {
  it('have neither gaps nor repeats, though all chats are of the same instant', async () => {
    const [user, peer] = (await addUsers(server, 2)) as [TestUser, TestUser]
    const made = await Promise.all(Array.from({ length: 23 }, () => server.addGroup(user, peer)))
    await server.database.db.update(chats).set({ lastMessageAt: new Date() })
    for (const limit of [1, 5, 22, 23, 100]) {
      const { ids, pages } = await readAll(user, limit)
      expect([...ids].sort()).toEqual([...made].sort())
      expect(pages).toBe(Math.ceil(made.length / limit))
    }
  })

  it('skip and repeat no quiet chat while messages arrive in others', async () => {
    const [user, peer] = (await addUsers(server, 2)) as [TestUser, TestUser]
    const made: string[] = []
    for (let n = 0; n < 20; n++) made.push(await server.addGroup(user, peer))
    const loud = made.filter((_, n) => n % 4 === 0)
    const { ids } = await readAll(user, 3, async () => {
      await Promise.all(loud.map((chatId) => say(peer, chatId, 'hello')))
    })
    expect(new Set(ids).size).toBe(ids.length)
    const quiet = made.filter((chatId) => !loud.includes(chatId))
    expect(ids.filter((id) => quiet.includes(id))).toEqual([...quiet].reverse())
  })
})

/** Longer than what is written behind an answer waits. */
const QUIET_MS = 1000

describe('the cost', () => {
  let inside: AppServer
  beforeAll(async () => {
    inside = await startAppServer(server)
  })
  afterAll(() => inside.stop())

  /** The statements that `work` costs, without those that the session's first request needs. */
  async function statementsOf(work: () => Promise<void>): Promise<string[]> {
    // Read marks of senders, last_seen and the index of search are written behind the answers.
    await until(async () => {
      const known = inside.statements.length
      await Bun.sleep(QUIET_MS)
      return inside.statements.length === known
    })
    const before = inside.statements.length
    await work()
    return inside.statements.slice(before)
  }

  it('of a list of 100 chats is that of a list of one', async () => {
    const [user, peer] = (await addUsers(server, 2)) as [TestUser, TestUser]
    const first = await server.addGroup(user, peer)
    await say(peer, first, 'hello')
    const here = inside.here(user)
    await list(here)
    const one = await statementsOf(async () => void (await list(here, '?limit=100')))
    await Promise.all(
      Array.from({ length: 99 }, () => server.addGroup(user, peer).then((id) => say(peer, id, 'hello'))),
    )
    const hundred = await statementsOf(async () => {
      expect((await list(here, '?limit=100')).chats).toHaveLength(100)
    })
    expect(one).toHaveLength(1)
    expect(hundred).toEqual(one)
  })

  it('of a message is one statement', async () => {
    const [user, peer] = (await addUsers(server, 2)) as [TestUser, TestUser]
    const chatId = await server.addDm(user, peer)
    const here = inside.here(user)
    const socket = await here.socket()
    await say(here, chatId, 'the session is known from now on')
    const statements = await statementsOf(async () => {
      expect(await socket.ask({ type: 'message', chat_id: chatId, content: 'hello' })).toMatchObject({ type: 'ack' })
    })
    expect(statements).toHaveLength(1)
    expect(statements[0]).toContain('insert into messages')
    expect(await statementsOf(async () => void (await say(here, chatId, 'by REST')))).toHaveLength(1)
    // Many that come together share statements.
    const shared = await statementsOf(async () => {
      await Promise.all(
        Array.from({ length: 100 }, (_, n) => socket.ask({ type: 'message', chat_id: chatId, content: `${n}` })),
      )
    })
    expect(shared.filter((text) => text.includes('insert into messages')).length).toBeLessThan(60)
    await socket.close()
  })
})
