import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { eq } from 'drizzle-orm'
import { readControl } from '../../../src/bus/control.ts'
import { userTopic } from '../../../src/bus/topics.ts'
import { users } from '../../../src/db/schema/index.ts'
import type { DeletionStep } from '../../../src/features/auth/accounts.ts'
import { fakePasswords, newAddress, openDatabase, PASSWORD, startApp } from './support.ts'

let database: Awaited<ReturnType<typeof openDatabase>>
let server: ReturnType<typeof startApp>
const { passwords } = fakePasswords()
beforeAll(async () => {
  database = await openDatabase()
  server = startApp(database, { passwords })
})
afterAll(() => database.close())

const status = async (token: string) => (await server.call('GET', '/users/me', { token })).status

describe('changing the password', () => {
  const change = (token: string, old_password: string, new_password = 'NewSecure456', address?: string) =>
    server.call('PATCH', '/users/me/password', { token, body: { old_password, new_password }, address })

  it('ends all other sessions and keeps this one', async () => {
    const user = await server.register()
    const other = (await server.login(user.phone)).body
    const answer = await change(user.token, PASSWORD)
    expect(answer).toMatchObject({ status: 200, body: { message: 'Password changed successfully' } })
    expect(await status(user.token)).toBe(200)
    expect(await status(other.token)).toBe(401)
    expect((await server.refresh(other.refresh_token)).status).toBe(401)
    expect((await server.refresh(user.refreshToken)).status).toBe(200)
    expect((await server.login(user.phone)).status).toBe(401)
    expect((await server.login(user.phone, 'NewSecure456')).status).toBe(200)
  })

  it('asks for the old one', async () => {
    const user = await server.register()
    const answer = await change(user.token, 'Wrong1234')
    expect(answer).toMatchObject({ status: 403, body: { details: { old_password: 'is not right' } } })
    expect((await server.login(user.phone)).status).toBe(200)
  })

  it('holds the rule for the new one', async () => {
    const user = await server.register()
    const answer = await change(user.token, PASSWORD, 'newpassword')
    expect(answer.status).toBe(400)
    expect(Object.keys(answer.body.details)).toEqual(['new_password'])
  })

  it('limits guesses together with those of logins', async () => {
    const user = await server.register()
    const elsewhere = newAddress()
    for (let i = 0; i < 3; i++) expect((await change(user.token, 'Wrong1234', undefined, elsewhere)).status).toBe(403)
    for (let i = 0; i < 2; i++) await server.login(user.phone, 'Wrong1234', newAddress())
    expect((await change(user.token, PASSWORD, undefined, elsewhere)).status).toBe(429)
  })

  it('lets one of two parallel changes win', async () => {
    const user = await server.register()
    const answers = await Promise.all([
      change(user.token, PASSWORD, 'First1234'),
      change(user.token, PASSWORD, 'Second1234'),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403])
  })

  it('wins against a login with the old password that is under way', async () => {
    const user = await server.register()
    const gate = Promise.withResolvers<void>()
    const slow = startApp(database, {
      passwords: {
        ...passwords,
        verify: (...given) => passwords.verify(...given).then((ok) => gate.promise.then(() => ok)),
      },
    })
    const login = slow.login(user.phone)
    await Bun.sleep(50)
    expect((await change(user.token, PASSWORD)).status).toBe(200)
    gate.resolve()
    expect((await login).status).toBe(401)
    const sessions = await database.sql`select id from session_tokens where user_id = ${user.userId}`
    expect(sessions).toHaveLength(1)
  })
})

describe('deleting the account', () => {
  it('removes all that is personal, ends every session and frees the names', async () => {
    const email = 'gone@example.com'
    const user = await server.register({ email })
    const other = (await server.login(user.phone)).body
    await server.call('PATCH', '/users/me', { token: user.token, body: { bio: 'Hello' } })
    const answer = await server.call('DELETE', '/users/me', { token: user.token })
    expect(answer).toMatchObject({ status: 200, body: { message: 'Account deleted successfully' } })
    expect([await status(user.token), await status(other.token)]).toEqual([401, 401])
    expect((await server.login(user.phone)).status).toBe(401)

    const [row] = await database.sql`select * from users where id = ${user.userId}`
    const personal = { phone: null, email: null, username: null, avatar_url: null, bio: null, last_seen_at: null }
    expect(row).toMatchObject({ ...personal, password_hash: '!' })
    expect(row?.deleted_at).toBeInstanceOf(Date)
    expect(await database.sql`select 1 from known_addresses where user_id = ${user.userId}`).toHaveLength(0)

    const again = await server.register({ phone: user.phone, username: user.username, email })
    expect(again.userId).not.toBe(user.userId)
  })

  it('is the end of the session at an instance that does not know it yet', async () => {
    const user = await server.register()
    const { token } = user
    // What it is told nothing of: instances of one database have nothing else in common here.
    const elsewhere = startApp(database, { passwords })
    expect((await elsewhere.call('GET', '/users/search?q=nobody', { token })).status).toBe(200)
    expect((await server.call('DELETE', '/users/me', { token })).status).toBe(200)
    expect((await elsewhere.call('GET', '/users/search?q=nobody', { token })).status).toBe(200)

    const passwordBody = { old_password: PASSWORD, new_password: 'NewSecure456' }
    const answers = [
      await elsewhere.call('GET', '/users/me', { token }),
      await elsewhere.call('PATCH', '/users/me', { token, body: { bio: 'Still here' } }),
      await elsewhere.call('PATCH', '/users/me/password', { token, body: passwordBody }),
      await elsewhere.call('DELETE', '/users/me', { token }),
    ]
    const ended = { status: 401, body: { error: 'This session has ended; sign in again' } }
    expect(answers).toMatchObject([ended, ended, ended, ended])
  })

  it('runs what other features do in the same transaction, and publishes after the commit', async () => {
    const seen: (Date | null | undefined)[] = []
    const step: DeletionStep = async (tx, userId) => {
      const [row] = await tx.select({ deletedAt: users.deletedAt }).from(users).where(eq(users.id, userId))
      seen.push(row?.deletedAt)
      return [{ topic: userTopic(userId), kind: 'event', payload: '{"type":"goodbye"}' }]
    }
    const stepping = startApp(database, { passwords, steps: [step] })
    const user = await stepping.register()
    await stepping.call('DELETE', '/users/me', { token: user.token })
    expect(seen).toEqual([null])
    const [control, event] = stepping.published
    expect(control && readControl(control)).toMatchObject({ type: 'sessions_ended' })
    expect(event).toMatchObject({ kind: 'event', payload: '{"type":"goodbye"}' })
  })

  it('changes nothing when one of them fails', async () => {
    const failing = startApp(database, { passwords, steps: [() => Promise.reject(new Error('no'))] })
    const user = await failing.register()
    expect((await failing.call('DELETE', '/users/me', { token: user.token })).status).toBe(500)
    expect(failing.published).toEqual([])
    expect((await failing.call('GET', '/users/me', { token: user.token })).status).toBe(200)
  })

  it('is noted in the audit log', async () => {
    const user = await server.register()
    await server.call('DELETE', '/users/me', { token: user.token, agent: 'A browser' })
    const entries = await database.sql`
      select action, user_agent from audit_logs where user_id = ${user.userId} and action = 'account_delete'`
    expect([...entries]).toEqual([{ action: 'account_delete', user_agent: 'A browser' }])
  })
})
