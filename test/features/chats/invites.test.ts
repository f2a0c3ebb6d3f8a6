/** Invite links, and the bans that they do not overcome. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { createMemoryBus } from '../../../src/bus/memory.ts'
import { createMemoryCache } from '../../../src/cache/memory-cache.ts'
import { createInvites } from '../../../src/features/chats/invites.ts'
import { createMembers } from '../../../src/features/chats/members.ts'
import { createChats } from '../../../src/features/chats/service.ts'
import { createProfiles } from '../../../src/features/users/profiles.ts'
import { createUsers } from '../../../src/features/users/service.ts'
import { createLog } from '../../../src/observability/log.ts'
import type { Json, TestUser } from '../../support/client.ts'
import { noAvatars, noTier } from '../../support/no-avatars.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { addUsers, overviewOf, say } from './support.ts'

let server: TestServer
let owner: TestUser
let member: TestUser
let stranger: TestUser
beforeAll(async () => {
  server = await startServer()
  ;[owner, member, stranger] = (await addUsers(server, 3)) as [TestUser, TestUser, TestUser]
})
afterAll(() => server.stop())

const invite = async (chatId: string, limits?: Json, by = owner): Promise<Json> => {
  const { status, body } = await by.post(`/chats/${chatId}/invites`, limits)
  if (status !== 201) throw new Error(`Not made: ${status} ${JSON.stringify(body)}`)
  return body
}
const codeTo = async (chatId: string, limits?: Json): Promise<string> => (await invite(chatId, limits)).code
const join = (user: TestUser, code: string) => user.post(`/invites/${code}/join`)
const listed = async (chatId: string): Promise<Json[]> => (await owner.get(`/chats/${chatId}/invites`)).body.invites
const usesOf = async (code: string): Promise<number> => {
  const [row] = await server.database.sql`select uses from invites where code = ${code}`
  return row?.uses
}
const expire = (code: string) =>
  server.database.sql`update invites set expires_at = now() - interval '1 second' where code = ${code}`
const addChannel = async (): Promise<string> => (await owner.post('/channels', { name: 'News' })).body.id
/** The number of members that a chat says it has, and that it has. */
const countsOf = async (chatId: string): Promise<Json> => {
  const [row] = await server.database.sql`
    select member_count as said, (select count(*)::int from chat_members where chat_id = ${chatId}) as counted
    from chats where id = ${chatId}`
  return row
}
const gone = { status: 404, body: { error: 'Invite not found', details: {} } }
const removed = { status: 403, body: { error: 'You were removed from this chat', details: {} } }

describe('an invite', () => {
  it('is made with or without limits', async () => {
    const chatId = await server.addGroup(owner)
    const before = Date.now()
    const limited = await invite(chatId, { expires_in: 3600, max_uses: 5 })
    expect(limited).toEqual({
      code: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      chat_id: chatId,
      created_by: owner.id,
      expires_at: expect.any(String),
      max_uses: 5,
      uses: 0,
      created_at: expect.any(String),
    })
    expect(Math.abs(new Date(limited.expires_at).getTime() - before - 3_600_000)).toBeLessThan(60_000)
    for (const body of [undefined, {}]) {
      expect(await invite(chatId, body)).toMatchObject({ expires_at: null, max_uses: null, uses: 0 })
    }
  })

  it('is the staff’s to make, see and revoke, in groups and channels', async () => {
    const group = await server.addGroup(owner, member)
    const [channel, dm] = [await addChannel(), await server.addDm(owner, member)]
    const code = await codeTo(group)
    const path = `/chats/${group}/invites`
    for (const [by, status] of [
      [member, 403],
      [stranger, 404],
    ] as const) {
      expect((await by.post(path)).status).toBe(status)
      expect((await by.get(path)).status).toBe(status)
      expect((await by.delete(`${path}/${code}`)).status).toBe(status)
    }
    await owner.patch(`/chats/${group}/members/${member.id}`, { role: 'admin' })
    expect(await invite(group, {}, member)).toMatchObject({ created_by: member.id })
    expect(await invite(channel)).toMatchObject({ chat_id: channel })
    expect((await owner.post(`/chats/${dm}/invites`)).status).toBe(400)
    expect((await owner.get(`/chats/${dm}/invites`)).status).toBe(400)
    // One of another chat is none of this one.
    expect(await owner.delete(`/chats/${channel}/invites/${code}`)).toMatchObject(gone)
    expect((await owner.delete(`${path}/${code}`)).body).toEqual({ message: 'Invite revoked' })
    expect(await owner.delete(`${path}/${code}`)).toMatchObject(gone)
  })

  it('takes only limits in range', async () => {
    const chatId = await server.addGroup(owner)
    const whole = [true, 'x', 1.5, -1, 0, null, [60], {}, 1e300]
    for (const value of [...whole, 59, 31_536_001]) {
      expect(await owner.post(`/chats/${chatId}/invites`, { expires_in: value })).toMatchObject({
        status: 400,
        body: { details: { expires_in: 'must be 60 to 31536000 seconds' } },
      })
    }
    for (const value of [...whole, 100_001]) {
      expect(await owner.post(`/chats/${chatId}/invites`, { max_uses: value })).toMatchObject({
        status: 400,
        body: { details: { max_uses: 'must be 1 to 100000' } },
      })
    }
    for (const code of ['x', '%00', 'a'.repeat(23), `${'a'.repeat(21)}%0a`, `${'a'.repeat(21)}ü`]) {
      const faulty = { status: 400, body: { details: { code: 'must be the code of an invite' } } }
      expect(await stranger.get(`/invites/${code}`)).toMatchObject(faulty)
      expect(await join(stranger, code)).toMatchObject(faulty)
      expect(await owner.delete(`/chats/${chatId}/invites/${code}`)).toMatchObject(faulty)
    }
    expect(await listed(chatId)).toEqual([])
  })

  it('is listed while somebody can join by it, the latest first', async () => {
    const chatId = await server.addGroup(owner)
    const codes: string[] = []
    for (const limits of [{}, { max_uses: 1 }, { expires_in: 60 }, { max_uses: 2 }]) {
      codes.push(await codeTo(chatId, limits))
      await Bun.sleep(2)
    }
    const [first, used, expired, last] = codes as [string, string, string, string]
    await join(stranger, used)
    await expire(expired)
    await join(await server.addUser(), last)
    expect((await listed(chatId)).map(({ code, uses }) => [code, uses])).toEqual([
      [last, 1],
      [first, 0],
    ])
  })

  it('is one of at most 100 in a chat, made at once or not; dead ones do not count', async () => {
    const chatId = await server.addGroup(owner)
    const made = await Promise.all(
      Array.from({ length: 105 }, () => owner.post(`/chats/${chatId}/invites`, { max_uses: 1 })),
    )
    expect(made.filter(({ status }) => status === 201)).toHaveLength(100)
    const full = {
      status: 409,
      body: { error: 'A chat has at most 100 invites; revoke one first', details: { limit: 100 } },
    }
    for (const { status, body } of made) if (status !== 201) expect({ status, body }).toEqual(full)
    const [one, two] = await listed(chatId)
    await join(stranger, one.code)
    await invite(chatId)
    expect(await owner.post(`/chats/${chatId}/invites`)).toMatchObject(full)
    await owner.delete(`/chats/${chatId}/invites/${two.code}`)
    await invite(chatId)
  })
})

