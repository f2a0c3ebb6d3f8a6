import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Json, TestSocket, TestUser } from '../../support/client.ts'
import { readHead, startServer, type TestServer } from '../../support/server.ts'
import { readStored, say, seqsOf, upTo } from './support.ts'

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

const closeForWriting = (chatId: string) =>
  server.database.sql`update chats set is_read_only = true where id = ${chatId}`

describe('a client_id', () => {
  it('stores 1,000 sends under 100 keys of two users once each, and every answer is the first message', async () => {
    const chatId = await server.addGroup(ann, ben)
    const sockets = new Map<TestUser, TestSocket[]>([
      [ann, [await ann.socket(), await ann.socket()]],
      [ben, [await ben.socket(), await ben.socket()]],
    ])
    const send = async (n: number): Promise<{ key: string; message: Json }> => {
      // Every user uses each of 50 keys ten times, over REST and both sockets, each time with another text.
      const user = n % 2 ? ann : ben
      const client_id = `key ${Math.floor(n / 2) % 50}`
      const fields = { chat_id: chatId, content: `send ${n}`, client_id }
      const key = `${user.id} ${client_id}`
      const socket = sockets.get(user)?.[Math.floor(n / 100) % 4]
      if (socket) return { key, message: (await socket.ask({ type: 'message', ...fields })).message }
      const { status, body } = await user.post('/messages', fields)
      expect(status).toBe(201)
      return { key, message: body }
    }
    const answers = await Promise.all(upTo(1000).map(send))

    const stored = await readStored(server, chatId)
    expect(seqsOf(stored)).toEqual(upTo(100))
    expect(await readHead(server, chatId)).toEqual({ seq: 100, rev: 0 })
    const firsts = new Map(stored.map((row) => [`${row.sender_id} ${row.client_id}`, row]))
    expect(firsts.size).toBe(100)
    for (const { key, message } of answers) {
      const { id, seq, content } = firsts.get(key) ?? {}
      expect(message).toMatchObject({ id, seq, content })
    }
    // Nobody is told of a message twice.
    for (const socket of [...sockets.values()].flat()) {
      await socket.settle()
      const ids = socket.all('new_message').map(({ message }) => message.id)
      expect(ids.sort()).toEqual(stored.map(({ id }) => id).sort())
      await socket.close()
    }
  }, 60_000)

  it('is of one chat and of one sender', async () => {
    const [one, two] = [await server.addGroup(ann, ben), await server.addGroup(ann, ben)]
    const sent = [
      await say(ann, one, 'a', { client_id: 'k' }),
      await say(ann, two, 'b', { client_id: 'k' }),
      await say(ben, one, 'c', { client_id: 'k' }),
    ]
    expect(new Set(sent.map(({ id }) => id)).size).toBe(3)
    expect(sent.map(({ content, client_id }) => [content, client_id])).toEqual([
      ['a', 'k'],
      ['b', 'k'],
      ['c', 'k'],
    ])
  })

  it('answers the first message, whatever the repeat says', async () => {
    const chatId = await server.addGroup(ann, ben)
    const question = await say(ben, chatId, 'question')
    const first = await say(ann, chatId, 'first', { client_id: 'k' })
    expect(await say(ann, chatId, 'second', { client_id: 'k' })).toEqual(first)
    expect(await say(ann, chatId, 'third', { client_id: 'k', reply_to_id: question.id })).toEqual(first)
    const socket = await ann.socket()
    const ack = await socket.ask({ type: 'message', chat_id: chatId, content: 'fourth', client_id: 'k' })
    expect(ack.message).toEqual(first)
    await socket.settle()
    expect(socket.all('new_message')).toEqual([])
    await socket.close()
    expect(await readHead(server, chatId)).toEqual({ seq: 2, rev: 0 })
  })

  it('answers the first message even when the repeat replies to nothing', async () => {
    const chatId = await server.addGroup(ann, ben)
    const first = await say(ann, chatId, 'first', { client_id: 'k' })
    const repeat = { client_id: 'k', reply_to_id: Bun.randomUUIDv7() }
    expect(await say(ann, chatId, 'second', repeat)).toEqual(first)
    // Of another sender it is a fault still, and strangers learn nothing.
    expect((await ben.post('/messages', { chat_id: chatId, content: 'x', ...repeat })).status).toBe(400)
    expect((await eve.post('/messages', { chat_id: chatId, content: 'x', ...repeat })).status).toBe(404)
  })

  it('answers the first message as it is now: edited, or a tombstone', async () => {
    const chatId = await server.addGroup(ann, ben)
    const { id } = await say(ann, chatId, 'first', { client_id: 'k' })
    const edited = (await ann.patch(`/chats/${chatId}/messages/${id}`, { content: 'edited' })).body
    expect(await say(ann, chatId, 'first', { client_id: 'k' })).toEqual(edited)
    const tombstone = (await ann.delete(`/chats/${chatId}/messages/${id}`)).body
    expect(await say(ann, chatId, 'first', { client_id: 'k' })).toEqual(tombstone)
  })

  it('answers a member of a chat that was closed for writing meanwhile; a new send is refused', async () => {
    const chatId = await server.addDm(ann, ben)
    const first = await say(ann, chatId, 'first', { client_id: 'k' })
    const reply = await say(ann, chatId, 'reply', { client_id: 'r', reply_to_id: first.id })
    await closeForWriting(chatId)
    expect(await say(ann, chatId, 'first', { client_id: 'k' })).toEqual(first)
    expect(await say(ann, chatId, 'reply', { client_id: 'r', reply_to_id: first.id })).toEqual(reply)
    expect((await ann.post('/messages', { chat_id: chatId, content: 'x', client_id: 'new' })).status).toBe(403)
    expect((await ben.post('/messages', { chat_id: chatId, content: 'x', client_id: 'k' })).status).toBe(403)
    const asReply = { chat_id: chatId, content: 'x', reply_to_id: first.id }
    expect((await ann.post('/messages', asReply)).status).toBe(403)
    expect(await readHead(server, chatId)).toEqual({ seq: 2, rev: 0 })
  })

  it('answers no one who is not a member any more', async () => {
    const chatId = await server.addGroup(ann, ben)
    await say(ben, chatId, 'first', { client_id: 'k' })
    await ben.delete(`/chats/${chatId}/members/${ben.id}`)
    expect((await ben.post('/messages', { chat_id: chatId, content: 'first', client_id: 'k' })).status).toBe(404)
  })
})

