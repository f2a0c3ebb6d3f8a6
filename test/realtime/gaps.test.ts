/** The bus was cut: what changed meanwhile on another server is found out, and clients are told to sync. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'
import { type AppServer, startAppServer } from './app-server.ts'

describe('after a gap', () => {
  /** What is done on `elsewhere` is not heard on `here`. */
  let elsewhere: TestServer
  let here: AppServer
  beforeAll(async () => {
    elsewhere = await startServer()
    here = await startAppServer(elsewhere)
  })
  afterAll(async () => {
    await here.stop()
    await elsewhere.stop()
  })

  it('takes a removed member out of the chat before telling them to sync', async () => {
    const [owner, member] = [await elsewhere.addUser(), await elsewhere.addUser()]
    const chatId = await elsewhere.addGroup(owner, member)
    const socket = await here.here(member).socket()
    await owner.delete(`/chats/${chatId}/members/${member.id}`)
    await here.here(owner).post('/messages', { chat_id: chatId, content: 'still leaking' })
    await socket.next('new_message')

    here.gap()
    await socket.next('resync')
    expect(socket.frames.slice(-2).map(({ type }) => type)).toEqual(['chat_removed', 'resync'])
    await here.here(owner).post('/messages', { chat_id: chatId, content: 'not for you' })
    await socket.settle()
    expect(socket.all('new_message')).toHaveLength(1)
    await socket.close()
  })

  it('lets a new member follow the chat', async () => {
    const [owner, member] = [await elsewhere.addUser(), await elsewhere.addUser()]
    const socket = await here.here(member).socket()
    const chatId = await elsewhere.addGroup(owner, member)
    await socket.settle()
    expect(socket.all('chat_created')).toEqual([])

    here.gap()
    await socket.next('resync')
    expect(await socket.next('chat_created')).toMatchObject({ chat_id: chatId, head: { seq: 0, rev: 0 } })
    await here.here(owner).post('/messages', { chat_id: chatId, content: 'welcome' })
    expect(await socket.next('new_message')).toMatchObject({ message: { content: 'welcome' } })
    await socket.close()
  })

  it('tells every socket once for gaps that come together, and takes nothing from whoever lost nothing', async () => {
    const [user, peer] = [await elsewhere.addUser(), await elsewhere.addUser()]
    const chatId = await elsewhere.addDm(user, peer)
    const sockets = await Promise.all([here.here(user).socket(), here.here(user).socket(), here.here(peer).socket()])
    here.gap()
    for (const socket of sockets) await socket.next('resync')
    await here.here(user).post('/messages', { chat_id: chatId, content: 'hello' })
    for (const socket of sockets) await socket.next('new_message')
    for (const socket of sockets) {
      expect(socket.all('resync')).toHaveLength(1)
      expect(socket.all('chat_removed')).toEqual([])
      expect(socket.all('chat_created')).toEqual([])
      await socket.close()
    }
  })

  it('never takes a chat that was joined while the list was read', async () => {
    const [owner, member] = [await elsewhere.addUser(), await elsewhere.addUser()]
    const socket = await here.here(member).socket()
    const chats: string[] = []
    for (let round = 0; round < 20; round++) {
      here.gap()
      const { body } = await here.here(owner).post('/chats', { name: 'G', type: 'group', member_ids: [member.id] })
      chats.push(body.id)
    }
    for (const id of chats) await socket.next('chat_created', ({ chat_id }) => chat_id === id)
    here.gap()
    await socket.next('resync')
    expect(socket.all('chat_removed')).toEqual([])
    // Each once; of several chats each is told when its own subscription stands.
    const told = socket.all('chat_created').map(({ chat_id }) => chat_id)
    expect(told.toSorted()).toEqual(chats.toSorted())
    await socket.close()
  })
})
