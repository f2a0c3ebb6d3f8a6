import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { addUsers, overviewOf, rolesIn, say } from './support.ts'

let server: TestServer
let owner: TestUser
let admin: TestUser
let member: TestUser
let stranger: TestUser
beforeAll(async () => {
  server = await startServer()
  ;[owner, admin, member, stranger] = (await addUsers(server, 4)) as [TestUser, TestUser, TestUser, TestUser]
})
afterAll(() => server.stop())

/** A group with an owner, an admin and a member. */
async function makeGroup(): Promise<string> {
  const chatId = await server.addGroup(owner, admin, member)
  expect((await owner.patch(`/chats/${chatId}/members/${admin.id}`, { role: 'admin' })).status).toBe(200)
  return chatId
}

const nobody = () => Bun.randomUUIDv7()

describe('making a group', () => {
  it('answers the group; the maker is its owner and a member', async () => {
    const { status, body } = await owner.post('/chats', { name: 'My Group', type: 'group', member_ids: [member.id] })
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.any(String),
      name: 'My Group',
      type: 'group',
      owner_id: owner.id,
      member_count: 2,
      created_at: expect.any(String),
    })
    expect(await rolesIn(member, body.id)).toEqual(
      [[owner.id, 'owner'] as [string, string], [member.id, 'member'] as [string, string]].sort(),
    )
  })

  it('merges repeats, the maker among them', async () => {
    const member_ids = [member.id, owner.id, member.id, owner.id]
    const { status, body } = await owner.post('/chats', { name: 'Merged', type: 'group', member_ids })
    expect(status).toBe(201)
    expect(body.member_count).toBe(2)
  })

  it('may be of one alone', async () => {
    for (const extra of [{}, { member_ids: [] }]) {
      const { status, body } = await owner.post('/chats', { name: 'Alone', type: 'group', ...extra })
      expect({ status, count: body.member_count }).toEqual({ status: 201, count: 1 })
    }
  })

  it('names each unknown member, and makes nothing', async () => {
    const before = (await owner.get('/chats')).body.chats.length
    const gone = await server.addUser()
    await gone.delete('/users/me')
    const member_ids = [member.id, nobody(), gone.id]
    const { status, body } = await owner.post('/chats', { name: 'Unknown', type: 'group', member_ids })
    expect(status).toBe(400)
    expect(Object.keys(body.details)).toEqual(['member_ids.1', 'member_ids.2'])
    expect((await owner.get('/chats')).body.chats).toHaveLength(before)
  })

  const faults: [string, Record<string, unknown>, string][] = [
    ['another type', { name: 'x', type: 'dm' }, 'type'],
    ['a channel', { name: 'x', type: 'channel' }, 'type'],
    ['no name', { type: 'group' }, 'name'],
    ['an empty name', { name: '', type: 'group' }, 'name'],
    ['a name of 256', { name: 'x'.repeat(256), type: 'group' }, 'name'],
    ['a name with U+0000', { name: 'a\u0000b', type: 'group' }, 'name'],
    ['no list of members', { name: 'x', type: 'group', member_ids: 'all' }, 'member_ids'],
  ]
  for (const [what, body, field] of faults) {
    it(`refuses ${what}`, async () => {
      const answer = await owner.post('/chats', body)
      expect(answer.status).toBe(400)
      expect(Object.keys(answer.body.details)).toContain(field)
    })
  }

  it('takes a name of 255 code points, whatever they are', async () => {
    const name = '😀'.repeat(255)
    const { status, body } = await owner.post('/chats', { name, type: 'group' })
    expect({ status, name: body.name }).toEqual({ status: 201, name })
  })
})

describe('a chat of others', () => {
  it('does not exist, for whatever is asked', async () => {
    const chatId = await makeGroup()
    const ask: [string, string, unknown?][] = [
      ['GET', `/chats/${chatId}`],
      ['PATCH', `/chats/${chatId}`, { name: 'x' }],
      ['DELETE', `/chats/${chatId}`],
      ['POST', `/chats/${chatId}/read`, {}],
      ['GET', `/chats/${chatId}/members`],
      ['POST', `/chats/${chatId}/members`, { user_ids: [stranger.id] }],
      ['PATCH', `/chats/${chatId}/members/${member.id}`, { role: 'admin' }],
      ['DELETE', `/chats/${chatId}/members/${member.id}`],
      ['DELETE', `/chats/${chatId}/members/${stranger.id}`],
      ['GET', `/chats/${chatId}/messages`],
    ]
    for (const [method, path, body] of ask) {
      const answer = await stranger.call(method, path, body)
      const unknown = await stranger.call(method, path.replace(chatId, nobody()), body)
      expect({ path, ...answer.body }).toEqual({ path, error: 'Chat not found', details: {} })
      expect(unknown.body).toEqual(answer.body)
    }
  })
})

