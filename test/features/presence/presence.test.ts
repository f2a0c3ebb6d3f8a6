/** Online and offline, who looks at a chat, who types. */
import { afterAll, beforeAll, describe, expect, it, test } from 'bun:test'
import type { TestSocket, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

/** What a socket was told of a user, in order. */
const states = (socket: TestSocket, user: TestUser): boolean[] =>
  socket
    .all('online_status')
    .filter(({ user_id }) => user_id === user.id)
    .map(({ is_online }) => is_online)

async function pair(): Promise<{ user: TestUser; peer: TestUser; chatId: string; watcher: TestSocket }> {
  const [user, peer] = [await server.addUser(), await server.addUser()]
  const chatId = await server.addDm(user, peer)
  return { user, peer, chatId, watcher: await peer.socket() }
}

const isOnline = async (peer: TestUser, chatId: string) => (await peer.get(`/chats/${chatId}`)).body.peer.is_online

describe('online', () => {
  test.concurrent('from the first socket on until 5 s after the last', async () => {
    const { user, peer, chatId, watcher } = await pair()
    expect(await isOnline(peer, chatId)).toBe(false)
    const phone = await user.socket()
    await watcher.next('online_status', (f) => f.user_id === user.id && f.is_online)
    expect(await isOnline(peer, chatId)).toBe(true)
    const laptop = await user.socket()
    await phone.close()
    await Bun.sleep(5500)
    // The second device keeps the user online, and changed nothing when it came.
    expect(states(watcher, user)).toEqual([true])
    const closedAt = performance.now()
    await laptop.close()
    await watcher.next('online_status', (f) => f.user_id === user.id && !f.is_online)
    expect(performance.now() - closedAt).toBeGreaterThan(4900)
    expect(await isOnline(peer, chatId)).toBe(false)
    expect(states(watcher, user)).toEqual([true, false])
    await watcher.close()
  })

  test.concurrent('without a flicker when the connection comes back quickly', async () => {
    const { user, watcher } = await pair()
    let socket = await user.socket()
    for (let round = 0; round < 4; round++) {
      await socket.close()
      await Bun.sleep(200)
      socket = await user.socket()
    }
    await Bun.sleep(5500)
    expect(states(watcher, user)).toEqual([true])
    await socket.close()
    await watcher.close()
  })

  test.concurrent('each once when several sockets open and close at once', async () => {
    const { user, watcher } = await pair()
    const sockets = await Promise.all(Array.from({ length: 10 }, () => user.socket()))
    await Promise.all(sockets.map((socket) => socket.close()))
    await watcher.next('online_status', (f) => f.user_id === user.id && !f.is_online)
    expect(states(watcher, user)).toEqual([true, false])
    await watcher.close()
  })

  test.concurrent('is told to those who share a chat of up to 200, and to no stranger', async () => {
    const [user, member, stranger] = [await server.addUser(), await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(user, member)
    const [watcher, other] = [await member.socket(), await stranger.socket()]
    const socket = await user.socket()
    const told = await watcher.next('online_status', (f) => f.user_id === user.id)
    expect(told).toEqual({ type: 'online_status', user_id: user.id, is_online: true, timestamp: told.timestamp })
    expect(Math.abs(told.timestamp - Date.now() / 1000)).toBeLessThan(60)
    await other.settle()
    expect(states(other, user)).toEqual([])
    const { body } = await member.get(`/chats/${chatId}/members`)
    expect(body.members.map((m: { is_online: boolean }) => m.is_online)).toEqual([true, true])
    await Promise.all([watcher, other, socket].map((one) => one.close()))
  })

  test.concurrent('ends with the session, and last_seen is kept', async () => {
    const { user, peer, watcher } = await pair()
    const socket = await user.socket()
    await user.post('/auth/logout', { refresh_token: user.refreshToken })
    expect(await socket.closed).toMatchObject({ code: 4401 })
    await watcher.next('online_status', (f) => f.user_id === user.id && !f.is_online)
    await Bun.sleep(5500)
    const { body } = await peer.get(`/users/${user.id}`)
    expect(Date.now() - Date.parse(body.last_seen)).toBeLessThan(60_000)
    await watcher.close()
  })
})

describe('typing', () => {
  test.concurrent('is told once a second at most, however often and on however many sockets', async () => {
    const { user, chatId, watcher } = await pair()
    const sockets = await Promise.all(Array.from({ length: 5 }, () => user.socket()))
    const startedAt = performance.now()
    for (let n = 0; n < 20; n++)
      await Promise.all(sockets.map((socket) => socket.ask({ type: 'typing', chat_id: chatId })))
    await watcher.settle()
    const told = watcher.all('typing').filter(({ is_typing }) => is_typing).length
    expect(told).toBeGreaterThan(0)
    expect(told).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - startedAt) / 1000))
    await Promise.all([...sockets, watcher].map((one) => one.close()))
  })

  test.concurrent('is told at once and over 3 s after the last time', async () => {
    const { user, chatId, watcher } = await pair()
    const socket = await user.socket()
    const frame = { type: 'typing', chat_id: chatId }
    expect(await socket.ask(frame)).toMatchObject({ type: 'ack' })
    const started = await watcher.next('typing', (f) => f.is_typing)
    expect(started).toMatchObject({ chat_id: chatId, user_id: user.id })
    await Bun.sleep(1500)
    const againAt = performance.now()
    await socket.ask(frame)
    await watcher.next('typing', (f) => f.is_typing)
    await watcher.next('typing', (f) => !f.is_typing)
    expect(performance.now() - againAt).toBeGreaterThan(2900)
    expect(watcher.all('typing').map((f) => f.is_typing)).toEqual([true, true, false])
    await Promise.all([socket, watcher].map((one) => one.close()))
  })

  test.concurrent('clears itself also when the typist is gone, and each typist apart', async () => {
    const { user, peer, chatId, watcher } = await pair()
    const socket = await user.socket()
    await socket.ask({ type: 'typing', chat_id: chatId })
    await watcher.ask({ type: 'typing', chat_id: chatId })
    await socket.close()
    for (const typist of [user, peer]) await watcher.next('typing', (f) => !f.is_typing && f.user_id === typist.id)
    await watcher.close()
  })
})

