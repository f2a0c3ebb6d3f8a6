import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestUser } from '../../support/client.ts'
import { readHead, startServer, type TestServer } from '../../support/server.ts'
import { say, sayMany, upTo } from './support.ts'

let server: TestServer
let ann: TestUser
let ben: TestUser
let eve: TestUser

beforeAll(async () => {
  server = await startServer()
  ann = await server.addUser('ann')
  ben = await server.addUser('ben')
  eve = await server.addUser('eve')
})
afterAll(() => server.stop())

describe('editing', () => {
  it('changes the text, counts a revision and tells everybody', async () => {
    const chatId = await server.addGroup(ann, ben)
    const sockets = await Promise.all([ann.socket(), ben.socket()])
    const first = await say(ben, chatId, 'frist')
    const second = await say(ben, chatId, 'secnod')
    const { status, body } = await ben.patch(`/chats/${chatId}/messages/${second.id}`, { content: 'second' })
    expect(status).toBe(200)
    expect(body).toEqual({ ...second, content: 'second', rev: 1, updated_at: body.updated_at })
    expect(body.updated_at >= second.created_at).toBe(true)
    const later = (await ben.patch(`/chats/${chatId}/messages/${first.id}`, { content: 'first' })).body
    expect(later.rev).toBe(2)
    for (const socket of sockets) {
      expect(await socket.next('message_updated')).toEqual({
        type: 'message_updated',
        chat_id: chatId,
        message_id: second.id,
        seq: 2,
        rev: 1,
        message: body,
      })
      expect((await socket.next('message_updated')).message).toEqual(later)
      await socket.close()
    }
    expect(await readHead(server, chatId)).toEqual({ seq: 2, rev: 2 })
    expect((await ann.get(`/chats/${chatId}/messages`)).body.messages).toEqual([body, later])
  })

  it.each([
    ['an admin who is not the author', () => ann, 403],
    ['a stranger', () => eve, 404],
  ])('is not for %s', async (_, who, status) => {
    const chatId = await server.addGroup(ann, ben)
    const { id } = await say(ben, chatId, 'mine')
    const refused = await who().patch(`/chats/${chatId}/messages/${id}`, { content: 'yours' })
    expect(refused.status).toBe(status)
    expect((await ben.get(`/chats/${chatId}/messages`)).body.messages[0]).toMatchObject({ content: 'mine', rev: 0 })
    expect(await readHead(server, chatId)).toEqual({ seq: 1, rev: 0 })
  })

  it('finds a message in its own chat only', async () => {
    const [chatId, other] = [await server.addGroup(ann, ben), await server.addGroup(ann, ben)]
    const { id } = await say(ben, chatId, 'here')
    expect((await ben.patch(`/chats/${other}/messages/${id}`, { content: 'there' })).status).toBe(404)
    expect((await ben.delete(`/chats/${other}/messages/${id}`)).status).toBe(404)
    expect(await readHead(server, other)).toEqual({ seq: 0, rev: 0 })
  })

  it('numbers 60 concurrent edits without a gap, the last one standing', async () => {
    const chatId = await server.addGroup(ann, ben)
    const sent = await Promise.all([say(ann, chatId, 'a'), say(ann, chatId, 'b'), say(ann, chatId, 'c')])
    const edits = await Promise.all(
      upTo(60).map(async (n) => {
        const { id } = sent[n % 3]
        return (await ann.patch(`/chats/${chatId}/messages/${id}`, { content: `edit ${n}` })).body
      }),
    )
    expect(edits.map(({ rev }) => rev).sort((a, b) => a - b)).toEqual(upTo(60))
    const { messages } = (await ben.get(`/chats/${chatId}/messages`)).body
    for (const message of messages) {
      const own = edits.filter(({ id }) => id === message.id)
      expect(message).toEqual(own.sort((a, b) => b.rev - a.rev)[0])
    }
  })
})

