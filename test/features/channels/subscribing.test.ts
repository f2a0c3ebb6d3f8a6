import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { addUsers, overviewOf, rolesIn, say } from '../chats/support.ts'
import { addChannel, readBoth, subscribe } from './support.ts'

let server: TestServer
let owner: TestUser
let reader: TestUser
beforeAll(async () => {
  server = await startServer()
  ;[owner, reader] = (await addUsers(server, 2)) as [TestUser, TestUser]
})
afterAll(() => server.stop())

const makeChannel = async (fields: Record<string, unknown> = {}): Promise<string> =>
  (await addChannel(owner, fields)).id
const subscribeTo = (user: TestUser, id: string) => user.post(`/channels/${id}/subscribe`)
const unsubscribeFrom = (user: TestUser, id: string) => user.delete(`/channels/${id}/subscribe`)
const countOf = async (id: string) => (await owner.get(`/channels/${id}`)).body.subscriber_count

/** The count said everywhere is the number of those who are in it. */
async function expectCount(id: string, count: number): Promise<void> {
  const both = await readBoth(server, id)
  expect([both?.members, both?.chat[2], both?.channel[2]]).toEqual([count, count, count])
}

describe('subscribing', () => {
  it('lets one in, and again changes nothing', async () => {
    const id = await makeChannel()
    for (let n = 0; n < 2; n++) {
      const { status, body } = await subscribeTo(reader, id)
      expect(status).toBe(200)
      expect(body).toMatchObject({ id, is_subscribed: true, role: 'member', subscriber_count: 2 })
    }
    await subscribeTo(owner, id)
    await expectCount(id, 2)
    expect((await subscribeTo(owner, id)).body.role).toBe('owner')
  })

  it('leaves nothing unread, and opens the whole history', async () => {
    const id = await makeChannel()
    for (const content of ['one', 'two', 'three']) await say(owner, id, content)
    await subscribeTo(reader, id)
    expect(await overviewOf(reader, id)).toMatchObject({
      type: 'channel',
      unread_count: 0,
      last_read_seq: 3,
      last_seq: 3,
    })
    const { body } = await reader.get(`/chats/${id}/messages`)
    expect(body.messages.map(({ content }: { content: string }) => content)).toEqual(['three', 'two', 'one'])
    await say(owner, id, 'four')
    expect(await overviewOf(reader, id)).toMatchObject({ unread_count: 1, last_message: { content: 'four' } })
  })

  it('tells the subscriber’s own sockets, which follow at once, and nobody else', async () => {
    const id = await makeChannel()
    const [mine, theirs] = await Promise.all([owner.socket(), reader.socket()])
    await subscribeTo(reader, id)
    expect(await theirs.next('chat_created')).toMatchObject({ chat_id: id, head: { seq: 0, rev: 0 } })
    await say(owner, id, 'hello')
    expect(await theirs.next('new_message')).toMatchObject({ message: { chat_id: id, content: 'hello' } })
    await unsubscribeFrom(reader, id)
    expect(await theirs.next('chat_removed')).toEqual({ type: 'chat_removed', chat_id: id })
    await say(owner, id, 'unheard')
    await mine.next('new_message', ({ message }) => message.content === 'unheard')
    await theirs.settle()
    expect(theirs.all('new_message')).toHaveLength(1)
    expect(mine.frames.map(({ type }) => type)).toEqual(['user_chats', 'new_message', 'new_message'])
    await Promise.all([mine.close(), theirs.close()])
  })

  it('is not for those whom the staff has removed, until it adds them again', async () => {
    const id = await makeChannel()
    await subscribeTo(reader, id)
    await owner.delete(`/chats/${id}/members/${reader.id}`)
    for (let n = 0; n < 2; n++)
      expect(await subscribeTo(reader, id)).toMatchObject({
        status: 403,
        body: { error: 'You were removed from this chat' },
      })
    await expectCount(id, 1)
    expect((await reader.get(`/channels/${id}`)).body).toMatchObject({ is_subscribed: false, role: null })
    // There is nothing to take back either.
    expect((await unsubscribeFrom(reader, id)).status).toBe(200)
    await owner.post(`/chats/${id}/members`, { user_ids: [reader.id] })
    await unsubscribeFrom(reader, id)
    expect((await subscribeTo(reader, id)).status).toBe(200)
  })
})

describe('unsubscribing', () => {
  it('takes one out, and again changes nothing', async () => {
    const id = await makeChannel()
    await subscribeTo(reader, id)
    for (let n = 0; n < 2; n++)
      expect(await unsubscribeFrom(reader, id)).toMatchObject({ status: 200, body: { message: 'Unsubscribed' } })
    await expectCount(id, 1)
    expect((await reader.get(`/chats/${id}/messages`)).status).toBe(404)
    expect((await subscribeTo(reader, id)).status).toBe(200)
  })

  it('leaves a private channel for good', async () => {
    const id = await makeChannel({ is_public: false })
    await owner.post(`/chats/${id}/members`, { user_ids: [reader.id] })
    expect((await subscribeTo(reader, id)).status).toBe(200)
    expect((await unsubscribeFrom(reader, id)).status).toBe(200)
    for (const ask of [subscribeTo, unsubscribeFrom]) {
      expect(await ask(reader, id)).toMatchObject({ status: 404, body: { error: 'Channel not found' } })
    }
    await expectCount(id, 1)
  })

  it('is for an owner only after the hand-over', async () => {
    const id = await makeChannel()
    await subscribeTo(reader, id)
    const refused = { status: 409, body: { error: 'Hand the ownership over before leaving' } }
    expect(await unsubscribeFrom(owner, id)).toMatchObject(refused)
    await owner.patch(`/chats/${id}/members/${reader.id}`, { role: 'owner' })
    expect((await unsubscribeFrom(owner, id)).status).toBe(200)
    expect(await unsubscribeFrom(reader, id)).toMatchObject(refused)
    expect(await readBoth(server, id)).toMatchObject({ chat: ['Announcements', reader.id, 1], members: 1 })
  })

  it('by the members’ route is the same', async () => {
    const id = await makeChannel()
    await subscribeTo(reader, id)
    const leave = () => reader.delete(`/chats/${id}/members/${reader.id}`)
    expect([(await leave()).status, (await leave()).status]).toEqual([200, 404])
    await expectCount(id, 1)
    // Who left by themselves may come back.
    expect((await subscribeTo(reader, id)).status).toBe(200)
  })
})

