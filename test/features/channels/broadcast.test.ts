import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestSocket, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { addUsers, overviewOf, say } from '../chats/support.ts'
import { addChannel, readBoth, subscribe } from './support.ts'

let server: TestServer
let owner: TestUser
let admin: TestUser
let reader: TestUser
let other: TestUser
let id: string
beforeAll(async () => {
  server = await startServer()
  ;[owner, admin, reader, other] = (await addUsers(server, 4)) as [TestUser, TestUser, TestUser, TestUser]
  id = await makeChannel()
})
afterAll(() => server.stop())

/** With an admin and two plain subscribers. */
async function makeChannel(): Promise<string> {
  const channel = await addChannel(owner)
  await subscribe(channel.id, admin, reader, other)
  await owner.patch(`/chats/${channel.id}/members/${admin.id}`, { role: 'admin' })
  return channel.id
}

/** What each has heard since, without the answers to its own frames. */
async function withSockets(users: TestUser[], act: (...sockets: TestSocket[]) => Promise<unknown>) {
  const sockets = await Promise.all(users.map((user) => user.socket()))
  await act(...sockets)
  for (const socket of sockets) await socket.settle()
  await Promise.all(sockets.map((socket) => socket.close()))
  return sockets.map(({ frames }) =>
    frames.filter(({ type }) => !['user_chats', 'pong', 'ack', 'error'].includes(type)),
  )
}

describe('a post', () => {
  it('is for owner and admins, by REST and by socket', async () => {
    for (const user of [owner, admin]) expect((await say(user, id, 'news')).chat_id).toBe(id)
    const refusal = { error: 'You may not post in this channel' }
    const post = { chat_id: id, content: 'me too' }
    expect(await reader.post('/messages', post)).toMatchObject({ status: 403, body: refusal })
    await withSockets([reader, admin], async (mine, theirs) => {
      expect(await mine?.ask({ type: 'message', ...post })).toMatchObject({ type: 'error', ...refusal })
      expect(await theirs?.ask({ type: 'message', ...post })).toMatchObject({ type: 'ack' })
    })
  })

  it('reaches every socket of every subscriber once, and is unread until it is read', async () => {
    const before = await overviewOf(reader, id)
    await reader.post(`/chats/${id}/read`)
    const heard = await withSockets([owner, admin, reader, reader], async (...sockets) => {
      await say(owner, id, 'extra')
      await Promise.all(sockets.map((socket) => socket.next('new_message')))
    })
    for (const events of heard) {
      // The mark that was set before may come late from another instance.
      const posts = events.filter(({ type }) => type !== 'read')
      expect(posts).toMatchObject([{ type: 'new_message', message: { content: 'extra' } }])
    }
    expect(await overviewOf(reader, id)).toMatchObject({ unread_count: 1, last_seq: before.last_seq + 1 })
    await reader.post(`/chats/${id}/read`)
    expect(await overviewOf(reader, id)).toMatchObject({ unread_count: 0, peer_read_seq: null })
  })

  it('is edited and deleted by the staff, which everybody hears', async () => {
    const message = await say(admin, id, 'draft')
    const path = `/chats/${id}/messages/${message.id}`
    expect((await reader.patch(path, { content: 'mine' })).status).toBe(403)
    expect((await reader.delete(path)).status).toBe(403)
    const [events] = await withSockets([reader], async (socket) => {
      await admin.patch(path, { content: 'final' })
      await owner.delete(path)
      await socket?.next('message_deleted')
    })
    expect(events).toMatchObject([{ type: 'message_updated' }, { type: 'message_deleted' }])
  })

  it('is not for one whose role was taken a moment ago', async () => {
    const channel = await makeChannel()
    await Promise.all([
      owner.patch(`/chats/${channel}/members/${admin.id}`, { role: 'member' }),
      ...Array.from({ length: 5 }, () => admin.post('/messages', { chat_id: channel, content: 'late' })),
    ])
    expect((await admin.post('/messages', { chat_id: channel, content: 'later' })).status).toBe(403)
  })
})

