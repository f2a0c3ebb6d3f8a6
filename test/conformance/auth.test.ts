import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'
import { Client, login, newRegistration, PASSWORD, type Person, personOf, register, text } from './client.ts'
import { documented, expectError, JWT, SOME_TEXT, UUID } from './shapes.ts'

let server: TestServer
let anyone: Client
let john: Person
const registration = newRegistration('johndoe')

beforeAll(async () => {
  server = await startServer()
  anyone = new Client(server.url)
  john = await register(server.url, registration)
})
afterAll(() => server.stop())

const SESSION = { user_id: UUID, token: JWT, refresh_token: SOME_TEXT, expires_in: 3600 }

describe('registration', () => {
  test('answers 201 with the user, both tokens and an hour of life', async () => {
    const wanted = newRegistration()
    const answer = await anyone.post('/auth/register', wanted)
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual(SESSION)
    const me = await personOf(server.url, answer).get('/users/me')
    expect(me.body).toMatchObject({ id: answer.body.user_id, phone: wanted.phone, email: wanted.email })
  })

  test('needs no e-mail address', async () => {
    const { phone, password, username } = newRegistration()
    const answer = await anyone.post('/auth/register', { phone, password, username })
    expect(answer.status).toBe(201)
    expect((await personOf(server.url, answer).get('/users/me')).body.email).toBeNull()
  })

  test('names every faulty field at once', async () => {
    const answer = await anyone.post('/auth/register', { phone: '1', email: 'x', password: 'x', username: 'x' })
    expectError(answer, 400, 'phone', 'email', 'password', 'username')
  })

  test('names every missing field at once', async () => {
    expectError(await anyone.post('/auth/register', {}), 400, 'phone', 'password', 'username')
  })

  test.each([
    ['phone', '1234567890'],
    ['phone', '+0234567890'],
    ['phone', '+1234567890123456'],
    ['phone', '+1 234 567 890'],
    ['phone', '+12345abcde'],
    ['phone', ''],
    ['phone', 1234567890],
    ['email', 'example.com'],
    ['email', 'user@'],
    ['email', '@example.com'],
    ['email', 'us er@example.com'],
    ['email', 'user@@example.com'],
    ['password', 'Pass123'],
    ['password', 'password123'],
    ['password', 'PASSWORD123'],
    ['password', 'PasswordOnly'],
    ['password', null],
    ['username', 'jo'],
    ['username', 'j'.repeat(51)],
    ['username', 'john doe'],
    ['username', 'john-doe'],
    ['username', 'jöhndoe'],
  ])('refuses %s %p and names it', async (field, value) => {
    expectError(await anyone.post('/auth/register', { ...newRegistration(), [field]: value }), 400, field)
  })

  test.each(['phone', 'email', 'username'] as const)('refuses the %s of another account', async (field) => {
    for (const taken of [registration[field], registration[field].toUpperCase()]) {
      expectError(await anyone.post('/auth/register', { ...newRegistration(), [field]: taken }), 409, field)
    }
  })

  test('refuses a body that is no JSON', async () => {
    const response = await fetch(`${server.url}/api/v1/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"phone": ',
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error: SOME_TEXT, details: expect.any(Object) })
  })
})

describe('login', () => {
  test.each(['phone', 'email'] as const)('opens a session by %s', async (field) => {
    const answer = await login(server.url, registration[field])
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({ ...SESSION, user_id: john.id })
    expect((await personOf(server.url, answer).get('/users/me')).status).toBe(200)
  })

  test('takes the e-mail address in any case', async () => {
    const answer = await login(server.url, registration.email.toUpperCase())
    expect({ status: answer.status, user: answer.body.user_id }).toEqual({ status: 200, user: john.id })
  })

  test('refuses a wrong password and an unknown account alike', async () => {
    const wrong = await login(server.url, registration.phone, 'WrongPass123!')
    const unknown = await login(server.url, '+19999999999', 'WrongPass123!')
    expectError(wrong, 401)
    expect({ status: unknown.status, body: unknown.body }).toEqual({ status: wrong.status, body: wrong.body })
  })

  test('names every missing field at once', async () => {
    expectError(await anyone.post('/auth/login', {}), 400, 'phone_or_email', 'password')
  })
})

describe('refresh', () => {
  const refresh = (refresh_token: unknown) => anyone.post('/auth/refresh', { refresh_token })

  test('answers a new token of an hour, again and again to the same refresh token', async () => {
    for (const _ of ['first', 'again']) {
      const answer = await refresh(john.refreshToken)
      expect(answer.status).toBe(200)
      expect(documented('refresh', answer.body)).toEqual({ token: JWT, expires_in: 3600 })
      expect((await new Client(server.url, text(answer.body, 'token')).get('/users/me')).body.id).toBe(john.id)
    }
  })

  test('refuses what is no refresh token', async () => {
    expectError(await refresh('eyJhbGciOiJIUzI1NiJ9.e30.x'), 401)
    expectError(await refresh(john.token), 401)
  })

  test('names the missing field', async () => {
    expectError(await anyone.post('/auth/refresh', {}), 400, 'refresh_token')
  })
})

describe('logout', () => {
  test('ends this session with both its tokens and no other', async () => {
    const session = personOf(server.url, await login(server.url, registration.phone, PASSWORD))
    const answer = await session.post('/auth/logout')
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({ message: 'Logged out successfully' })
    expectError(await session.get('/users/me'), 401)
    expectError(await session.post('/auth/logout'), 401)
    expectError(await anyone.post('/auth/refresh', { refresh_token: session.refreshToken }), 401)
    expect((await john.get('/users/me')).status).toBe(200)
  })
})

test('health needs no token', async () => {
  const response = await fetch(`${server.url}/health`)
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ status: 'ok' })
})

test('an unknown path answers 404 in the shape of every error', async () => {
  expectError(await john.get('/nothing/here'), 404)
})
