/** Who hears of what: members, their devices, and nobody else. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestSocket } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const message = (chatId: string, content: string) => ({ type: 'message', chat_id: chatId, content })
const contents = (socket: TestSocket) => socket.all('new_message').map((frame) => String(frame.message.content))

describe('joining and leaving', () => {
  it('tells one who is added by chat_created with the head, then the messages', async () => {
    const [owner, joiner, member] = [await server.addUser(), await server.addUser(), await server.addUser()]
    const devices = [await joiner.socket(), await joiner.socket()]
    const watcher = await member.socket()
    const chatId = await server.addGroup(owner, member)
    await owner.post('/messages', { chat_id: chatId, content: 'before' })
    const added = await owner.post(`/chats/${chatId}/members`, { user_ids: [joiner.id] })
    expect(added.body).toEqual({ added: [joiner.id], member_count: 3 })
    // The head is as of when it is read: a message sent before that would stand in it already.
    for (const socket of devices) {
      const created = await socket.next('chat_created')
      expect(created).toMatchObject({ chat_id: chatId, head: { seq: 1, rev: 0 } })
      expect(created.chat).toMatchObject({ id: chatId, role: 'member', member_count: 3, unread_count: 0, last_seq: 1 })
    }
    await owner.post('/messages', { chat_id: chatId, content: 'after' })
    for (const socket of devices) {
      expect(await socket.next('new_message')).toMatchObject({ message: { content: 'after', seq: 2 } })
      const order = socket.frames.map(({ type }) => type)
      expect(order.indexOf('chat_created')).toBeLessThan(order.indexOf('new_message'))
      expect(contents(socket)).toEqual(['after'])
    }
    expect(await watcher.next('member_joined')).toEqual({
      type: 'member_joined',
      chat_id: chatId,
      user_id: joiner.id,
      member_count: 3,
    })
    await Promise.all([...devices, watcher].map((socket) => socket.close()))
  })

  it('tells all whom a new group or direct chat includes, its maker too', async () => {
    const [owner, member] = [await server.addUser(), await server.addUser()]
    const sockets = [await owner.socket(), await member.socket()]
    const chats = [await server.addGroup(owner, member), await server.addDm(owner, member)]
    for (const socket of sockets)
      for (const chatId of chats) await socket.next('chat_created', (frame) => frame.chat_id === chatId)
    // A second call finds the chat; nobody is told again.
    await server.addDm(member, owner)
    for (const socket of sockets) {
      await socket.settle()
      expect(socket.all('chat_created')).toHaveLength(2)
      await socket.close()
    }
  })

  it('cuts off at once one who is removed: chat_removed is the last they hear; the others get member_left', async () => {
    const [owner, victim, member] = [await server.addUser(), await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(owner, victim, member)
    const devices = [await victim.socket(), await victim.socket()]
    const watcher = await member.socket()
    const sender = await owner.socket()
    let isOver = false
    const flow = (async () => {
      for (let n = 0; !isOver; n++) expect(await sender.ask(message(chatId, `${n}`))).toMatchObject({ type: 'ack' })
    })()
    await devices[0]?.next('new_message')
    expect((await owner.delete(`/chats/${chatId}/members/${victim.id}`)).status).toBe(200)
    await watcher.next('member_left', (f) => f.user_id === victim.id && f.member_count === 2)
    for (const socket of devices) await socket.next('chat_removed', (f) => f.chat_id === chatId)
    await Bun.sleep(100)
    isOver = true
    await flow
    // Whatever else is told of the chat.
    await owner.patch(`/chats/${chatId}`, { name: 'Renamed' })
    await sender.ask({ type: 'typing', chat_id: chatId })
    await sender.ask({ type: 'read', chat_id: chatId })
    await sender.ask({ type: 'join_chat', chat_id: chatId })
    for (const socket of devices) {
      await socket.settle()
      const last = socket.frames.findLastIndex((frame) => JSON.stringify(frame).includes(chatId))
      expect(socket.frames[last]).toEqual({ type: 'chat_removed', chat_id: chatId })
      expect(await socket.ask(message(chatId, 'x'))).toMatchObject({ error: 'Chat not found' })
      for (const type of ['typing', 'read', 'join_chat'])
        expect(await socket.ask({ type, chat_id: chatId })).toMatchObject({ error: 'Chat not found' })
    }
    expect(contents(watcher).length).toBeGreaterThan(0)
    await Promise.all([...devices, watcher, sender].map((socket) => socket.close()))
  })

  it('tells one who leaves, and all when the chat is deleted', async () => {
    const [owner, leaver, member] = [await server.addUser(), await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(owner, leaver, member)
    const sockets = { owner: await owner.socket(), leaver: await leaver.socket(), member: await member.socket() }
    expect((await leaver.delete(`/chats/${chatId}/members/${leaver.id}`)).status).toBe(200)
    await sockets.leaver.next('chat_removed')
    await sockets.member.next('member_left', (f) => f.user_id === leaver.id)
    expect((await owner.delete(`/chats/${chatId}`)).status).toBe(200)
    await sockets.owner.next('chat_removed', (f) => f.chat_id === chatId)
    await sockets.member.next('chat_removed', (f) => f.chat_id === chatId)
    await Promise.all(Object.values(sockets).map((socket) => socket.close()))
  })

  it('lets one who comes back follow again', async () => {
    const [owner, member] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(owner, member)
    const socket = await member.socket()
    for (let round = 1; round <= 3; round++) {
      await owner.delete(`/chats/${chatId}/members/${member.id}`)
      await socket.next('chat_removed')
      await owner.post('/messages', { chat_id: chatId, content: 'unheard' })
      await owner.post(`/chats/${chatId}/members`, { user_ids: [member.id] })
      await socket.next('chat_created', (f) => f.head.seq === 2 * round - 1)
      await owner.post('/messages', { chat_id: chatId, content: 'heard' })
      await socket.next('new_message')
    }
    expect(contents(socket)).toEqual(['heard', 'heard', 'heard'])
    await socket.close()
  })

  it('tells of a new name and of roles', async () => {
    const [owner, member] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(owner, member)
    const socket = await member.socket()
    await owner.patch(`/chats/${chatId}`, { name: 'New name' })
    expect(await socket.next('chat_updated')).toEqual({ type: 'chat_updated', chat_id: chatId, name: 'New name' })
    await owner.patch(`/chats/${chatId}/members/${member.id}`, { role: 'owner' })
    expect(await socket.next('chat_updated')).toEqual({
      type: 'chat_updated',
      chat_id: chatId,
      owner_id: member.id,
      member: { user_id: member.id, role: 'owner' },
    })
    await socket.close()
  })
})

describe('several devices', () => {
  it('all get each message once; the sending one gets its ack first', async () => {
    const [user, peer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(user, peer)
    const [phone, laptop, other] = [await user.socket(), await user.socket(), await peer.socket()]
    const acks = await Promise.all(Array.from({ length: 20 }, (_, n) => phone.ask(message(chatId, `${n}`))))
    expect(acks.map((ack) => ack.message.seq)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
    const expected = Array.from({ length: 20 }, (_, n) => `${n}`)
    for (const socket of [phone, laptop, other]) {
      await socket.next('new_message', (f) => f.message.seq === 20)
      await socket.settle()
      expect(contents(socket)).toEqual(expected)
    }
    for (const [n, ack] of acks.entries()) {
      const event = phone.frames.findIndex((f) => f.type === 'new_message' && f.message.seq === n + 1)
      expect(phone.frames.indexOf(ack)).toBeLessThan(event)
      expect(phone.frames[event].message).toEqual(ack.message)
    }
    await Promise.all([phone, laptop, other].map((socket) => socket.close()))
  })

  it('agree on what was read, and the others in the chat see it', async () => {
    const [user, peer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(user, peer)
    for (const content of ['1', '2', '3']) await peer.post('/messages', { chat_id: chatId, content })
    const [phone, laptop, other] = [await user.socket(), await user.socket(), await peer.socket()]
    const ack = await phone.ask({ type: 'read', chat_id: chatId, seq: 2 })
    expect(ack).toMatchObject({ last_read_seq: 2, unread_count: 1 })
    for (const socket of [phone, laptop, other]) {
      const event = await socket.next('read')
      expect(event).toMatchObject({ chat_id: chatId, user_id: user.id, last_read_seq: 2, unread_count: 1 })
      expect(Number.isNaN(Date.parse(event.last_read_at))).toBe(false)
    }
    await user.post(`/chats/${chatId}/read`, {})
    await laptop.next('read', (f) => f.last_read_seq === 3 && f.unread_count === 0)
    await Promise.all([phone, laptop, other].map((socket) => socket.close()))
  })
})

describe('the frames of one socket', () => {
  it('take effect in their order', async () => {
    const [user, peer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(user, peer)
    const socket = await user.socket()
    const asked = []
    for (let n = 1; n <= 60; n++) {
      asked.push(socket.ask(message(chatId, `${n}`)))
      // A frame that waits for all before it: it sees exactly the messages sent so far.
      if (n % 3 === 0) asked.push(socket.ask({ type: 'read', chat_id: chatId }))
    }
    const answers = await Promise.all(asked)
    let sent = 0
    for (const answer of answers) {
      if (answer.message) expect(answer.message.seq).toBe(++sent)
      else expect(answer.last_read_seq).toBe(sent)
    }
    expect(sent).toBe(60)
    await socket.close()
  })

  it('are answered as each deserves, one failing does not stop the others', async () => {
    const [user, peer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(user, peer)
    const elsewhere = await server.addDm(peer, await server.addUser())
    const socket = await user.socket()
    const answers = await Promise.all([
      socket.ask(message(chatId, 'one')),
      socket.ask(message(elsewhere, 'not mine')),
      socket.ask({ type: 'typing', chat_id: elsewhere }),
      socket.ask({ ...message(chatId, 'reply'), reply_to_id: Bun.randomUUIDv7() }),
      socket.ask(message(chatId, 'two')),
    ])
    expect(answers.map(({ type }) => type)).toEqual(['ack', 'error', 'error', 'error', 'ack'])
    expect(answers.at(-1)).toMatchObject({ message: { seq: 2 } })
    await socket.close()
  })
})

describe('in a chat of more than 200', () => {
  it('typing and presence are told to nobody, and read to the reader alone', async () => {
    const [owner, member] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(owner, member)
    // Beyond the limit of groups, as a channel or an older limit could make it.
    await server.database.sql`update chats set member_count = 201 where id = ${chatId}`
    const watcher = await member.socket()
    const [phone, laptop] = [await owner.socket(), await owner.socket()]
    await owner.post('/messages', { chat_id: chatId, content: 'hello' })
    await member.post('/messages', { chat_id: chatId, content: 'hello' })
    expect(await phone.ask({ type: 'typing', chat_id: chatId })).toMatchObject({ type: 'ack' })
    expect(await phone.ask({ type: 'read', chat_id: chatId })).toMatchObject({ type: 'ack', last_read_seq: 2 })
    await laptop.next('read', (f) => f.last_read_seq === 2)
    await phone.next('read')
    await watcher.settle()
    for (const type of ['typing', 'read', 'online_status']) expect(watcher.all(type)).toEqual([])
    const { body } = await member.get(`/chats/${chatId}`)
    expect(body.peer_read_seq).toBeNull()
    await Promise.all([watcher, phone, laptop].map((socket) => socket.close()))
  })
})