describe('what subscribers do not learn of each other', () => {
  it('who comes and goes', async () => {
    const guest = await server.addUser()
    const heard = await withSockets([owner, admin, reader], async () => {
      await subscribe(id, guest)
      await guest.delete(`/channels/${id}/subscribe`)
      await owner.post(`/chats/${id}/members`, { user_ids: [guest.id] })
      await owner.delete(`/chats/${id}/members/${guest.id}`)
      await owner.post(`/chats/${id}/members`, { user_ids: [guest.id] })
      await guest.delete('/users/me')
    })
    expect(heard).toEqual([[], [], []])
  })

  it('who is online, types, reads or looks at it', async () => {
    const heard = await withSockets([other, reader], async () => {
      const socket = await admin.socket()
      expect(await socket.ask({ type: 'join_chat', chat_id: id })).toMatchObject({ type: 'ack' })
      expect(await socket.ask({ type: 'typing', chat_id: id })).toMatchObject({ type: 'ack' })
      expect(await socket.ask({ type: 'read', chat_id: id })).toMatchObject({ type: 'ack' })
      expect(await socket.ask({ type: 'leave_chat', chat_id: id })).toMatchObject({ type: 'ack' })
      await socket.close()
    })
    expect(heard).toEqual([[], []])
  })

  it('who looks at it, by looking too', async () => {
    const [, events] = await withSockets([owner, reader], async (first, second) => {
      await first?.ask({ type: 'join_chat', chat_id: id })
      await second?.ask({ type: 'join_chat', chat_id: id })
    })
    expect(events).toEqual([])
  })

  it('their roles: each hears of their own', async () => {
    const [mine, theirs, others] = await withSockets([owner, reader, other], async () => {
      await owner.patch(`/chats/${id}/members/${reader.id}`, { role: 'admin' })
      await owner.patch(`/chats/${id}/members/${reader.id}`, { role: 'member' })
    })
    const told = (role: string) => ({ type: 'chat_updated', chat_id: id, member: { user_id: reader.id, role } })
    expect(theirs).toEqual([told('admin'), told('member')])
    expect([mine, others]).toEqual([[], []])
  })
})

describe('the owner', () => {
  it('hands over: everybody hears of the new one, the two also of their role', async () => {
    const channel = await makeChannel()
    const [former, next, others] = await withSockets([owner, reader, other], () =>
      owner.patch(`/chats/${channel}/members/${reader.id}`, { role: 'owner' }),
    )
    const update = { type: 'chat_updated', chat_id: channel }
    const handedOver = { ...update, owner_id: reader.id }
    expect(others).toEqual([handedOver])
    expect(next).toEqual([handedOver, { ...update, member: { user_id: reader.id, role: 'owner' } }])
    expect(former).toEqual([handedOver, { ...update, member: { user_id: owner.id, role: 'admin' } }])
    expect(await readBoth(server, channel)).toMatchObject({ channel: ['Announcements', reader.id, 4] })
    expect((await say(owner, channel, 'still an admin')).seq).toBe(1)
    expect((await say(reader, channel, 'the owner now')).seq).toBe(2)
  })

  it('deletes the channel, for everybody', async () => {
    const channel = await makeChannel()
    await say(owner, channel, 'last words')
    const [events] = await withSockets([reader], async (socket) => {
      expect((await admin.delete(`/chats/${channel}`)).status).toBe(403)
      await owner.delete(`/chats/${channel}`)
      await socket?.next('chat_removed')
    })
    expect(events).toEqual([{ type: 'chat_removed', chat_id: channel }])
    for (const user of [owner, reader]) expect((await user.get(`/channels/${channel}`)).status).toBe(404)
  })

  it('who deletes their account leaves it to the oldest admin', async () => {
    const [leaving, heir] = (await addUsers(server, 2)) as [TestUser, TestUser]
    const channel = await addChannel(leaving)
    await subscribe(channel.id, reader, heir)
    await leaving.patch(`/chats/${channel.id}/members/${heir.id}`, { role: 'admin' })
    await leaving.delete('/users/me')
    expect(await readBoth(server, channel.id)).toEqual({
      chat: ['Announcements', heir.id, 2],
      channel: ['Announcements', heir.id, 2],
      members: 2,
    })
    expect((await say(heir, channel.id, 'on it goes')).seq).toBe(1)
    expect((await heir.get(`/channels/${channel.id}`)).body).toMatchObject({ role: 'owner', is_read_only: false })
  })

  it('who deletes their account without an admin leaves a channel that can only be read', async () => {
    const leaving = await server.addUser()
    const channel = await addChannel(leaving)
    await say(leaving, channel.id, 'last words')
    await subscribe(channel.id, reader)
    const [events] = await withSockets([reader], () => leaving.delete('/users/me'))
    expect(events).toEqual([{ type: 'chat_updated', chat_id: channel.id, owner_id: null, is_read_only: true }])
    expect(await readBoth(server, channel.id)).toMatchObject({ channel: ['Announcements', null, 1], members: 1 })
    const seen = { owner_id: null, is_read_only: true, subscriber_count: 1, role: 'member' }
    expect((await reader.get(`/channels/${channel.id}`)).body).toMatchObject(seen)
    expect((await reader.get(`/chats/${channel.id}/messages`)).body.messages).toHaveLength(1)
    // Others may still come to read, and whoever is in it go.
    expect((await subscribe(channel.id, other))[0]?.body.subscriber_count).toBe(2)
    expect((await reader.delete(`/channels/${channel.id}/subscribe`)).status).toBe(200)
  })
})
