/** What whoever is blocked can no longer do, see or find. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { profileKey } from '../../../src/cache/keys.ts'
import { createMemoryCache } from '../../../src/cache/memory-cache.ts'
import { createBlocks } from '../../../src/features/users/blocks.ts'
import { createProfiles } from '../../../src/features/users/profiles.ts'
import { createUsers } from '../../../src/features/users/service.ts'
import type { Json, TestUser } from '../../support/client.ts'
import { noAvatars, noTier } from '../../support/no-avatars.ts'
import { readHead, startServer, type TestServer } from '../../support/server.ts'
import { addUsers, overviewOf, say } from '../chats/support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const pair = async () => (await addUsers(server, 2)) as [TestUser, TestUser]
const trio = async () => (await addUsers(server, 3)) as [TestUser, TestUser, TestUser]
const block = async (user: TestUser, other: TestUser) => (await user.post(`/users/${other.id}/block`)).status
const unblock = async (user: TestUser, other: TestUser) => (await user.delete(`/users/${other.id}/block`)).status
const blockedOf = async (user: TestUser, query = ''): Promise<Json> => (await user.get(`/users/me/blocks${query}`)).body
const blockedIds = (page: Json): string[] => page.blocks.map(({ user }: Json) => user.id)
const refusal = { status: 403, body: { error: 'This user does not take messages from you', details: {} } }

describe('blocking', () => {
  it('is listed for the blocker alone, and taken back', async () => {
    const [user, other] = await pair()
    expect(await user.post(`/users/${other.id}/block`)).toMatchObject({
      status: 200,
      body: { message: 'User blocked' },
    })
    const page = await blockedOf(user)
    expect(page).toMatchObject({ has_more: false, next_cursor: null })
    expect(page.blocks).toEqual([
      { user: (await user.get(`/users/${other.id}`)).body, created_at: expect.stringMatching(/^\d{4}-.*Z$/) },
    ])
    expect((await blockedOf(other)).blocks).toEqual([])
    expect(await user.delete(`/users/${other.id}/block`)).toMatchObject({
      status: 200,
      body: { message: 'User unblocked' },
    })
    expect((await blockedOf(user)).blocks).toEqual([])
  })

  it('changes nothing when it is repeated or was not there', async () => {
    const [user, other] = await pair()
    expect([await unblock(user, other), await block(user, other)]).toEqual([200, 200])
    const first = await blockedOf(user)
    expect(await block(user, other)).toBe(200)
    expect(await blockedOf(user)).toEqual(first)
    expect([await unblock(user, other), await unblock(user, other)]).toEqual([200, 200])
  })

  it('is refused of oneself and of nobody', async () => {
    const [user, gone] = await pair()
    await gone.delete('/users/me')
    const oneself = { status: 400, body: { details: { user_id: 'must be another user' } } }
    const nobody = { status: 404, body: { error: 'User not found' } }
    expect(await user.post(`/users/${user.id}/block`)).toMatchObject(oneself)
    expect(await user.delete(`/users/${user.id}/block`)).toMatchObject(oneself)
    expect(await user.post(`/users/${Bun.randomUUIDv7()}/block`)).toMatchObject(nobody)
    expect(await user.delete(`/users/${Bun.randomUUIDv7()}/block`)).toMatchObject(nobody)
    expect(await user.post(`/users/${gone.id}/block`)).toMatchObject(nobody)
    expect(await unblock(user, gone)).toBe(200)
    for (const id of ['1', 'me', user.id.toUpperCase()]) {
      const faulty = { status: 400, body: { details: { user_id: 'must be a UUID in lower case' } } }
      expect(await user.post(`/users/${id}/block`)).toMatchObject(faulty)
    }
    expect((await blockedOf(user)).blocks).toEqual([])
  })

  it('ends with either account', async () => {
    const [user, gone, third] = await trio()
    for (const [one, other] of [
      [user, gone],
      [gone, user],
      [gone, third],
      [user, third],
    ] as const)
      await block(one, other)
    await gone.delete('/users/me')
    const rows = await server.database.sql`
      select blocker_id, blocked_id from blocks where ${gone.id} in (blocker_id, blocked_id)`
    expect([...rows]).toEqual([])
    expect(blockedIds(await blockedOf(user))).toEqual([third.id])
  })
})

describe('the list of blocked users', () => {
  it('has the latest first, in pages without gaps or repeats, though all are of one instant', async () => {
    const [user, ...others] = (await addUsers(server, 8)) as [TestUser, ...TestUser[]]
    for (const other of others) {
      await block(user, other)
      await Bun.sleep(2)
    }
    expect(blockedIds(await blockedOf(user))).toEqual(others.map(({ id }) => id).reverse())
    await server.database.sql`update blocks set created_at = now() where blocker_id = ${user.id}`
    const ids: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: Json = await blockedOf(user, `?limit=3${cursor && `&cursor=${cursor}`}`)
      ids.push(...blockedIds(page))
      cursor = page.next_cursor
      expect(page.has_more).toBe(cursor !== null)
    }
    expect(ids).toEqual(
      others
        .map(({ id }) => id)
        .sort()
        .reverse(),
    )
  })

  it('refuses a cursor that is none, and a limit out of range', async () => {
    const user = await server.addUser()
    const cursors = ['nonsense', `2026-01-01 ${user.id}`, `+275760-09-13T00:00:00.000Z ${user.id}`].map((text) =>
      Buffer.from(text).toString('base64url'),
    )
    for (const cursor of cursors) {
      const answer = await user.get(`/users/me/blocks?cursor=${cursor}`)
      expect(answer).toMatchObject({ status: 400, body: { details: { cursor: 'is not one this server gave' } } })
    }
    expect(await user.get('/users/me/blocks?limit=0')).toMatchObject({
      status: 400,
      body: { details: { limit: 'must be 1 to 100' } },
    })
  })
})

describe('in a direct chat, whoever is blocked', () => {
  it('opens none; one that the blocker opens is shut for them from the start', async () => {
    const [user, other] = await pair()
    await block(user, other)
    expect(await other.get(`/chats/dm/${user.id}`)).toMatchObject(refusal)
    expect((await other.get('/chats')).body.chats).toEqual([])
    const chatId = await server.addDm(user, other)
    await say(user, chatId, 'I may')
    expect(await other.post('/messages', { chat_id: chatId, content: 'I may not' })).toMatchObject(refusal)
    expect((await other.get(`/chats/dm/${user.id}`)).body).toMatchObject({ id: chatId, unread_count: 1 })
    await unblock(user, other)
    await say(other, chatId, 'I may again')
  })

  it('reads, but neither writes, edits nor types; the blocker does it all', async () => {
    const [user, other] = await pair()
    const chatId = await server.addDm(user, other)
    const sent = await say(other, chatId, 'before')
    const keyed = { chat_id: chatId, content: 'keyed', client_id: 'key' }
    const { body: first } = await other.post('/messages', keyed)
    const [ofUser, ofOther] = [await user.socket(), await other.socket()]
    await block(user, other)

    expect(await other.post('/messages', { chat_id: chatId, content: 'x' })).toMatchObject(refusal)
    expect(await other.post('/messages', { chat_id: chatId, content: 'x', reply_to_id: sent.id })).toMatchObject(
      refusal,
    )
    expect(await other.patch(`/chats/${chatId}/messages/${sent.id}`, { content: 'x' })).toMatchObject(refusal)
    for (const frame of [{ type: 'message', content: 'x' }, { type: 'typing' }]) {
      const answer = await ofOther.ask({ ...frame, chat_id: chatId })
      expect(answer).toMatchObject({ type: 'error', error: refusal.body.error })
    }
    // What became of an earlier send is still told.
    expect(await other.post('/messages', keyed)).toMatchObject({ status: 201, body: { id: first.id, seq: first.seq } })
    expect((await other.get(`/chats/${chatId}/messages`)).body.total).toBe(2)
    expect((await other.post(`/chats/${chatId}/read`)).status).toBe(200)
    await ofUser.settle()
    expect([...ofUser.all('new_message'), ...ofUser.all('typing'), ...ofUser.all('message_updated')]).toEqual([])

    expect(await ofUser.ask({ type: 'typing', chat_id: chatId })).toMatchObject({ type: 'ack' })
    const mine = await say(user, chatId, 'after')
    expect((await user.patch(`/chats/${chatId}/messages/${mine.id}`, { content: 'edited' })).status).toBe(200)
    await ofOther.next('new_message', ({ message }) => message.id === mine.id)
    // Taking back what one said is no message.
    expect((await other.delete(`/chats/${chatId}/messages/${sent.id}`)).status).toBe(200)

    await unblock(user, other)
    expect(await ofOther.ask({ type: 'message', chat_id: chatId, content: 'again' })).toMatchObject({ type: 'ack' })
    await Promise.all([ofUser.close(), ofOther.close()])
  })

  it('is each of the two when both have blocked, until both take it back', async () => {
    const [user, other] = await pair()
    const chatId = await server.addDm(user, other)
    const sending = async () =>
      Promise.all(
        [user, other].map(async (one) => (await one.post('/messages', { chat_id: chatId, content: 'x' })).status),
      )
    await Promise.all([block(user, other), block(other, user)])
    expect(await sending()).toEqual([403, 403])
    await unblock(user, other)
    expect(await sending()).toEqual([403, 201])
    await unblock(other, user)
    expect(await sending()).toEqual([201, 201])
  })

  it('fails alone: messages of others that are stored together with theirs are stored', async () => {
    const [user, other, third] = await trio()
    const [shut, open] = [await server.addDm(user, other), await server.addDm(other, third)]
    await block(user, other)
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => other.post('/messages', { chat_id: n % 2 ? shut : open, content: `${n}` })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, (_, n) => (n % 2 ? 403 : 201)))
    expect(await readHead(server, shut)).toEqual({ seq: 0, rev: 0 })
  })
})

describe('in groups, whoever is blocked', () => {
  it('adds the blocker to none, nor anybody together with them', async () => {
    const [user, other, third] = await trio()
    await block(user, other)
    const chatId = await server.addGroup(other)
    const why = 'does not want to be added by you'
    expect(await other.post(`/chats/${chatId}/members`, { user_ids: [third.id, user.id] })).toMatchObject({
      status: 403,
      body: { error: 'Not everybody may be added', details: { 'user_ids.1': why } },
    })
    expect((await overviewOf(other, chatId)).member_count).toBe(1)
    const group = { name: 'x', type: 'group', member_ids: [user.id, third.id, user.id] }
    expect(await other.post('/chats', group)).toMatchObject({
      status: 403,
      body: { details: { 'member_ids.0': why, 'member_ids.2': why } },
    })
    for (const one of [user, third]) expect((await one.get('/chats')).body.chats).toEqual([])
    // Others may, and so may the blocker.
    const theirs = await server.addGroup(third, user, other)
    const mine = await server.addGroup(user, other)
    for (const id of [theirs, mine]) await say(other, id, 'hello')
    await unblock(user, other)
    expect((await other.post(`/chats/${chatId}/members`, { user_ids: [user.id] })).status).toBe(200)
  })
})

describe('of the blocker, whoever is blocked', () => {
  it('learns not when they are there; all others do', async () => {
    const [user, other, third] = await trio()
    const group = await server.addGroup(third, user, other)
    const dm = await server.addDm(user, other)
    await server.database
      .sql`update users set last_seen_at = now() where id in ${server.database.sql([user.id, other.id])}`
    const socket = await user.socket()
    const peerOf = ({ peer }: Json) => ({ is_online: peer.is_online, last_seen: peer.last_seen })
    /** All that `viewer` is told of `of`, place by place. */
    const seen = async (viewer: TestUser, of: TestUser) => {
      const { body } = await viewer.get(`/chats/${group}/members`)
      const member = body.members.find((one: Json) => one.user.id === of.id)
      const places: Json[] = [
        { is_online: member.is_online, last_seen: member.user.last_seen },
        { is_online: member.is_online, last_seen: (await viewer.get(`/users/${of.id}`)).body.last_seen },
        {
          is_online: member.is_online,
          last_seen: (await viewer.get(`/users?ids=${of.id}`)).body.users[0].last_seen,
        },
      ]
      if (viewer === third) return places
      const listed = (await viewer.get('/chats')).body.chats.find(({ id }: Json) => id === dm)
      const synced = (await viewer.post('/sync', { chats: {} })).body.chats.find(({ chat }: Json) => chat.id === dm)
      return [...places, peerOf(await overviewOf(viewer, dm)), peerOf(listed), peerOf(synced.chat)]
    }
    const shown = { is_online: true, last_seen: expect.any(String) }
    expect(await seen(other, user)).toEqual(Array(6).fill(shown))
    await block(user, other)
    expect(await seen(other, user)).toEqual(Array(6).fill({ is_online: false, last_seen: null }))
    expect(await seen(third, user)).toEqual(Array(3).fill(shown))
    expect(await seen(user, other)).toEqual(Array(6).fill({ is_online: false, last_seen: expect.any(String) }))
    // Nor by blocking back.
    await block(other, user)
    expect((await blockedOf(other)).blocks).toMatchObject([{ user: { id: user.id, last_seen: null } }])
    await unblock(user, other)
    expect(await seen(other, user)).toEqual(Array(6).fill(shown))
    await socket.close()
  })

  it('finds nothing by searching, neither by name nor by phone', async () => {
    const [user, other, third] = await trio()
    const { username, phone } = (await user.get('/users/me')).body
    const find = async (viewer: TestUser, q: string) =>
      (await viewer.get(`/users/search?q=${encodeURIComponent(q)}`)).body.users.map(({ id }: Json) => id)
    await block(user, other)
    for (const q of [username, phone]) {
      expect(await find(other, q)).not.toContain(user.id)
      expect(await find(third, q)).toContain(user.id)
    }
    expect(await find(user, (await other.get('/users/me')).body.username)).toContain(other.id)
    await unblock(user, other)
    expect(await find(other, username)).toContain(user.id)
  })
})

