/** Direct chats, read marks, and what becomes of chats when an account is deleted. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { addUsers, overviewOf, rolesIn, say } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const trio = async () => (await addUsers(server, 3)) as [TestUser, TestUser, TestUser]

describe('a direct chat', () => {
  it('is made once for a pair, whoever asks', async () => {
    const [user, peer] = await trio()
    const made = await user.get(`/chats/dm/${peer.id}`)
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ type: 'dm', member_count: 2, owner_id: null, role: 'member', last_message: null })
    expect(made.body.peer).toMatchObject({ id: peer.id, is_online: false })
    expect(made.body.name).toBe(made.body.peer.username)
    for (const [one, other] of [
      [user, peer],
      [peer, user],
    ] as const) {
      const found = await one.get(`/chats/dm/${other.id}`)
      expect({ status: found.status, id: found.body.id }).toEqual({ status: 200, id: made.body.id })
      expect(found.body.peer.id).toBe(other.id)
    }
  })

  it('is one though both ask many times at once, and one is told 201', async () => {
    const [user, peer] = await trio()
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, n) =>
        n % 2 ? user.get(`/chats/dm/${peer.id}`) : peer.get(`/chats/dm/${user.id}`),
      ),
    )
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(15)
    const { body } = await user.get('/chats')
    expect(body.chats).toHaveLength(1)
  })

  it('is refused with oneself, with nobody and with a deleted account', async () => {
    const [user, gone] = await trio()
    await gone.delete('/users/me')
    expect(await user.get(`/chats/dm/${user.id}`)).toMatchObject({
      status: 400,
      body: { details: { user_id: expect.any(String) } },
    })
    expect((await user.get(`/chats/dm/${Bun.randomUUIDv7()}`)).status).toBe(404)
    expect((await user.get(`/chats/dm/${gone.id}`)).status).toBe(404)
    expect((await user.get('/chats/dm/nonsense')).status).toBe(400)
    // One spelling of an id, or there could be two chats of a pair.
    expect((await user.get(`/chats/dm/${user.id.toUpperCase()}`)).status).toBe(400)
    expect((await user.get('/chats')).body.chats).toEqual([])
  })

  it('can be neither left, renamed, deleted nor joined by a third', async () => {
    const [user, peer, third] = await trio()
    const chatId = await server.addDm(user, peer)
    const answers = await Promise.all([
      user.patch(`/chats/${chatId}`, { name: 'x' }),
      user.delete(`/chats/${chatId}`),
      user.delete(`/chats/${chatId}/members/${user.id}`),
      user.delete(`/chats/${chatId}/members/${peer.id}`),
      user.post(`/chats/${chatId}/members`, { user_ids: [third.id] }),
      user.patch(`/chats/${chatId}/members/${peer.id}`, { role: 'owner' }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 400])
    expect((await overviewOf(user, chatId)).member_count).toBe(2)
  })
})

describe('marking as read', () => {
  async function unread(count: number) {
    const [user, peer] = await trio()
    const chatId = await server.addDm(user, peer)
    const sent = []
    for (let n = 1; n <= count; n++) sent.push(await say(peer, chatId, `${n}`))
    const mark = async (body?: unknown) => (await user.post(`/chats/${chatId}/read`, body)).body
    return { user, peer, chatId, sent, mark }
  }

  it('marks everything, without a body or with an empty one', async () => {
    for (const body of [undefined, {}]) {
      const { user, chatId, mark } = await unread(3)
      expect(await overviewOf(user, chatId)).toMatchObject({ unread_count: 3, last_read_seq: 0 })
      expect(await mark(body)).toEqual({ message: 'Marked as read', unread_count: 0, last_read_seq: 3 })
      expect(await overviewOf(user, chatId)).toMatchObject({ unread_count: 0, last_read_seq: 3 })
    }
  })

  it('moves forward only, and never beyond the end', async () => {
    const { user, peer, chatId, mark } = await unread(3)
    expect(await mark({ seq: 2 })).toMatchObject({ unread_count: 1, last_read_seq: 2 })
    expect(await mark({ seq: 1 })).toMatchObject({ unread_count: 1, last_read_seq: 2 })
    expect(await mark({ seq: 0 })).toMatchObject({ last_read_seq: 2 })
    expect(await mark({ seq: 1_000_000 })).toMatchObject({ unread_count: 0, last_read_seq: 3 })
    await say(peer, chatId, 'new')
    // A mark set into the future would have read this one.
    expect(await overviewOf(user, chatId)).toMatchObject({ unread_count: 1, last_read_seq: 3 })
    expect(await overviewOf(peer, chatId)).toMatchObject({ peer_read_seq: 3 })
    for (const seq of [-1, 1.5, 'x', true, Number.MAX_SAFE_INTEGER + 1])
      expect((await user.post(`/chats/${chatId}/read`, { seq })).status).toBe(400)
  })

  it('names the message read up to, in the event', async () => {
    const { user, peer, chatId, sent, mark } = await unread(2)
    const socket = await peer.socket()
    await mark({ seq: 1 })
    expect(await socket.next('read')).toMatchObject({ message_id: sent[0].id, last_read_seq: 1, user_id: user.id })
    await socket.close()
    const empty = await server.addDm(user, await server.addUser())
    expect((await user.post(`/chats/${empty}/read`, {})).body).toMatchObject({ unread_count: 0, last_read_seq: 0 })
    expect(chatId).not.toBe(empty)
  })

  it('agrees with itself when many marks come at once', async () => {
    const { user, chatId, mark } = await unread(20)
    await Promise.all(Array.from({ length: 20 }, (_, n) => mark({ seq: 20 - n })))
    expect(await overviewOf(user, chatId)).toMatchObject({ unread_count: 0, last_read_seq: 20 })
  })

  it('is implied by sending, within a second', async () => {
    const { user, chatId } = await unread(2)
    await say(user, chatId, 'mine')
    await Bun.sleep(1000)
    expect(await overviewOf(user, chatId)).toMatchObject({ unread_count: 0, last_read_seq: 3 })
  })
})

describe('when an account is deleted', () => {
  it('its direct chats stay readable, from an account without a name; nobody writes there any more', async () => {
    const [gone, peer] = await trio()
    const chatId = await server.addDm(gone, peer)
    await say(gone, chatId, 'farewell')
    const socket = await peer.socket()
    expect((await gone.delete('/users/me')).status).toBe(200)
    await socket.next('chat_updated', (f) => f.chat_id === chatId && f.is_read_only)
    const chat = await overviewOf(peer, chatId)
    expect(chat).toMatchObject({
      is_read_only: true,
      name: null,
      last_message: { content: 'farewell', sender_id: gone.id },
    })
    expect(chat.peer).toMatchObject({
      id: gone.id,
      username: null,
      bio: null,
      avatar_url: null,
      is_deleted: true,
      is_online: false,
    })
    expect((await peer.get(`/chats/${chatId}/messages`)).body.messages).toHaveLength(1)
    expect((await peer.get(`/chats/dm/${gone.id}`)).body.id).toBe(chatId)
    expect((await peer.post('/messages', { chat_id: chatId, content: 'x' })).status).toBe(403)
    expect(await socket.ask({ type: 'message', chat_id: chatId, content: 'x' })).toMatchObject({
      type: 'error',
      error: 'Nobody can write in this chat any more',
    })
    expect((await peer.post(`/chats/${chatId}/read`, {})).status).toBe(200)
    await socket.close()
  })

  it('its groups pass to the oldest admin', async () => {
    const [gone, member, admin] = await trio()
    const late = await server.addUser()
    const chatId = await server.addGroup(gone, member)
    for (const user of [admin, late]) {
      await gone.post(`/chats/${chatId}/members`, { user_ids: [user.id] })
      await gone.patch(`/chats/${chatId}/members/${user.id}`, { role: 'admin' })
    }
    await say(gone, chatId, 'mine')
    const socket = await member.socket()
    await gone.delete('/users/me')
    await socket.next('chat_updated', (f) => f.owner_id === admin.id)
    await socket.next('member_left', (f) => f.user_id === gone.id && f.member_count === 3)
    expect(Object.fromEntries(await rolesIn(member, chatId))).toEqual({
      [member.id]: 'member',
      [admin.id]: 'owner',
      [late.id]: 'admin',
    })
    expect(await overviewOf(member, chatId)).toMatchObject({ is_read_only: false, member_count: 3, owner_id: admin.id })
    expect((await admin.patch(`/chats/${chatId}`, { name: 'Mine now' })).status).toBe(200)
    await socket.close()
  })

  it('its groups without an admin pass to the oldest member', async () => {
    const [gone, oldest, youngest] = await trio()
    const chatId = await server.addGroup(gone)
    for (const user of [oldest, youngest]) {
      await gone.post(`/chats/${chatId}/members`, { user_ids: [user.id] })
      await Bun.sleep(5)
    }
    await gone.delete('/users/me')
    expect(await rolesIn(youngest, chatId)).toEqual([
      [oldest.id, 'owner'],
      [youngest.id, 'member'],
    ])
    expect((await youngest.post('/messages', { chat_id: chatId, content: 'still here' })).status).toBe(201)
  })

  it('groups count right though the account is removed, added and deleted at once', async () => {
    for (let round = 0; round < 8; round++) {
      const [owner, gone, member] = await trio()
      const [inside, outside] = [await server.addGroup(owner, gone, member), await server.addGroup(owner, member)]
      const answers = await Promise.all([
        owner.delete(`/chats/${inside}/members/${gone.id}`),
        gone.delete('/users/me'),
        owner.post(`/chats/${outside}/members`, { user_ids: [gone.id] }),
        owner.get(`/chats/dm/${gone.id}`),
        owner.post('/chats', { name: 'x', type: 'group', member_ids: [gone.id] }),
        gone.post('/chats', { name: 'x', type: 'group', member_ids: [owner.id] }),
        gone.get(`/chats/dm/${member.id}`),
      ])
      expect(answers[1].status).toBe(200)
      for (const { status } of answers) expect(status).toBeLessThan(500)
      const rows = await server.database.sql`
        select c.id, c.type from chats c where c.member_count <>
          (select count(*) from chat_members m where m.chat_id = c.id)
        union all
        select c.id, c.type from chats c join chat_members m on m.chat_id = c.id join users u on u.id = m.user_id
        where u.deleted_at is not null and (c.type = 'group' or not c.is_read_only)`
      expect([...rows]).toEqual([])
    }
  })

  it('groups find another owner when owner and heir go at once', async () => {
    for (let round = 0; round < 5; round++) {
      const [owner, heir, last] = await trio()
      const chatId = await server.addGroup(owner, heir, last)
      await owner.patch(`/chats/${chatId}/members/${heir.id}`, { role: 'admin' })
      const answers = await Promise.all([owner.delete('/users/me'), heir.delete('/users/me')])
      expect(answers.map(({ status }) => status)).toEqual([200, 200])
      expect(await overviewOf(last, chatId)).toMatchObject({ owner_id: last.id, role: 'owner', member_count: 1 })
    }
  })
})
