import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { countAttempts } from '../../../src/features/auth/attempt-store.ts'
import { createPasswords } from '../../../src/features/auth/passwords.ts'
import { fakePasswords, newAddress, openDatabase, PASSWORD, startApp } from './support.ts'

let database: Awaited<ReturnType<typeof openDatabase>>
/** Real hashes. */
let server: ReturnType<typeof startApp>
/** Hashes that cost nothing, for the limits. */
let cheap: ReturnType<typeof startApp>
const { passwords, asked } = fakePasswords()
beforeAll(async () => {
  database = await openDatabase()
  server = startApp(database)
  cheap = startApp(database, { passwords })
})
afterAll(() => database.close())

const wrong = { status: 401, body: { error: 'Wrong phone, e-mail or password', details: {} } }

describe('logging in', () => {
  it('works by phone and by e-mail in any case', async () => {
    const user = await server.register({ email: 'Login.One@example.com' })
    const byPhone = await server.login(user.phone)
    expect(byPhone.status).toBe(200)
    expect(Object.keys(byPhone.body).sort()).toEqual(['expires_in', 'refresh_token', 'token', 'user_id'])
    expect(byPhone.body.user_id).toBe(user.userId)
    expect((await cheap.login('LOGIN.one@EXAMPLE.com ', PASSWORD)).status).toBe(401)
    expect((await server.login('LOGIN.one@EXAMPLE.com ')).status).toBe(200)
  })

  it('answers a wrong password and an unknown account alike, after the work of one check each', async () => {
    const user = await cheap.register()
    const before = { ...asked }
    expect(await cheap.login(user.phone, 'Wrong1234')).toMatchObject(wrong)
    expect(await cheap.login('+19998887766', 'Wrong1234')).toMatchObject(wrong)
    expect(asked.verify - before.verify).toBe(1)
    expect(asked.verifyNothing - before.verifyNothing).toBe(1)
  })

  it('refuses text that PostgreSQL cannot hold', async () => {
    const answer = await cheap.login('+1202\u0000', PASSWORD)
    expect(answer).toMatchObject({ status: 400, body: { error: 'Validation failed' } })
    expect(Object.keys(answer.body.details)).toEqual(['phone_or_email'])
  })

  it('tells of a disabled account only who knows its password', async () => {
    const user = await cheap.register()
    await cheap.accounts.disable(user.userId)
    expect(await cheap.login(user.phone, 'Wrong1234')).toMatchObject(wrong)
    const right = await cheap.login(user.phone)
    expect(right).toMatchObject({ status: 403, body: { error: 'This account is disabled' } })
    await cheap.accounts.enable(user.userId)
    expect((await cheap.login(user.phone)).status).toBe(200)
  })

  it('hashes the password anew when the setting changed', async () => {
    const user = await server.register()
    const modern = startApp(database, { passwords: createPasswords({ algorithm: 'argon2id', concurrency: 2 }) })
    const both = await Promise.all([modern.login(user.phone), modern.login(user.phone)])
    expect(both.map(({ status }) => status)).toEqual([200, 200])
    const [row] = await database.sql`select password_hash from users where id = ${user.userId}`
    expect(row?.password_hash).toStartWith('$argon2id$')
    expect((await modern.login(user.phone)).status).toBe(200)
  })

  it('is noted in the audit log', async () => {
    const user = await cheap.register()
    const address = newAddress()
    const body = { phone_or_email: user.phone, password: PASSWORD }
    await cheap.call('POST', '/auth/login', { body, address, agent: 'A browser' })
    const [entry] = await database.sql`
      select action, host(ip_address) as ip, user_agent from audit_logs
      where user_id = ${user.userId} and action = 'login'`
    expect(entry).toEqual({ action: 'login', ip: address, user_agent: 'A browser' })
  })
})

