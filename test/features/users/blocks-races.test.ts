/** Blocks among all that goes on at the same moment: no race lets whoever is blocked do what they may not. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestUser } from '../../support/client.ts'
import { readHead, startServer, type TestServer } from '../../support/server.ts'
import { addUsers, overviewOf } from '../chats/support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const pair = async () => (await addUsers(server, 2)) as [TestUser, TestUser]
const block = async (user: TestUser, other: TestUser) => (await user.post(`/users/${other.id}/block`)).status
const unblock = async (user: TestUser, other: TestUser) => (await user.delete(`/users/${other.id}/block`)).status

describe('races', () => {
  /** Direct chats whose members are not blocked just as the list of blocks says. */
  const listMismatches = () => server.database.sql`
    select m.chat_id, m.user_id from chat_members m
    join chats c on c.id = m.chat_id and c.type = 'dm' and not c.is_read_only
    join chat_members other on other.chat_id = m.chat_id and other.user_id <> m.user_id
    where m.is_blocked <> exists (
      select from blocks b where b.blocker_id = other.user_id and b.blocked_id = m.user_id)`

  it('of a block and the opening of the chat end with it shut', async () => {
    for (let round = 0; round < 20; round++) {
      const [user, other] = await pair()
      const opening = Array.from({ length: 4 }, () => other.get(`/chats/dm/${user.id}`))
      const own = round % 2 ? [user.get(`/chats/dm/${other.id}`)] : []
      const [blocked, ...opened] = await Promise.all([block(user, other), ...opening, ...own])
      expect(blocked).toBe(200)
      for (const { status } of opened) expect([200, 201, 403]).toContain(status)
      const chatId = opened.find(({ status }) => status !== 403)?.body.id
      if (chatId) expect((await other.post('/messages', { chat_id: chatId, content: 'x' })).status).toBe(403)
    }
    expect([...(await listMismatches())]).toEqual([])
  })

  it('of a block and a storm of messages end with its answer: not one more is stored', async () => {
    for (let round = 0; round < 6; round++) {
      const [user, other] = await pair()
      const chatId = await server.addDm(user, other)
      const socket = await other.socket()
      let isBlocked = false
      const late: number[] = []
      const keepSending = async (send: () => Promise<number>) => {
        for (let after = 0; after < 3; after += isBlocked ? 1 : 0) {
          const wasBlocked = isBlocked
          const status = await send()
          if (wasBlocked) late.push(status)
        }
      }
      const bySocket = async () =>
        (await socket.ask({ type: 'message', chat_id: chatId, content: 'x' })).type === 'ack' ? 201 : 403
      const byRest = async () => (await other.post('/messages', { chat_id: chatId, content: 'x' })).status
      const lanes = Array.from({ length: 6 }, (_, n) => keepSending(n % 2 ? bySocket : byRest))
      await Bun.sleep(20 + round * 5)
      expect(await block(user, other)).toBe(200)
      isBlocked = true
      const { seq } = await readHead(server, chatId)
      await Promise.all(lanes)
      expect(seq).toBeGreaterThan(0)
      expect(late.length).toBeGreaterThan(0)
      expect(late.filter((status) => status !== 403)).toEqual([])
      expect((await readHead(server, chatId)).seq).toBe(seq)
      await socket.close()
    }
  }, 60_000)

  it('of a block and a message that waits behind it end with the message refused', async () => {
    const [user, other] = await pair()
    const chatId = await server.addDm(user, other)
    const mayGoOn = Promise.withResolvers<void>()
    const isLocked = Promise.withResolvers<void>()
    const holding = server.database.sql.begin(async (tx) => {
      await tx`select from chats where id = ${chatId} for update`
      isLocked.resolve()
      await mayGoOn.promise
    })
    await isLocked.promise
    const blocking = block(user, other)
    await untilWaiting('messenger')
    const sending = other.post('/messages', { chat_id: chatId, content: 'one more' })
    await untilWaiting('messenger writer')
    mayGoOn.resolve()
    await holding
    expect([await blocking, (await sending).status]).toEqual([200, 403])
    expect(await readHead(server, chatId)).toEqual({ seq: 0, rev: 0 })
  })

  it('of blocks and unblocks, on both sides, end with the chat as the list says', async () => {
    const [user, other] = await pair()
    const chatId = await server.addDm(user, other)
    for (let round = 0; round < 15; round++) {
      const statuses = await Promise.all([
        ...[block(user, other), unblock(user, other), block(user, other)],
        ...[block(other, user), unblock(other, user), unblock(other, user)],
        overviewOf(user, chatId).then(() => 200),
      ])
      expect(statuses.filter((status) => status !== 200)).toEqual([])
      expect([...(await listMismatches())]).toEqual([])
    }
  })

  it('of everything that locks accounts and chats end without a fault', async () => {
    for (let round = 0; round < 8; round++) {
      const [a, b, c, gone] = (await addUsers(server, 4)) as [TestUser, TestUser, TestUser, TestUser]
      const all = [a, b, c, gone]
      const inside = await server.addGroup(a, b)
      const acts = all.flatMap((one, n) => {
        const [next, far] = [all[(n + 1) % 4] ?? a, all[(n + 2) % 4] ?? a]
        return [
          one.post(`/users/${next.id}/block`),
          one.post(`/users/${far.id}/block`),
          one.get(`/chats/dm/${far.id}`),
          one.get(`/chats/dm/${next.id}`),
          one.post('/chats', { name: 'x', type: 'group', member_ids: [far.id, next.id] }),
          one.delete(`/users/${next.id}/block`),
        ]
      })
      const added = [b, c, gone].map(({ id }) => a.post(`/chats/${inside}/members`, { user_ids: [id] }))
      const answers = await Promise.all([...acts, ...added, gone.delete('/users/me')])
      const faults = answers.filter(({ status }) => status >= 500)
      expect(faults.map(({ status, body }) => ({ status, body }))).toEqual([])
      expect([...(await listMismatches())]).toEqual([])
      const left = await server.database.sql`
        select from blocks b join users u on u.id in (b.blocker_id, b.blocked_id) where u.deleted_at is not null`
      expect([...left]).toEqual([])
    }
  }, 60_000)

  /** Until a statement of this connection waits for a lock. */
  async function untilWaiting(name: string): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const [row] = await server.database.sql`
        select from pg_stat_activity
        where datname = current_database() and application_name = ${name} and wait_event_type = 'Lock'`
      if (row) return
      await Bun.sleep(10)
    }
    throw new Error(`${name} never waited`)
  }
})
