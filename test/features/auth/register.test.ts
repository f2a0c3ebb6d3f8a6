import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { fakePasswords, newAddress, newNames, openDatabase, PASSWORD, startApp } from './support.ts'

let database: Awaited<ReturnType<typeof openDatabase>>
let server: ReturnType<typeof startApp>
beforeAll(async () => {
  database = await openDatabase()
  server = startApp(database)
})
afterAll(() => database.close())

const register = (body: unknown, address = newAddress()) => server.call('POST', '/auth/register', { body, address })

describe('registering', () => {
  it('makes an account and signs it in', async () => {
    const names = newNames()
    const { status, body, headers } = await register({ ...names, password: PASSWORD })
    expect(status).toBe(201)
    expect(Object.keys(body).sort()).toEqual(['expires_in', 'refresh_token', 'token', 'user_id'])
    expect(body.expires_in).toBe(3600)
    expect(headers.get('cache-control')).toBe('no-store')
    const me = await server.call('GET', '/users/me', { token: body.token })
    expect(me.body).toMatchObject({ id: body.user_id, ...names, email: null, is_premium: false })
  })

  it('keeps the e-mail as given, and knows it in any case', async () => {
    const given = ' John.Doe@Example.com '
    const { body } = await register({ ...newNames(), email: given, password: PASSWORD })
    const me = await server.call('GET', '/users/me', { token: body.token })
    expect(me.body.email).toBe('John.Doe@Example.com')
    const again = await register({ ...newNames(), email: 'john.doe@example.COM', password: PASSWORD })
    expect(again).toMatchObject({ status: 409, body: { details: { email: 'is already registered' } } })
  })

  it('names every faulty field at once', async () => {
    const { status, body } = await register({ phone: '123', email: 'nobody', password: 'short', username: 'a b' })
    expect(status).toBe(400)
    expect(body).toEqual({
      error: 'Validation failed',
      details: {
        phone: 'must be a phone number in E.164 form, such as +1234567890',
        email: 'must be an e-mail address',
        password: 'must be 8 to 128 characters with an upper-case letter, a lower-case letter and a digit',
        username: 'must be 3 to 50 letters, digits or underscores',
      },
    })
  })

  it('names every missing field at once', async () => {
    const { status, body } = await register({})
    expect(status).toBe(400)
    expect(Object.keys(body.details).sort()).toEqual(['password', 'phone', 'username'])
  })

  const faults: [string, Record<string, unknown>][] = [
    ['a phone without a plus', { phone: '1234567890' }],
    ['a phone that starts with 0', { phone: '+0123456789' }],
    ['a phone of 16 digits', { phone: '+1234567890123456' }],
    ['a phone with a line feed', { phone: '+1234567890\n' }],
    ['an e-mail without a dot', { email: 'user@localhost' }],
    ['an e-mail with two @', { email: 'a@b@example.com' }],
    ['an e-mail of 255 characters', { email: `${'a'.repeat(243)}@example.com` }],
    ['an empty e-mail', { email: '' }],
    ['a username of 2', { username: 'ab' }],
    ['a username of 51', { username: 'a'.repeat(51) }],
    ['a username with a dot', { username: 'john.doe' }],
    ['a username in Cyrillic', { username: 'иван' }],
    ['a password of 7', { password: 'Secure1' }],
    ['a password without an upper-case letter', { password: 'securepass1' }],
    ['a password without a lower-case letter', { password: 'SECUREPASS1' }],
    ['a password without a digit', { password: 'SecurePass' }],
    ['a password of 129', { password: `${'a'.repeat(127)}A1` }],
    ['a password with U+0000', { password: 'Secure\u0000Pass1' }],
    ['a password that is a number', { password: 12345678 }],
  ]
  it.each(faults)('refuses %s', async (_, fields) => {
    const answer = await register({ ...newNames(), password: PASSWORD, ...fields })
    expect(answer.status).toBe(400)
    expect(Object.keys(answer.body.details)).toEqual(Object.keys(fields))
  })

  it('names every taken field at once', async () => {
    const taken = { ...newNames(), email: `taken-${Date.now()}@example.com` }
    await server.register(taken)
    const { status, body } = await register({ ...taken, username: taken.username.toUpperCase(), password: PASSWORD })
    expect(status).toBe(409)
    expect(body.details).toEqual({
      phone: 'is already registered',
      email: 'is already registered',
      username: 'is already taken',
    })
  })

  it('lets one of 20 parallel registrations of a phone win, and names the field to the others', async () => {
    const racing = startApp(database, { passwords: fakePasswords().passwords })
    const { phone } = newNames()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => {
        const body = { phone, username: newNames().username, password: PASSWORD }
        return racing.call('POST', '/auth/register', { body, address: newAddress() })
      }),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    const refused = answers.filter(({ status }) => status === 409)
    expect(refused).toHaveLength(19)
    for (const { body } of refused) expect(body.details).toEqual({ phone: 'is already registered' })
  })

  it('allows 10 an hour from an address, whether they succeed at once or not', async () => {
    const cheap = startApp(database, { passwords: fakePasswords().passwords })
    const address = newAddress()
    const once = () => cheap.call('POST', '/auth/register', { body: { ...newNames(), password: PASSWORD }, address })
    const answers = await Promise.all(Array.from({ length: 12 }, once))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10)
    const refused = answers.find(({ status }) => status === 429)
    expect(refused?.body.details.retry_after).toBeGreaterThan(3500)
  })

  it('counts the /64 of an IPv6 address as one', async () => {
    const cheap = startApp(database, { passwords: fakePasswords().passwords, limits: { registerPerAddress: 1 } })
    const from = (address: string) =>
      cheap.call('POST', '/auth/register', { body: { ...newNames(), password: PASSWORD }, address })
    expect((await from('2001:db8:1:2::1')).status).toBe(201)
    expect((await from('2001:db8:1:2:ffff::2')).status).toBe(429)
    expect((await from('2001:db8:1:3::1')).status).toBe(201)
  })

  it('is refused on a closed server', async () => {
    const closed = startApp(database, { registration: 'closed' })
    const answer = await closed.call('POST', '/auth/register', { body: { ...newNames(), password: PASSWORD } })
    expect(answer).toMatchObject({ status: 403, body: { error: 'Registration is closed on this server' } })
  })

  it('notes it in the audit log, with a user agent cut to size', async () => {
    const address = newAddress()
    const body = { ...newNames(), password: PASSWORD }
    const made = await server.call('POST', '/auth/register', { body, address, agent: 'x'.repeat(600) })
    const [entry] = await server.sql`
      select action, host(ip_address) as ip, length(user_agent) as agent, details
      from audit_logs where user_id = ${made.body.user_id}`
    expect(entry).toMatchObject({ action: 'register', ip: address, agent: 512 })
  })
})