describe('one batch', () => {
  it('stores the good ones, refuses the others each for its own reason, and leaves no gap', async () => {
    const good = await server.addGroup(ann, ben)
    const closed = await server.addDm(ann, eve)
    const early = await say(ann, good, 'early', { client_id: 'early' })
    const earlyInClosed = await say(ann, closed, 'early', { client_id: 'early' })
    await closeForWriting(closed)
    const socket = await ann.socket()
    const answers = await Promise.all(
      upTo(20).flatMap((n) => [
        ann.post('/messages', { chat_id: good, content: `good ${n}` }),
        eve.post('/messages', { chat_id: good, content: 'stranger' }),
        ben.post('/messages', { chat_id: good, content: `good too ${n}`, client_id: `ben ${n}` }),
        ann.post('/messages', { chat_id: Bun.randomUUIDv7(), content: 'unknown chat' }),
        ann.post('/messages', { chat_id: closed, content: 'read-only' }),
        ann.post('/messages', { chat_id: good, content: 'repeat', client_id: 'early' }),
        ann.post('/messages', { chat_id: closed, content: 'repeat', client_id: 'early' }),
        // A repeat of what is in the same batch.
        ben.post('/messages', { chat_id: good, content: `twice ${n}`, client_id: `ben ${n}` }),
      ]),
    )
    const statuses = [201, 404, 201, 404, 403, 201, 201, 201]
    for (const [index, { status }] of answers.entries())
      expect([index % 8, status]).toEqual([index % 8, statuses[index % 8] ?? 0])
    const kinds = (kind: number) => answers.filter((_, index) => index % 8 === kind).map(({ body }) => body)
    for (const body of kinds(5)) expect(body).toEqual(early)
    for (const body of kinds(6)) expect(body).toEqual(earlyInClosed)
    expect(kinds(7).map(({ id }) => id)).toEqual(kinds(2).map(({ id }) => id))

    const stored = await readStored(server, good)
    expect(seqsOf(stored)).toEqual(upTo(41))
    const expected = [early, ...kinds(0), ...kinds(2)].map(({ id, seq }) => `${seq} ${id}`)
    expect(stored.map(({ id, seq }) => `${seq} ${id}`).sort()).toEqual(expected.sort())
    expect(await readHead(server, good)).toEqual({ seq: 41, rev: 0 })
    expect(await readHead(server, closed)).toEqual({ seq: 1, rev: 0 })

    await socket.settle()
    // Between instances only the numbers say what the order was.
    const heard = seqsOf(socket.all('new_message').map(({ message }) => message))
    expect(heard.sort((a, b) => a - b)).toEqual(upTo(41).slice(1))
    await socket.close()
  })
})