describe('login limits', () => {
  it('let 5 of 20 parallel guesses at an account through, from 20 addresses', async () => {
    const user = await cheap.register()
    const before = asked.verify
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => cheap.login(user.phone, 'Wrong1234', newAddress())),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(15)
    expect(refused[0]?.body.error).toBe('Too many login attempts')
    expect(refused[0]?.body.details.retry_after).toBeGreaterThan(890)
    expect(refused[0]?.body.details.retry_after).toBeLessThanOrEqual(900)
    expect(asked.verify - before).toBe(5)
  })

  it('tell no one to wait longer than the window, who had to wait for one that began later', async () => {
    const key = crypto.randomUUID()
    const late = await database.db.transaction(async (tx) => {
      await tx.execute('select 1')
      await Bun.sleep(50)
      await countAttempts(database.db, [key], 900)
      return countAttempts(tx, [key], 900)
    })
    expect(late).toEqual([{ key, attempts: 2, retryAfterSeconds: 900 }])
  })

  it('hold for the account, whether it is named by phone or by e-mail', async () => {
    const user = await cheap.register({ email: 'both.names@example.com' })
    for (let i = 0; i < 3; i++) await cheap.login(user.phone, 'Wrong1234', newAddress())
    for (let i = 0; i < 2; i++) await cheap.login('both.names@example.com', 'Wrong1234', newAddress())
    expect((await cheap.login('both.names@example.com', 'Wrong1234', newAddress())).status).toBe(429)
  })

  it('hold for accounts that are not there', async () => {
    const names = ['Nobody@example.com', 'nobody@example.com', 'NOBODY@example.com ']
    const answers = []
    for (const name of [...names, ...names]) answers.push(await cheap.login(name, 'Wrong1234', newAddress()))
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429])
  })

  it('cannot lock the owner out of an address they signed in from', async () => {
    const home = newAddress()
    const user = await cheap.register({}, home)
    for (let i = 0; i < 6; i++) await cheap.login(user.phone, 'Wrong1234', newAddress())
    expect((await cheap.login(user.phone, PASSWORD, newAddress())).status).toBe(429)
    expect((await cheap.login(user.phone, PASSWORD, home)).status).toBe(200)
  })

  it('are 5 for a known address too, apart from strangers', async () => {
    const home = newAddress()
    const user = await cheap.register({}, home)
    const answers = []
    for (let i = 0; i < 6; i++) answers.push(await cheap.login(user.phone, 'Wrong1234', home))
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429])
    expect((await cheap.login(user.phone, PASSWORD, newAddress())).status).toBe(200)
  })

  it('forget an address after 90 days', async () => {
    const home = newAddress()
    const user = await cheap.register({}, home)
    await database.sql`
      update known_addresses set last_login_at = now() - interval '91 days' where user_id = ${user.userId}`
    for (let i = 0; i < 5; i++) await cheap.login(user.phone, 'Wrong1234', newAddress())
    expect((await cheap.login(user.phone, PASSWORD, home)).status).toBe(429)
    await cheap.attempts.sweep()
    const left = await database.sql`select 1 from known_addresses where user_id = ${user.userId}`
    expect(left).toHaveLength(0)
  })

  it('start afresh after a success', async () => {
    const user = await cheap.register()
    const stranger = newAddress()
    for (let i = 0; i < 4; i++) await cheap.login(user.phone, 'Wrong1234', stranger)
    expect((await cheap.login(user.phone, PASSWORD, stranger)).status).toBe(200)
    for (let i = 0; i < 5; i++) expect((await cheap.login(user.phone, 'Wrong1234', newAddress())).status).toBe(401)
    expect((await cheap.login(user.phone, 'Wrong1234', newAddress())).status).toBe(429)
  })

  it('end after their window', async () => {
    const user = await cheap.register()
    for (let i = 0; i < 6; i++) await cheap.login(user.phone, 'Wrong1234', newAddress())
    await database.sql`update attempt_limits set resets_at = now() where key like ${`%${user.userId}%`}`
    expect((await cheap.login(user.phone, PASSWORD, newAddress())).status).toBe(200)
  })

  it('allow 50 attempts of an address at any accounts, the /64 of an IPv6 address being one', async () => {
    const answers = []
    for (let i = 0; i < 52; i++) answers.push(await cheap.login(`+1555000${1000 + i}`, 'Wrong1234', `2001:db8::${i}`))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(50)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(2)
  })

  it('are not there with RATE_LIMITS=off', async () => {
    const open = startApp(database, { passwords, limits: { isOn: false } })
    const user = await open.register()
    for (let i = 0; i < 8; i++) expect((await open.login(user.phone, 'Wrong1234')).status).toBe(401)
  })
})