describe('what other features ask', () => {
  it('is whom somebody has blocked, and nobody else', async () => {
    const [user, one, two] = await trio()
    for (const other of [one, two]) await block(user, other)
    await block(one, user)
    const { db } = server.database
    const blocks = createBlocks({
      db,
      users: createUsers({
        db,
        profiles: createProfiles({ db, cache: createMemoryCache() }),
        avatars: noAvatars,
        uploadMaxBytesOf: noTier,
      }),
      followInDm: async () => {},
      onChanged: async () => {},
    })
    expect((await blocks.listBlockedBy(user.id)).sort()).toEqual([one.id, two.id].sort())
    expect(await blocks.listBlockedBy(two.id)).toEqual([])
  })
})

describe('a profile in the cache', () => {
  it('is read each time when its owner has blocked more than are kept', async () => {
    const [user, one, two] = await trio()
    const { db, sql } = server.database
    await sql`update users set last_seen_at = now() where id = ${user.id}`
    const cache = createMemoryCache()
    const profiles = createProfiles({ db, cache, maxBlocked: 1 })
    const isShownTo = async (viewer: TestUser) => (await profiles.get(viewer.id, user.id)).last_seen !== null
    const isKept = async () => (await cache.get(profileKey(user.id))).value !== undefined
    for (const [blocked, keeps] of [
      [one, true],
      [two, false],
    ] as const) {
      await block(user, blocked)
      await profiles.forget([user.id])
      for (let n = 0; n < 2; n++) expect(await isShownTo(blocked)).toBe(false)
      expect(await isShownTo(user)).toBe(true)
      expect(await isKept()).toBe(keeps)
    }
    expect(await isShownTo(one)).toBe(false)
  })
})
