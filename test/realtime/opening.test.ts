/** Opening a socket while the world goes on: nothing falls between `user_chats` and the first event. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { type Json, TestSocket, type TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const open = (user: TestUser) =>
  new TestSocket(`${server.url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${user.token}` } })

const seqsOf = (socket: TestSocket, chatId: string): number[] =>
  socket
    .all('new_message')
    .filter(({ message }) => message.chat_id === chatId)
    .map(({ message }) => Number(message.seq))

/** On one instance events come in their order; between several only the numbers say what it was. */
const areSeveral = () => server.instanceUrls.length > 1
const asTold = (numbers: number[]) => (areSeveral() ? numbers.toSorted((a, b) => a - b) : numbers)

const from = (first: number, last: number) => Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)

describe('a socket that opens while messages are sent', () => {
  it('knows each message by its heads or gets it after user_chats, in order, without a gap', async () => {
    const writers = [await server.addUser(), await server.addUser()]
    const readers = await Promise.all(Array.from({ length: 8 }, () => server.addUser()))
    const chats = await Promise.all(writers.map((writer) => server.addGroup(writer, ...writers, ...readers)))
    const sending = await Promise.all(writers.map((writer) => writer.socket()))

    let isOver = false
    const send = async (socket: TestSocket) => {
      for (let n = 0; !isOver; n++) {
        const acks = chats.map((chat_id) => socket.ask({ type: 'message', chat_id, content: `${n}` }))
        for (const ack of await Promise.all(acks)) expect(ack.type).toBe('ack')
        await Bun.sleep(0)
      }
    }
    const flows = sending.map(send)
    const opened: TestSocket[] = []
    for (let round = 0; round < 15; round++) {
      opened.push(...readers.map(open))
      await Bun.sleep(10 + Math.random() * 20)
    }
    await Promise.all(opened.map((socket) => socket.find((f) => f.type === 'user_chats', 20_000)))
    isOver = true
    await Promise.all(flows)
    await Promise.all(opened.map((socket) => socket.settle()))

    const ends = new Map<string, number>()
    for (const chatId of chats) ends.set(chatId, Number((await writers[0]?.get(`/chats/${chatId}`))?.body.last_seq))
    let fell = 0
    for (const socket of opened) {
      expect(socket.frames[0]?.type).toBe('user_chats')
      for (const [chatId, end] of ends) {
        const start = Number(socket.frames[0]?.heads[chatId].seq)
        fell += end - start
        const seqs = asTold(seqsOf(socket, chatId))
        // What was read with the head may come once more: clients drop what they have.
        expect(seqs.filter((seq) => seq > start)).toEqual(from(start + 1, end))
        // Of those one instance may tell the first after another has told the second, so that only one of them comes.
        if (!areSeveral()) expect(seqs).toEqual(from(seqs[0] ?? end + 1, end))
      }
    }
    // It was a race at all: sockets opened in the midst of it.
    expect(fell).toBeGreaterThan(0)
    expect(opened.some(({ frames }) => Number(frames[0]?.heads[chats[0] ?? ''].seq) > 0)).toBe(true)
    await Promise.all([...opened, ...sending].map((socket) => socket.close()))
  }, 60_000)

  it('learns of edits and deletions the same way', async () => {
    const [writer, reader] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(writer, reader)
    const ids: string[] = []
    for (let n = 0; n < 30; n++)
      ids.push((await writer.post('/messages', { chat_id: chatId, content: `${n}` })).body.id)
    const opened: TestSocket[] = []
    for (const [n, id] of ids.entries()) {
      const path = `/chats/${chatId}/messages/${id}`
      const change = n % 2 ? writer.patch(path, { content: 'changed' }) : writer.delete(path)
      opened.push(open(reader), open(reader))
      expect((await change).status).toBe(200)
    }
    for (const socket of opened) {
      await socket.find((f) => f.type === 'user_chats')
      await socket.settle()
      const start = Number(socket.frames[0]?.heads[chatId].rev)
      const changes = socket.frames.filter(({ type }) => type === 'message_updated' || type === 'message_deleted')
      const revs = asTold(changes.map(({ rev }) => Number(rev)))
      expect(revs.filter((rev) => rev > start)).toEqual(from(start + 1, ids.length))
      await socket.close()
    }
  })
})

describe('a socket that opens while memberships change', () => {
  it('ends up following exactly the chats its user is in', async () => {
    const owner = await server.addUser()
    const members = await Promise.all(Array.from({ length: 6 }, () => server.addUser()))
    const chats = await Promise.all([1, 2, 3].map(() => server.addGroup(owner, ...members)))
    const opened: { user: TestUser; socket: TestSocket }[] = []
    for (let round = 0; round < 5; round++) {
      const changes = chats.flatMap((chatId) =>
        members.map((user) =>
          round % 2
            ? owner.post(`/chats/${chatId}/members`, { user_ids: [user.id] })
            : owner.delete(`/chats/${chatId}/members/${user.id}`),
        ),
      )
      for (let i = 0; i < 3; i++) {
        opened.push(...members.map((user) => ({ user, socket: open(user) })))
        await Bun.sleep(5)
      }
      for (const { status } of await Promise.all(changes)) expect(status).toBe(200)
    }
    // The last round removed everybody; now a third of them come back.
    const [back, gone] = [members.slice(0, 2), members.slice(2)]
    for (const chatId of chats)
      expect((await owner.post(`/chats/${chatId}/members`, { user_ids: back.map(({ id }) => id) })).status).toBe(200)
    await Promise.all(opened.map(({ socket }) => socket.find((f) => f.type === 'user_chats', 20_000)))
    await Promise.all(opened.map(({ socket }) => socket.settle()))
    for (const chatId of chats) await owner.post('/messages', { chat_id: chatId, content: 'after all' })
    await Bun.sleep(200)
    for (const { user, socket } of opened) {
      await socket.settle()
      const heard = socket.all('new_message').map(({ message }) => String(message.chat_id))
      expect(heard.sort()).toEqual(gone.includes(user) ? [] : [...chats].sort())
      expect(knownChats(socket)).toEqual(gone.includes(user) ? [] : [...chats].sort())
    }
    await Promise.all(opened.map(({ socket }) => socket.close()))
  }, 60_000)
})

/** The chats a client believes it is in, from what its socket was told, in order. */
function knownChats({ frames }: TestSocket): string[] {
  const known = new Set<string>()
  for (const frame of frames as Json[]) {
    if (frame.type === 'user_chats') for (const id of frame.chat_ids) known.add(id)
    if (frame.type === 'chat_created') known.add(frame.chat_id)
    if (frame.type === 'chat_removed') known.delete(frame.chat_id)
  }
  return [...known].sort()
}

describe('a session that ends while its socket opens', () => {
  it('never leaves the socket open', async () => {
    for (let round = 0; round < 20; round++) {
      const user = await server.addUser()
      const ender = await server.addSession(user.id)
      const socket = open(user)
      await Bun.sleep(Math.random() * 8)
      expect((await ender.delete(`/auth/sessions/${user.sessionId}`)).status).toBe(200)
      const { code } = await Promise.race([socket.closed, Bun.sleep(1000).then(() => ({ code: 0 }))])
      // Refused at the handshake, or closed after it.
      expect([1002, 1006, 4401]).toContain(code)
      if (code === 4401) expect(socket.frames.at(-1)?.type).toBe('session_revoked')
    }
  })
})
