import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import * as chats from '../../../src/features/chats/store.ts'
import type { TestUser } from '../../support/client.ts'
import { readHead, startServer, type TestServer } from '../../support/server.ts'
import { readStored, seqsOf, upTo } from './support.ts'

let server: TestServer
let ann: TestUser
let ben: TestUser

beforeAll(async () => {
  server = await startServer()
  ann = await server.addUser('ann')
  ben = await server.addUser('ben')
})
afterAll(() => server.stop())

describe('a direct chat', () => {
  it('is one, however often both ask for it at once', async () => {
    const [one, two] = [await server.addUser(), await server.addUser()]
    const answers = await Promise.all(
      upTo(100).map((n) => (n % 2 ? one.get(`/chats/dm/${two.id}`) : two.get(`/chats/dm/${one.id}`))),
    )
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(99)
    const { sql } = server.database
    const members = await sql`select user_id from chat_members where chat_id = ${answers[0]?.body.id}`
    expect(members.map(({ user_id }) => user_id).sort()).toEqual([one.id, two.id].sort())
    expect(await sql`select 1 from chat_members where user_id = ${one.id}`).toHaveLength(1)
  })
})

describe('a group', () => {
  const addUsers = async (count: number): Promise<string[]> => {
    const rows = await server.database.sql<{ id: string }[]>`
      insert into users (id, phone, username, password_hash)
      select gen_random_uuid(), '+4' || (10000000000 + n + ${Math.floor(Math.random() * 1e9)})::text,
        'member_' || replace(gen_random_uuid()::text, '-', ''), 'none'
      from generate_series(1, ${count}::int) n returning id`
    return rows.map(({ id }) => id)
  }

  it('takes exactly 200 members, however many join at once', async () => {
    const chatId = await server.addGroup(ann)
    const ids = await addUsers(260)
    const answers = await Promise.all(ids.map((id) => ann.post(`/chats/${chatId}/members`, { user_ids: [id] })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(199)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(61)
    const [row] = await server.database.sql`
      select member_count, (select count(*)::int from chat_members where chat_id = ${chatId}) as members
      from chats where id = ${chatId}`
    expect(row).toEqual({ member_count: 200, members: 200 })
  }, 60_000)

  it('takes all of a request or none at its limit, and counts nobody twice', async () => {
    const chatId = await server.addGroup(ann)
    const ids = await addUsers(230)
    // Every id is in two requests: 46 overlapping tens.
    const requests = upTo(46).map((n) => ids.slice((n - 1) * 5, n * 5 + 5))
    const answers = await Promise.all(requests.map((user_ids) => ann.post(`/chats/${chatId}/members`, { user_ids })))
    const members = await server.database.sql<{ user_id: string }[]>`
      select user_id from chat_members where chat_id = ${chatId} and user_id <> ${ann.id}`
    const added = answers.flatMap(({ status, body }) => (status === 200 ? body.added : []))
    expect(added.sort()).toEqual(members.map(({ user_id }) => user_id).sort())
    expect(members.length).toBeLessThanOrEqual(199)
    expect(members.length).toBeGreaterThan(189)
    expect((await ann.get(`/chats/${chatId}`)).body.member_count).toBe(members.length + 1)
  }, 60_000)
})

describe('whoever is removed', () => {
  it('sends nothing after the removal is answered', async () => {
    for (const round of upTo(8)) {
      const chatId = await server.addGroup(ann, ben)
      const socket = await ben.socket()
      let isRemoved = false
      let lastSeqAtRemoval = 0
      const outcomes: { wasRemoved: boolean; status: number }[] = []
      const keepSending = async (send: () => Promise<number>) => {
        for (let after = 0; after < 3; after += isRemoved ? 1 : 0) {
          const wasRemoved = isRemoved
          outcomes.push({ wasRemoved, status: await send() })
        }
      }
      const bySocket = () =>
        socket
          .ask({ type: 'message', chat_id: chatId, content: 'by socket' })
          .then(({ type, error }) => (type === 'ack' ? 201 : error === 'Chat not found' ? 404 : 500))
      const byRest = () => ben.post('/messages', { chat_id: chatId, content: 'by REST' }).then(({ status }) => status)
      const lanes = upTo(6).map((n) => keepSending(n % 2 ? bySocket : byRest))
      // In the midst of it, each round at another point.
      while (outcomes.filter(({ status }) => status === 201).length < 3 * round) await Bun.sleep(1)
      const { status } = await ann.delete(`/chats/${chatId}/members/${ben.id}`)
      expect(status).toBe(200)
      isRemoved = true
      lastSeqAtRemoval = (await readHead(server, chatId)).seq
      await Promise.all(lanes)

      expect(outcomes.filter(({ wasRemoved, status: s }) => wasRemoved && s !== 404)).toEqual([])
      expect(outcomes.some(({ wasRemoved, status: s }) => !wasRemoved && s === 201)).toBe(true)
      expect(await readHead(server, chatId)).toEqual({ seq: lastSeqAtRemoval, rev: 0 })
      const stored = await readStored(server, chatId)
      expect(seqsOf(stored)).toEqual(upTo(stored.length))
      expect(outcomes.filter(({ status: s }) => s === 201)).toHaveLength(stored.length)
      await socket.close()
    }
  }, 60_000)

  it('slips nothing in that waited while the removal was committed', async () => {
    const chatId = await server.addGroup(ann, ben)
    const removing = Promise.withResolvers<void>()
    const mayCommit = Promise.withResolvers<void>()
    // What members.remove does, held open.
    const removal = server.database.db.transaction(async (tx) => {
      await chats.lockChat(tx, chatId)
      await chats.deleteMember(tx, chatId, ben.id)
      await chats.addToMemberCount(tx, chatId, -1)
      removing.resolve()
      await mayCommit.promise
    })
    await removing.promise
    const bens = ben.post('/messages', { chat_id: chatId, content: 'one more' })
    await waitForWriter()
    // Gathers behind the other, and is stored.
    const anns = ann.post('/messages', { chat_id: chatId, content: 'mine' })
    mayCommit.resolve()
    await removal
    expect((await bens).status).toBe(404)
    expect((await anns).body).toMatchObject({ seq: 1 })
    expect(await readStored(server, chatId)).toHaveLength(1)
  })

  it('and whoever is added meanwhile sends at once', async () => {
    const chatId = await server.addGroup(ann)
    const adding = Promise.withResolvers<void>()
    const mayCommit = Promise.withResolvers<void>()
    const addition = server.database.db.transaction(async (tx) => {
      await chats.lockChat(tx, chatId)
      await chats.insertMembers(tx, chatId, [ben.id])
      await chats.addToMemberCount(tx, chatId, 1)
      adding.resolve()
      await mayCommit.promise
    })
    await adding.promise
    const bens = ben.post('/messages', { chat_id: chatId, content: 'hello' })
    await waitForWriter()
    mayCommit.resolve()
    await addition
    expect(await bens).toMatchObject({ status: 201, body: { seq: 1 } })
  })

  /** Until the writer's statement waits for a lock. */
  async function waitForWriter(): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const [row] = await server.database.sql`
        select from pg_stat_activity
        where datname = current_database() and application_name = 'messenger writer' and wait_event_type = 'Lock'`
      if (row) return
      await Bun.sleep(10)
    }
    throw new Error('The writer never waited')
  }
})
