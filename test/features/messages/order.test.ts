import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Json, TestUser } from '../../support/client.ts'
import { readHead, startServer, type TestServer } from '../../support/server.ts'
import { readStored, say, seqsOf, upTo } from './support.ts'

let server: TestServer
let ann: TestUser
let ben: TestUser

beforeAll(async () => {
  server = await startServer()
  ann = await server.addUser('ann')
  ben = await server.addUser('ben')
})
afterAll(() => server.stop())

describe('the order of one socket', () => {
  it('is that of its 500 sends, replies and reads between them included', async () => {
    const chatId = await server.addGroup(ann, ben)
    const target = await say(ben, chatId, 'target')
    const [socket, other] = [await ann.socket(), await ben.socket()]
    for (const n of upTo(500)) {
      const reply_to_id = n % 7 === 0 ? target.id : undefined
      socket.send({ type: 'message', ref: n, chat_id: chatId, content: `number ${n}`, reply_to_id })
      if (n % 11 === 0) socket.send({ type: 'read', ref: `read ${n}`, chat_id: chatId })
      if (n % 50 === 0) socket.send({ type: 'ping', ref: `ping ${n}` })
    }
    await socket.find((frame) => frame.ref === 'ping 500', 20_000)

    const stored = await readStored(server, chatId)
    expect(stored.map(({ content }) => content)).toEqual(['target', ...upTo(500).map((n) => `number ${n}`)])
    expect(seqsOf(stored)).toEqual(upTo(501))
    // What comes after a send sees it: each read covers exactly the sends before it.
    for (const { ref, last_read_seq } of socket.frames.filter((f) => String(f.ref).startsWith('read'))) {
      expect([ref, last_read_seq]).toEqual([ref, 1 + Number(ref.slice('read '.length))])
    }
    expect(socket.frames.filter((f) => String(f.ref).startsWith('read'))).toHaveLength(45)
    // Both sockets hear of them in the same order.
    await other.settle()
    for (const heard of [socket, other]) {
      expect(seqsOf(heard.all('new_message').map(({ message }) => message))).toEqual(upTo(501).slice(1))
      await heard.close()
    }
  }, 60_000)

  it('holds over several chats at once', async () => {
    const chatIds = [await server.addGroup(ann), await server.addGroup(ann), await server.addDm(ann, ben)]
    const socket = await ann.socket()
    for (const n of upTo(300)) {
      socket.send({ type: 'message', ref: n, chat_id: chatIds[n % 3], content: `number ${n}` })
    }
    await socket.settle()
    await socket.close()
    for (const [place, chatId] of chatIds.entries()) {
      const expected = upTo(300).flatMap((n) => (n % 3 === place ? [`number ${n}`] : []))
      expect((await readStored(server, chatId)).map(({ content }) => content)).toEqual(expected)
    }
  })

  it('answers each send before it tells of the message, and tells of it once', async () => {
    const chatId = await server.addGroup(ann, ben)
    const target = await say(ben, chatId, 'target')
    const socket = await ann.socket()
    for (const n of upTo(60)) {
      const reply_to_id = n % 5 === 0 ? target.id : undefined
      socket.send({ type: 'message', ref: n, chat_id: chatId, content: `number ${n}`, reply_to_id })
    }
    await socket.settle()
    await socket.next('new_message', ({ message }) => message.content === 'number 60')
    const places = (fits: (frame: Json) => boolean) =>
      socket.frames.flatMap((frame, place) => (fits(frame) ? [{ place, message: frame.message }] : []))
    for (const n of upTo(60)) {
      const [ack, ...otherAcks] = places((f) => f.type === 'ack' && f.ref === n)
      const [told, ...again] = places((f) => f.type === 'new_message' && f.message.id === ack?.message.id)
      expect(otherAcks).toEqual([])
      expect(again).toEqual([])
      expect(told?.message).toEqual(ack?.message)
      expect(ack?.place ?? Number.NaN).toBeLessThan(told?.place ?? Number.NaN)
    }
    await socket.close()
  })
})

describe('the numbers of a chat', () => {
  it('have no gap, however many write and are refused at once', async () => {
    const chatId = await server.addGroup(ann, ben)
    const strangers = await Promise.all([server.addUser(), server.addUser()])
    const sockets = await Promise.all([ann.socket(), ben.socket(), strangers[0]?.socket()])
    const answers = await Promise.all(
      upTo(600).map(async (n) => {
        const frame = { chat_id: chatId, content: `number ${n}`, client_id: n % 10 === 0 ? 'the same' : undefined }
        const socket = sockets[n % 3]
        if (n % 2 && socket) return (await socket.ask({ type: 'message', ...frame })).message
        const { status, body } = await ([ann, ben, ...strangers][n % 4] ?? ann).post('/messages', frame)
        return status === 201 ? body : undefined
      }),
    )
    const stored = await readStored(server, chatId)
    expect(seqsOf(stored)).toEqual(upTo(stored.length))
    expect(await readHead(server, chatId)).toEqual({ seq: stored.length, rev: 0 })
    const answered = new Map(answers.flatMap((message) => (message ? [[message.id, message.seq]] : [])))
    expect(answered).toEqual(new Map(stored.map(({ id, seq }) => [id, seq])))
    expect(stored.length).toBeGreaterThan(250)
    for (const socket of sockets) await socket?.close()
  }, 60_000)
})