describe('by an invite', () => {
  it('anybody sees what it leads to, and nothing of what is said there', async () => {
    const chatId = await server.addGroup(owner, member)
    const answer = await stranger.get(`/invites/${await codeTo(chatId)}`)
    expect(answer.body).toEqual({ chat: { name: 'Group', avatar_url: null, type: 'group', member_count: 2 } })
    const news = await codeTo(await addChannel())
    expect((await stranger.get(`/invites/${news}`)).body.chat).toMatchObject({ type: 'channel', member_count: 1 })
  })

  it('one joins once, is told of the chat, and the others of them', async () => {
    const [chatId, user] = [await server.addGroup(owner, member), await server.addUser()]
    await say(owner, chatId, 'before')
    // That the owner has read it is stored a moment later.
    await until(async () => (await overviewOf(member, chatId)).peer_read_seq === 1)
    const { code } = await invite(chatId)
    const [ofMember, ofUser] = [await member.socket(), await user.socket()]
    const { status, body } = await join(user, code)
    expect(status).toBe(200)
    expect(body).toEqual(await overviewOf(user, chatId))
    expect(body).toMatchObject({ id: chatId, role: 'member', member_count: 3, unread_count: 0, last_seq: 1 })
    expect(await ofUser.next('chat_created')).toMatchObject({ chat_id: chatId, head: { seq: 1 } })
    expect(await ofMember.next('member_joined')).toMatchObject({ user_id: user.id, member_count: 3 })
    const again = await Promise.all(Array.from({ length: 5 }, () => join(user, code)))
    expect(again.map((answer) => [answer.status, answer.body.id])).toEqual(Array(5).fill([200, chatId]))
    expect((await join(owner, code)).status).toBe(200)
    await ofMember.settle()
    expect(ofMember.all('member_joined')).toHaveLength(1)
    expect(await usesOf(code)).toBe(1)
    await say(user, chatId, 'hello')
    expect((await ofUser.next('new_message')).message.content).toBe('hello')
    await Promise.all([ofMember.close(), ofUser.close()])
  })

  it('one subscribes to a channel, and its subscribers are not told', async () => {
    const [chatId, user] = [await addChannel(), await server.addUser()]
    await owner.patch(`/channels/${chatId}`, { is_public: false })
    await join(member, await codeTo(chatId))
    const ofMember = await member.socket()
    expect((await join(user, await codeTo(chatId))).body).toMatchObject({ type: 'channel', member_count: 3 })
    expect((await user.get(`/channels/${chatId}`)).body).toMatchObject({ is_subscribed: true, subscriber_count: 3 })
    expect((await user.post('/messages', { chat_id: chatId, content: 'x' })).status).toBe(403)
    await ofMember.settle()
    expect(ofMember.all('member_joined')).toEqual([])
    await ofMember.close()
  })

  it('that is unknown, expired, revoked or used up nobody learns which it was', async () => {
    const chatId = await server.addGroup(owner)
    const [expired, revoked, used, orphaned] = await Promise.all([
      codeTo(chatId, { expires_in: 60 }),
      codeTo(chatId),
      codeTo(chatId, { max_uses: 1 }),
      server.addGroup(owner).then(async (other) => {
        const code = await codeTo(other)
        await owner.delete(`/chats/${other}`)
        return code
      }),
    ])
    await expire(expired)
    await owner.delete(`/chats/${chatId}/invites/${revoked}`)
    await join(member, used)
    for (const code of ['A'.repeat(22), expired, revoked, used, orphaned]) {
      for (const answer of [await stranger.get(`/invites/${code}`), await join(stranger, code)]) {
        expect({ status: answer.status, body: answer.body }).toEqual(gone)
      }
    }
    // Whoever joined by the last use may ask again, should the answer have been lost.
    expect((await join(member, used)).status).toBe(200)
    expect(await countsOf(chatId)).toEqual({ said: 2, counted: 2 })
  })

  it('nobody joins a group that everybody has left by deleting their accounts', async () => {
    const last = await server.addUser()
    const chatId = await server.addGroup(last)
    const { code } = await invite(chatId, {}, last)
    await last.delete('/users/me')
    expect(await join(stranger, code)).toMatchObject(gone)
  })
})