describe('renaming', () => {
  it('is for owner and admins', async () => {
    const chatId = await makeGroup()
    for (const user of [owner, admin]) {
      const { status, body } = await user.patch(`/chats/${chatId}`, { name: `By ${user.id}` })
      expect({ status, name: body.name }).toEqual({ status: 200, name: `By ${user.id}` })
    }
    expect((await member.patch(`/chats/${chatId}`, { name: 'x' })).status).toBe(403)
    expect((await overviewOf(member, chatId)).name).toBe(`By ${admin.id}`)
  })
})

describe('members', () => {
  it('are added by owner and admins, all or none, and have read what was said before', async () => {
    const chatId = await makeGroup()
    await say(owner, chatId, 'before')
    const [one, two] = (await addUsers(server, 2)) as [TestUser, TestUser]
    expect((await member.post(`/chats/${chatId}/members`, { user_ids: [one.id] })).status).toBe(403)
    const unknown = await admin.post(`/chats/${chatId}/members`, { user_ids: [one.id, nobody()] })
    expect(unknown).toMatchObject({ status: 400, body: { details: { 'user_ids.1': 'is no user' } } })
    expect((await one.get(`/chats/${chatId}`)).status).toBe(404)

    const added = await admin.post(`/chats/${chatId}/members`, { user_ids: [one.id, two.id, one.id, member.id] })
    expect(added.status).toBe(200)
    expect(added.body.added.sort()).toEqual([one.id, two.id].sort())
    expect(added.body.member_count).toBe(5)
    expect(await overviewOf(one, chatId)).toMatchObject({ unread_count: 0, last_seq: 1, role: 'member' })
    // The whole history is theirs.
    expect((await one.get(`/chats/${chatId}/messages`)).body.messages).toHaveLength(1)
    expect((await owner.post(`/chats/${chatId}/members`, { user_ids: [one.id] })).body).toEqual({
      added: [],
      member_count: 5,
    })
  })

  it('are listed by pages, in the order of joining, with role, presence and read mark', async () => {
    const chatId = await makeGroup()
    const late = await server.addUser()
    await owner.post(`/chats/${chatId}/members`, { user_ids: [late.id] })
    await say(owner, chatId, 'hello')
    await member.post(`/chats/${chatId}/read`, {})
    const socket = await member.socket()
    const { body } = await late.get(`/chats/${chatId}/members`)
    expect(body).toMatchObject({ total: 4, has_more: false })
    expect(body.members.at(-1).user.id).toBe(late.id)
    const shown = body.members.find((m: { user: { id: string } }) => m.user.id === member.id)
    expect(shown).toMatchObject({ role: 'member', is_online: true, last_read_seq: 1 })
    expect(Object.keys(shown.user)).not.toContain('phone')
    const pages = []
    for (let offset = 0; offset < 4; offset += 3)
      pages.push((await owner.get(`/chats/${chatId}/members?limit=3&offset=${offset}`)).body)
    expect(pages.map(({ has_more }) => has_more)).toEqual([true, false])
    expect(pages.flatMap(({ members }) => members)).toEqual(body.members)
    await socket.close()
  })

  it('are removed: members by admins, anybody by the owner, nobody by members', async () => {
    const chatId = await makeGroup()
    const second = await server.addUser()
    await owner.post(`/chats/${chatId}/members`, { user_ids: [second.id] })
    await owner.patch(`/chats/${chatId}/members/${second.id}`, { role: 'admin' })
    const remove = async (by: TestUser, target: TestUser) =>
      (await by.delete(`/chats/${chatId}/members/${target.id}`)).status
    expect(await remove(member, admin)).toBe(403)
    expect(await remove(admin, second)).toBe(403)
    expect(await remove(admin, owner)).toBe(403)
    expect(await remove(admin, stranger)).toBe(404)
    expect(await remove(admin, member)).toBe(200)
    expect(await remove(admin, member)).toBe(404)
    expect(await remove(owner, second)).toBe(200)
    expect((await overviewOf(owner, chatId)).member_count).toBe(2)
    // An ex-member has none of the history, and cannot write.
    expect((await member.get(`/chats/${chatId}/messages`)).status).toBe(404)
    expect((await member.post('/messages', { chat_id: chatId, content: 'x' })).status).toBe(404)
    expect((await member.get('/chats')).body.chats.map((c: { id: string }) => c.id)).not.toContain(chatId)
  })

  it('leave by removing themselves; the owner hands over first', async () => {
    const chatId = await makeGroup()
    expect((await owner.delete(`/chats/${chatId}/members/${owner.id}`)).status).toBe(409)
    expect((await owner.patch(`/chats/${chatId}/members/${member.id}`, { role: 'owner' })).status).toBe(200)
    expect(Object.fromEntries(await rolesIn(owner, chatId))).toEqual({
      [owner.id]: 'admin',
      [admin.id]: 'admin',
      [member.id]: 'owner',
    })
    expect((await owner.delete(`/chats/${chatId}/members/${owner.id}`)).status).toBe(200)
    expect((await overviewOf(member, chatId)).owner_id).toBe(member.id)
    expect((await admin.delete(`/chats/${chatId}/members/${admin.id}`)).status).toBe(200)
    expect((await overviewOf(member, chatId)).member_count).toBe(1)
  })

  it('get their roles from the owner alone', async () => {
    const chatId = await makeGroup()
    const set = (by: TestUser, target: string, role: string) =>
      by.patch(`/chats/${chatId}/members/${target}`, { role }).then(({ status }) => status)
    expect(await set(admin, member.id, 'admin')).toBe(403)
    expect(await set(member, member.id, 'owner')).toBe(403)
    expect(await set(owner, owner.id, 'member')).toBe(400)
    expect(await set(owner, stranger.id, 'admin')).toBe(404)
    expect(await set(owner, member.id, 'king')).toBe(400)
    expect(await set(owner, admin.id, 'member')).toBe(200)
    expect(Object.fromEntries(await rolesIn(owner, chatId))[admin.id]).toBe('member')
  })

  it('pass the ownership once when it is handed over twice at once', async () => {
    const chatId = await makeGroup()
    const answers = await Promise.all(
      [admin, member].map(({ id }) => owner.patch(`/chats/${chatId}/members/${id}`, { role: 'owner' })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403])
    expect((await rolesIn(owner, chatId)).filter(([, role]) => role === 'owner')).toHaveLength(1)
  })
})