describe('deleting', () => {
  it('leaves a tombstone in its place, for everybody', async () => {
    const chatId = await server.addGroup(ann, ben)
    const [first, second] = [await say(ben, chatId, 'first'), await say(ben, chatId, 'second', { client_id: 'k' })]
    const socket = await ann.socket()
    const { status, body } = await ben.delete(`/chats/${chatId}/messages/${second.id}`)
    expect(status).toBe(200)
    expect(body).toEqual({
      ...second,
      content: '',
      rev: 1,
      updated_at: body.deleted_at,
      deleted_at: expect.any(String),
    })
    expect(await socket.next('message_deleted')).toEqual({
      type: 'message_deleted',
      chat_id: chatId,
      message_id: second.id,
      seq: 2,
      rev: 1,
      message: body,
    })
    await socket.close()
    const history = (await ann.get(`/chats/${chatId}/messages`)).body
    expect(history).toEqual({ messages: [body, first], total: 2, has_more: false })
    const overview = (await ann.get(`/chats/${chatId}`)).body
    expect(overview).toMatchObject({ last_seq: 2, last_rev: 1, unread_count: 2 })
    expect(overview.last_message).toEqual(first)
  })

  it('may be done by an admin, not by another member or a stranger', async () => {
    const chatId = await server.addGroup(ann, ben, eve)
    const { id } = await say(ben, chatId, 'spam')
    const path = `/chats/${chatId}/messages/${id}`
    expect((await eve.delete(path)).status).toBe(403)
    expect((await (await server.addUser()).delete(path)).status).toBe(404)
    expect((await ann.delete(path)).status).toBe(200)
  })

  it('of a deleted message changes and tells nothing; editing one is refused', async () => {
    const chatId = await server.addGroup(ann, ben)
    const { id } = await say(ben, chatId, 'gone')
    const path = `/chats/${chatId}/messages/${id}`
    const tombstone = (await ben.delete(path)).body
    const socket = await ann.socket()
    const again = await ann.delete(path)
    expect(again).toMatchObject({ status: 200, body: tombstone })
    expect((await ben.patch(path, { content: 'back' })).status).toBe(409)
    await socket.settle()
    expect(socket.frames.filter(({ type }) => type.startsWith('message_'))).toEqual([])
    await socket.close()
    expect(await readHead(server, chatId)).toEqual({ seq: 1, rev: 1 })
  })

  it('wins or loses against an edit, but never both', async () => {
    const chatId = await server.addGroup(ann, ben)
    for (const n of upTo(20)) {
      const { id } = await say(ben, chatId, `number ${n}`)
      const path = `/chats/${chatId}/messages/${id}`
      const [edit, tombstone] = await Promise.all([ben.patch(path, { content: 'edited' }), ben.delete(path)])
      expect(tombstone.status).toBe(200)
      expect([200, 409]).toContain(edit.status)
      const stored = (await ben.get(`/chats/${chatId}/messages?limit=1`)).body.messages[0]
      expect(stored).toEqual(tombstone.body)
      expect(stored.content).toBe('')
    }
  })
})

describe('replying', () => {
  it('names a message of the chat, a tombstone too, over REST and the socket', async () => {
    const chatId = await server.addGroup(ann, ben)
    const target = await say(ann, chatId, 'question')
    expect((await say(ben, chatId, 'answer', { reply_to_id: target.id })).reply_to_id).toBe(target.id)
    await ann.delete(`/chats/${chatId}/messages/${target.id}`)
    const socket = await ben.socket()
    const ack = await socket.ask({ type: 'message', chat_id: chatId, content: 'late', reply_to_id: target.id })
    expect(ack.message).toMatchObject({ seq: 3, reply_to_id: target.id })
    await socket.close()
    const { messages } = (await ann.get(`/chats/${chatId}/messages`)).body
    expect(messages.map((m: { reply_to_id: string | null }) => m.reply_to_id)).toEqual([target.id, target.id, null])
  })

  it('is refused for a message of another chat, and tells strangers nothing', async () => {
    const [chatId, other] = [await server.addGroup(ann, ben), await server.addGroup(ann)]
    const elsewhere = await say(ann, other, 'elsewhere')
    const body = { chat_id: chatId, content: 'answer', reply_to_id: elsewhere.id }
    expect((await ben.post('/messages', body)).status).toBe(400)
    expect((await eve.post('/messages', body)).status).toBe(404)
    expect(await readHead(server, chatId)).toEqual({ seq: 0, rev: 0 })
  })
})

