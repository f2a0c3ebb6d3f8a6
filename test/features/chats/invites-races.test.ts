/** Many who join by invites at once, and what happens to the invite, the group and them meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { addUsers } from './support.ts'

let server: TestServer
let owner: TestUser
beforeAll(async () => {
  server = await startServer()
  owner = await server.addUser()
})
afterAll(() => server.stop())

const codeTo = async (chatId: string, limits?: Json): Promise<string> =>
  (await owner.post(`/chats/${chatId}/invites`, limits)).body.code
const join = (user: TestUser, code: string) => user.post(`/invites/${code}/join`)
const usesOf = async (code: string): Promise<number> => {
  const [row] = await server.database.sql`select uses from invites where code = ${code}`
  return row?.uses
}
/** The number of members that a chat says it has, and that it has. */
const countsOf = async (chatId: string): Promise<Json> => {
  const [row] = await server.database.sql`
    select member_count as said, (select count(*)::int from chat_members where chat_id = ${chatId}) as counted
    from chats where id = ${chatId}`
  return row
}
const gone = { status: 404, body: { error: 'Invite not found', details: {} } }

describe('races', () => {
  it('of 50 who join by an invite for 5 let exactly 5 in', async () => {
    const chatId = await server.addGroup(owner)
    const code = await codeTo(chatId, { max_uses: 5 })
    const users = await addUsers(server, 50)
    const answers = await Promise.all(users.map((user) => join(user, code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5)
    for (const { status, body } of answers) if (status !== 200) expect({ status, body }).toEqual(gone)
    expect(await countsOf(chatId)).toEqual({ said: 6, counted: 6 })
    expect(await usesOf(code)).toBe(5)
  })

  /** Strangers, put into the chat directly. */
  const fill = (chatId: string, count: number) =>
    server.database.sql.begin(async (tx) => {
      await tx`
      with added as (
        insert into users (id, phone, username, password_hash)
        select id, '+49' || left(translate(id::text, 'abcdef-', '123456'), 13), 'u' || replace(id::text, '-', ''), '!'
        from (select gen_random_uuid() as id from generate_series(1, ${count}::int)) ids returning id
      ) insert into chat_members (chat_id, user_id) select ${chatId}, id from added`
      await tx`update chats set member_count = member_count + ${count} where id = ${chatId}`
      await tx`update channels set subscriber_count = subscriber_count + ${count} where id = ${chatId}`
    })

  it('for the last places of a group fill it and no more; what was refused is not used up', async () => {
    const [chatId, users] = [await server.addGroup(owner), await addUsers(server, 30)]
    await fill(chatId, 189)
    const codes = [await codeTo(chatId), await codeTo(chatId)] as const
    const answers = await Promise.all([
      ...users.slice(0, 25).map((user, n) => join(user, codes[n % 2 ? 0 : 1])),
      ...users.slice(25).map(({ id }) => owner.post(`/chats/${chatId}/members`, { user_ids: [id] })),
    ])
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
    for (const { status, body } of answers) {
      if (status !== 200) expect({ status, limit: body.details.limit }).toEqual({ status: 409, limit: 200 })
    }
    expect(await countsOf(chatId)).toEqual({ said: 200, counted: 200 })
    const joined = answers.slice(0, 25).filter(({ status }) => status === 200).length
    expect((await usesOf(codes[0])) + (await usesOf(codes[1]))).toBe(joined)
  })

  it('hold up no channel, which has no limit', async () => {
    const [chatId, users] = [(await owner.post('/channels', { name: 'News' })).body.id, await addUsers(server, 12)]
    await fill(chatId, 205)
    const code = await codeTo(chatId)
    const answers = await Promise.all(users.map((user) => join(user, code)))
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200))
    expect((await owner.get(`/channels/${chatId}`)).body.subscriber_count).toBe(218)
  })

  it('with a revocation end with its answer: nobody joins after it', async () => {
    for (let round = 0; round < 8; round++) {
      const [chatId, users] = [await server.addGroup(owner), await addUsers(server, 12)]
      const code = await codeTo(chatId)
      let isRevoked = false
      const late: number[] = []
      const joins = users.map(async (user, n) => {
        await Bun.sleep(n * 2)
        const wasRevoked = isRevoked
        const { status } = await join(user, code)
        if (wasRevoked) late.push(status)
        return status
      })
      await Bun.sleep(round * 2)
      expect((await owner.delete(`/chats/${chatId}/invites/${code}`)).status).toBe(200)
      isRevoked = true
      const { said } = await countsOf(chatId)
      const statuses = await Promise.all(joins)
      for (const status of statuses) expect([200, 404]).toContain(status)
      expect(late.filter((status) => status !== 404)).toEqual([])
      expect(await countsOf(chatId)).toEqual({ said, counted: said })
      expect(statuses.filter((status) => status === 200)).toHaveLength(said - 1)
    }
  })

  it('with the deletion of the account, or of the chat, leave nobody behind', async () => {
    for (let round = 0; round < 10; round++) {
      const [user, other] = (await addUsers(server, 2)) as [TestUser, TestUser]
      const [kept, lost] = [await server.addGroup(owner), await server.addGroup(owner)]
      const codes = [await codeTo(kept), await codeTo(lost)] as const
      const answers = await Promise.all([
        join(user, codes[0]),
        user.delete('/users/me'),
        join(other, codes[1]),
        owner.delete(`/chats/${lost}`),
      ])
      for (const { status } of answers) expect(status).toBeLessThan(500)
      expect(await countsOf(kept)).toEqual({ said: 1, counted: 1 })
      const rows = await server.database.sql`select from invites where chat_id = ${lost}`
      expect([...rows]).toEqual([])
    }
  })

  it('with a removal end with them outside', async () => {
    for (let round = 0; round < 15; round++) {
      const user = await server.addUser()
      const chatId = await server.addGroup(owner, user)
      const code = await codeTo(chatId)
      const [out] = await Promise.all([
        owner.delete(`/chats/${chatId}/members/${user.id}`),
        ...Array.from({ length: 4 }, () => join(user, code)),
      ])
      expect(out.status).toBe(200)
      expect(await join(user, code)).toMatchObject({ status: 403, body: { error: 'You were removed from this chat' } })
      expect(await countsOf(chatId)).toEqual({ said: 1, counted: 1 })
    }
  })
})