describe('the staff', () => {
  it('alone sees who subscribes, without presence and read marks', async () => {
    const id = await makeChannel()
    const [admin, other] = (await addUsers(server, 2)) as [TestUser, TestUser]
    await subscribe(id, reader, admin, other)
    await owner.patch(`/chats/${id}/members/${admin.id}`, { role: 'admin' })
    const socket = await reader.socket()
    for (const user of [owner, admin]) {
      const { body } = await user.get(`/chats/${id}/members?limit=2&offset=1`)
      expect(body).toMatchObject({ total: 4, has_more: true })
      for (const member of body.members) expect(member).toMatchObject({ is_online: false, last_read_seq: null })
    }
    for (const user of [reader, other]) {
      const { status, body } = await user.get(`/chats/${id}/members`)
      expect({ status, error: body.error }).toEqual({
        status: 403,
        error: "You may not see this channel's subscribers",
      })
    }
    expect(Object.fromEntries(await rolesIn(owner, id))[admin.id]).toBe('admin')
    await socket.close()
  })

  it('adds more than a group holds', async () => {
    const users = await addUsers(server, 205)
    const id = await makeChannel()
    const { status, body } = await owner.post(`/chats/${id}/members`, { user_ids: users.map((user) => user.id) })
    expect({ status, count: body.member_count }).toEqual({ status: 200, count: 206 })
    await subscribeTo(reader, id)
    await expectCount(id, 207)
  })
})

describe('at once', () => {
  it('subscribing many times counts once', async () => {
    const id = await makeChannel()
    const answers = await Promise.all(Array.from({ length: 8 }, () => subscribeTo(reader, id)))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    await expectCount(id, 2)
  })

  it('many subscribers are all counted', async () => {
    const id = await makeChannel()
    const users = await addUsers(server, 20)
    await subscribe(id, ...users)
    await expectCount(id, 21)
    await Promise.all(users.map((user) => unsubscribeFrom(user, id)))
    await expectCount(id, 1)
  })

  it('unsubscribing, being removed and leaving take one out once', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await makeChannel()
      await subscribeTo(reader, id)
      const [unsubscribed, again, removed, left] = await Promise.all([
        unsubscribeFrom(reader, id),
        unsubscribeFrom(reader, id),
        owner.delete(`/chats/${id}/members/${reader.id}`),
        reader.delete(`/chats/${id}/members/${reader.id}`),
      ])
      expect([unsubscribed.status, again.status]).toEqual([200, 200])
      expect([200, 404]).toContain(removed.status)
      expect([200, 404]).toContain(left.status)
      await expectCount(id, 1)
    }
  })

  it('subscribing and unsubscribing end with the count of who is in it', async () => {
    const id = await makeChannel()
    await Promise.all(
      Array.from({ length: 12 }, (_, n) => (n % 2 === 0 ? subscribeTo(reader, id) : unsubscribeFrom(reader, id))),
    )
    const { body } = await reader.get(`/channels/${id}`)
    await expectCount(id, body.is_subscribed ? 2 : 1)
  })

  it('subscribing to a channel that is being deleted leaves nothing behind', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await makeChannel()
      const users = await addUsers(server, 6)
      const [deleted, ...answers] = await Promise.all([
        owner.delete(`/chats/${id}`),
        ...users.map((user) => subscribeTo(user, id)),
      ])
      expect(deleted?.status).toBe(200)
      for (const { status } of answers) expect([200, 404]).toContain(status)
      expect(await readBoth(server, id)).toBeUndefined()
      for (const user of users) expect((await user.get('/chats')).body.chats).toEqual([])
    }
  })

  it('subscribing with an account that is being deleted leaves nobody in it', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await makeChannel()
      const user = await server.addUser()
      const [gone, subscribed] = await Promise.all([user.delete('/users/me'), subscribeTo(user, id)])
      expect(gone.status).toBe(200)
      expect([200, 401, 404]).toContain(subscribed.status)
      await expectCount(id, 1)
    }
  })

  it('being removed while one subscribes again leaves one either in or shut out', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await makeChannel()
      await subscribeTo(reader, id)
      await Promise.all([owner.delete(`/chats/${id}/members/${reader.id}`), subscribeTo(reader, id)])
      expect((await subscribeTo(reader, id)).status).toBe(403)
      await expectCount(id, 1)
    }
  })

  it('making it private lets nobody in who comes after', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await makeChannel()
      const [, subscribed] = await Promise.all([
        owner.patch(`/channels/${id}`, { is_public: false }),
        subscribeTo(reader, id),
      ])
      expect([200, 404]).toContain(subscribed.status)
      expect(await countOf(id)).toBe(subscribed.status === 200 ? 2 : 1)
    }
  })
})
