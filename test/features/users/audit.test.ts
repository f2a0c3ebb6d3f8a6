/** The audit log: what is noted, and who reads it. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { type Json, request } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'

let server: TestServer
beforeAll(async () => {
  // Sparing the time that many hashes of the default kind take.
  server = await startServer({ PASSWORD_HASH: 'argon2id', TRUSTED_PROXIES: '127.0.0.1' })
})
afterAll(() => server.stop())

const FIRST = 'FirstPass123'
const SECOND = 'SecondPass123'
const from = (address: string, agent: string) => ({ 'x-forwarded-for': address, 'user-agent': agent })
const call = (
  method: string,
  path: string,
  token: string | undefined,
  body: unknown,
  headers: Record<string, string>,
) => request(`${server.url}/api/v1${path}`, method, token, body, headers)
const sidOf = (token: string): string => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sid
const readLog = async (token: string, query = ''): Promise<Json> =>
  (await call('GET', `/users/me/audit${query}`, token, undefined, {})).body
let names = 0

describe('the audit log', () => {
  it('has an entry for whatever was done to the account, the latest first, with nothing secret', async () => {
    const [phone, username] = [`+4930${1_000_000 + ++names}`, `audited_${names}`]
    const home = from('203.0.113.7', 'Home/1.0')
    const away = from('2001:db8::7', 'Away/2.0')
    const registered = (await call('POST', '/auth/register', undefined, { phone, username, password: FIRST }, home))
      .body
    const loggedIn = (await call('POST', '/auth/login', undefined, { phone_or_email: phone, password: FIRST }, away))
      .body
    const third = (await call('POST', '/auth/login', undefined, { phone_or_email: phone, password: FIRST }, away)).body
    const [homeId, awayId, thirdId] = [registered, loggedIn, third].map(({ token }) => sidOf(token)) as string[]
    await call('PATCH', '/users/me', registered.token, { bio: 'a bio of mine', username }, home)
    await call('DELETE', `/auth/sessions/${thirdId}`, registered.token, undefined, home)
    await call('POST', '/auth/logout', loggedIn.token, undefined, away)
    const passwords = { old_password: FIRST, new_password: SECOND }
    await call('PATCH', '/users/me/password', registered.token, passwords, home)
    // What was refused changed nothing.
    await call('PATCH', '/users/me/password', registered.token, passwords, home)
    await call('POST', '/auth/login', undefined, { phone_or_email: phone, password: 'Wrong1234' }, away)

    const { entries, ...rest } = await readLog(registered.token)
    expect(rest).toEqual({ has_more: false, next_cursor: null })
    const [atHome, elsewhere] = [
      { ip_address: '203.0.113.7', user_agent: 'Home/1.0' },
      { ip_address: '2001:db8::7', user_agent: 'Away/2.0' },
    ]
    const told = entries.map(({ id: _id, created_at: _at, ...entry }: Json) => entry)
    expect(told).toEqual([
      { action: 'password_change', ...atHome, details: {} },
      { action: 'logout', ...elsewhere, details: { session_ids: [awayId] } },
      { action: 'logout', ...atHome, details: { session_ids: [thirdId] } },
      { action: 'profile_update', ...atHome, details: { fields: expect.arrayContaining(['bio', 'username']) } },
      { action: 'login', ...elsewhere, details: { session_id: thirdId } },
      { action: 'login', ...elsewhere, details: { session_id: awayId } },
      { action: 'register', ...atHome, details: { session_id: homeId } },
    ])
    for (const { id, created_at } of entries) {
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
      expect(new Date(created_at).toISOString()).toBe(created_at)
    }
    const secrets = [FIRST, SECOND, 'Wrong1234', 'a bio of mine', phone, registered.token, registered.refresh_token]
    for (const secret of secrets) expect(JSON.stringify(entries)).not.toContain(secret)
  })

  it('notes the deletion of an account, which its former owner cannot read', async () => {
    const user = await server.addUser()
    await user.delete('/users/me')
    expect((await user.get('/users/me/audit')).status).toBe(401)
    const rows = await server.database.sql`select action, details from audit_logs where user_id = ${user.id}`
    expect([...rows]).toEqual([{ action: 'account_delete', details: {} }])
  })

  it('is read by nobody else', async () => {
    const [user, other] = [await server.addUser(), await server.addUser()]
    await user.patch('/users/me', { bio: 'x' })
    expect((await other.get('/users/me/audit')).body).toEqual({ entries: [], has_more: false, next_cursor: null })
    expect((await user.get('/users/me/audit')).body.entries).toMatchObject([{ action: 'profile_update' }])
  })

  it('comes in pages without gaps or repeats, though entries are of one instant and new ones arrive', async () => {
    const user = await server.addUser()
    for (let n = 0; n < 8; n++) await user.patch('/users/me', { bio: `${n}` })
    await server.database.sql`update audit_logs set created_at = now() where user_id = ${user.id}`
    const all: string[] = (await user.get('/users/me/audit')).body.entries.map(({ id }: Json) => id)
    expect(all).toEqual([...all].sort().reverse())
    const read: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: Json = await readLog(user.token, `?limit=3${cursor && `&cursor=${cursor}`}`)
      expect(page.entries.length).toBeLessThanOrEqual(3)
      read.push(...page.entries.map(({ id }: Json) => id))
      cursor = page.next_cursor
      expect(page.has_more).toBe(cursor !== null)
      await user.patch('/users/me', { bio: 'new' })
    }
    expect(read).toEqual(all)
    for (const query of ['?cursor=x', '?limit=0', '?limit=101']) {
      expect((await user.get(`/users/me/audit${query}`)).status).toBe(400)
    }
  })
})