describe('whoever was removed', () => {
  it('comes back only by being added; whoever left, by an invite', async () => {
    const user = await server.addUser()
    for (const chatId of [await server.addGroup(owner, user), await addChannel()]) {
      const code = await codeTo(chatId)
      await owner.post(`/chats/${chatId}/members`, { user_ids: [user.id] })
      const leave = () => user.delete(`/chats/${chatId}/members/${user.id}`)
      await leave()
      expect((await join(user, code)).status).toBe(200)
      await owner.delete(`/chats/${chatId}/members/${user.id}`)
      expect(await join(user, code)).toMatchObject(removed)
      expect((await user.get(`/invites/${code}`)).status).toBe(200)
      expect(await usesOf(code)).toBe(1)
      expect((await user.get(`/chats/${chatId}`)).status).toBe(404)
      await owner.post(`/chats/${chatId}/members`, { user_ids: [user.id] })
      await leave()
      expect((await join(user, code)).status).toBe(200)
      // A dead code tells them no more than others.
      await owner.delete(`/chats/${chatId}/members/${user.id}`)
      await owner.delete(`/chats/${chatId}/invites/${code}`)
      expect(await join(user, code)).toMatchObject(gone)
    }
  })

  it('leaves no way in for others: their invites end with them, and with their being an admin', async () => {
    const chatId = await server.addGroup(owner, member)
    const kept = await codeTo(chatId)
    const promote = (role: string) => owner.patch(`/chats/${chatId}/members/${member.id}`, { role })
    await promote('admin')
    const first = (await invite(chatId, undefined, member)).code
    await promote('member')
    expect((await join(stranger, first)).status).toBe(404)
    await promote('admin')
    const second = (await invite(chatId, undefined, member)).code
    await owner.delete(`/chats/${chatId}/members/${member.id}`)
    expect((await join(stranger, second)).status).toBe(404)
    expect((await listed(chatId)).map(({ code }) => code)).toEqual([kept])
    expect((await join(stranger, kept)).status).toBe(200)
  })

  it('may be welcome elsewhere', async () => {
    const user = await server.addUser()
    const [here, there] = [await server.addGroup(owner, user), await server.addGroup(owner)]
    await owner.delete(`/chats/${here}/members/${user.id}`)
    expect((await join(user, await codeTo(there))).status).toBe(200)
  })
})

describe('the sweep', () => {
  it('deletes what has expired, and that alone', async () => {
    const chatId = await server.addGroup(owner)
    const [expired, later, never] = [
      await codeTo(chatId, { expires_in: 60 }),
      await codeTo(chatId, { expires_in: 60 }),
      await codeTo(chatId),
    ]
    await expire(expired)
    const { db } = server.database
    const bus = createMemoryBus(createLog('error'))
    const cache = createMemoryCache()
    const users = createUsers({
      db,
      profiles: createProfiles({ db, cache }),
      avatars: noAvatars,
      uploadMaxBytesOf: noTier,
    })
    const options = {
      db,
      bus,
      cache,
      users,
      avatars: noAvatars,
      listOnline: async () => new Set<string>(),
      groupLimitOf: async () => 200,
    }
    const [chats, members] = [createChats(options), createMembers(options)]
    await createInvites({ db, bus, users, chats, members }).sweep()
    const rows = await server.database.sql`select code from invites where chat_id = ${chatId}`
    expect(rows.map(({ code }) => code).sort()).toEqual([later, never].sort())
  })
})