describe('the limit of 200 members', () => {
  it('holds under any race', async () => {
    const users = await addUsers(server, 215)
    const tooMany = await owner.post('/chats', { name: 'x', type: 'group', member_ids: users.map(({ id }) => id) })
    expect(tooMany).toMatchObject({ status: 409, body: { details: { limit: 200 } } })
    const chatId = await server.addGroup(owner, ...users.slice(0, 189))
    // 190 are in it; 26 more, two at a time, all at once.
    const rest = users.slice(189)
    const answers = await Promise.all(
      Array.from({ length: 13 }, (_, n) =>
        owner.post(`/chats/${chatId}/members`, { user_ids: rest.slice(2 * n, 2 * n + 2).map(({ id }) => id) }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(8)
    expect((await overviewOf(owner, chatId)).member_count).toBe(200)
    const [row] = await server.database.sql`select count(*)::int as count from chat_members where chat_id = ${chatId}`
    expect(row?.count).toBe(200)
  })

  it('counts members right when one is removed from many sides', async () => {
    const chatId = await makeGroup()
    const answers = await Promise.all([
      owner.delete(`/chats/${chatId}/members/${member.id}`),
      admin.delete(`/chats/${chatId}/members/${member.id}`),
      member.delete(`/chats/${chatId}/members/${member.id}`),
    ])
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect((await overviewOf(owner, chatId)).member_count).toBe(2)
  })
})

describe('deleting a group', () => {
  it('is for the owner, and takes everything with it', async () => {
    const chatId = await makeGroup()
    await say(member, chatId, 'hello')
    expect((await admin.delete(`/chats/${chatId}`)).status).toBe(403)
    expect((await owner.delete(`/chats/${chatId}`)).status).toBe(200)
    for (const user of [owner, admin, member]) expect((await user.get(`/chats/${chatId}`)).status).toBe(404)
    for (const table of ['messages', 'chat_members']) {
      const [row] = await server.database.sql`
        select count(*)::int as count from ${server.database.sql(table)} where chat_id = ${chatId}`
      expect(row?.count).toBe(0)
    }
  })
})