describe('join_chat', () => {
  it('tells those in the chat, and the joining one who is there already', async () => {
    const { user, peer, chatId, watcher } = await pair()
    const socket = await user.socket()
    await socket.ask({ type: 'join_chat', chat_id: chatId })
    expect(await watcher.next('chat_presence')).toEqual({
      type: 'chat_presence',
      chat_id: chatId,
      user_id: user.id,
      is_joined: true,
    })
    await watcher.ask({ type: 'join_chat', chat_id: chatId })
    await watcher.next('chat_presence', (f) => f.user_id === user.id && f.is_joined)
    await socket.next('chat_presence', (f) => f.user_id === peer.id && f.is_joined)
    await socket.ask({ type: 'leave_chat', chat_id: chatId })
    await watcher.next('chat_presence', (f) => f.user_id === user.id && !f.is_joined)
    await Promise.all([socket, watcher].map((one) => one.close()))
  })

  it('counts devices: told once when the first joins, once when the last leaves, by frame or by closing', async () => {
    const { user, chatId, watcher } = await pair()
    const sockets = await Promise.all([user.socket(), user.socket(), user.socket()])
    for (const socket of sockets) {
      await socket.ask({ type: 'join_chat', chat_id: chatId })
      await socket.ask({ type: 'join_chat', chat_id: chatId })
    }
    await sockets[0]?.ask({ type: 'leave_chat', chat_id: chatId })
    await sockets[0]?.ask({ type: 'leave_chat', chat_id: chatId })
    await sockets[1]?.close()
    await sockets[0]?.settle()
    await watcher.settle()
    const told = () => watcher.all('chat_presence').map((f) => f.is_joined)
    expect(told()).toEqual([true])
    await sockets[2]?.close()
    await watcher.next('chat_presence', (f) => !f.is_joined)
    expect(told()).toEqual([true, false])
    await Promise.all([sockets[0], watcher].map((one) => one?.close()))
  })

  it('ends with the membership', async () => {
    const [owner, member] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(owner, member)
    const [watcher, socket] = [await owner.socket(), await member.socket()]
    await socket.ask({ type: 'join_chat', chat_id: chatId })
    await owner.delete(`/chats/${chatId}/members/${member.id}`)
    await watcher.next('chat_presence', (f) => f.user_id === member.id && !f.is_joined)
    await socket.close()
    await watcher.ask({ type: 'join_chat', chat_id: chatId })
    await watcher.settle()
    expect(watcher.all('chat_presence').filter((f) => f.user_id === member.id)).toHaveLength(2)
    await watcher.close()
  })

  it('counts nobody in a chat of more than 200, nor afterwards those who joined it then', async () => {
    const { user, peer, chatId, watcher } = await pair()
    const [phone, laptop] = [await user.socket(), await user.socket()]
    const join = { type: 'join_chat', chat_id: chatId }
    const resize = (count: number) => server.database.sql`update chats set member_count = ${count} where id = ${chatId}`
    await resize(201)
    expect(await phone.ask(join)).toMatchObject({ type: 'ack' })
    expect(await watcher.ask(join)).toMatchObject({ type: 'ack' })
    await resize(2)
    expect(await laptop.ask(join)).toMatchObject({ type: 'ack' })
    await watcher.next('chat_presence', (f) => f.user_id === user.id && f.is_joined)
    await phone.ask({ type: 'leave_chat', chat_id: chatId })
    await phone.close()
    await watcher.settle()
    expect(watcher.all('chat_presence').map((f) => f.is_joined)).toEqual([true])
    expect(laptop.all('chat_presence').filter((f) => f.user_id === peer.id)).toEqual([])
    await Promise.all([laptop, watcher].map((socket) => socket.close()))
  })

  it('is refused in chats of others', async () => {
    const { chatId } = await pair()
    const stranger = await server.addUser()
    const socket = await stranger.socket()
    expect(await socket.ask({ type: 'join_chat', chat_id: chatId })).toMatchObject({ error: 'Chat not found' })
    expect(await socket.ask({ type: 'leave_chat', chat_id: chatId })).toMatchObject({ type: 'ack' })
    await socket.close()
  })
})