describe('unread', () => {
  const unreadOf = async (user: TestUser, chatId: string) => {
    const { unread_count, last_read_seq, last_seq } = (await user.get(`/chats/${chatId}`)).body
    return { unread_count, last_read_seq, last_seq }
  }

  it('is what was sent since one has read, wherever one reads', async () => {
    const chatId = await server.addGroup(ann, ben)
    const [annSocket, benSocket] = await Promise.all([ann.socket(), ben.socket()])
    await sayMany(annSocket, chatId, upTo(10).map(String))
    expect(await unreadOf(ben, chatId)).toEqual({ unread_count: 10, last_read_seq: 0, last_seq: 10 })

    expect((await ben.post(`/chats/${chatId}/read`, { seq: 4 })).body).toEqual({
      message: 'Marked as read',
      unread_count: 6,
      last_read_seq: 4,
    })
    expect(await annSocket.next('read', (f) => f.user_id === ben.id)).toMatchObject({
      last_read_seq: 4,
      chat_id: chatId,
    })
    expect(await benSocket.ask({ type: 'read', chat_id: chatId, seq: 7 })).toMatchObject({
      type: 'ack',
      last_read_seq: 7,
      unread_count: 3,
    })
    expect(await unreadOf(ben, chatId)).toMatchObject({ unread_count: 3 })

    // Only forward, and never beyond the end.
    expect((await ben.post(`/chats/${chatId}/read`, { seq: 2 })).body.last_read_seq).toBe(7)
    expect((await ben.post(`/chats/${chatId}/read`, { seq: 999 })).body).toMatchObject({ last_read_seq: 10 })
    await sayMany(annSocket, chatId, ['11', '12'])
    expect(await benSocket.ask({ type: 'read', chat_id: chatId })).toMatchObject({ last_read_seq: 12, unread_count: 0 })
    expect(await unreadOf(ben, chatId)).toEqual({ unread_count: 0, last_read_seq: 12, last_seq: 12 })
    await Promise.all([annSocket.close(), benSocket.close()])
  })

  it('forgets what stood before one’s own message, within a second', async () => {
    const chatId = await server.addGroup(ann, ben)
    for (const content of ['a', 'b', 'c']) await say(ann, chatId, content)
    await say(ben, chatId, 'd')
    await say(ann, chatId, 'e')
    await Bun.sleep(1000)
    expect(await unreadOf(ben, chatId)).toEqual({ unread_count: 1, last_read_seq: 4, last_seq: 5 })
    expect(await unreadOf(ann, chatId)).toEqual({ unread_count: 0, last_read_seq: 5, last_seq: 5 })
  })

  it('starts at nothing for whoever joins', async () => {
    const chatId = await server.addGroup(ann, ben)
    for (const content of ['a', 'b', 'c']) await say(ann, chatId, content)
    await ann.post(`/chats/${chatId}/members`, { user_ids: [eve.id] })
    expect(await unreadOf(eve, chatId)).toEqual({ unread_count: 0, last_read_seq: 3, last_seq: 3 })
    await say(ann, chatId, 'd')
    expect(await unreadOf(eve, chatId)).toMatchObject({ unread_count: 1 })
  })

  it('stays what it is when an unread message is deleted', async () => {
    const chatId = await server.addGroup(ann, ben)
    const { id } = await say(ann, chatId, 'a')
    await say(ann, chatId, 'b')
    await ann.delete(`/chats/${chatId}/messages/${id}`)
    expect(await unreadOf(ben, chatId)).toMatchObject({ unread_count: 2 })
  })
})
