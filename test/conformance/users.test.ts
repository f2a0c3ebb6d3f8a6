import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'
import { Client, login, newRegistration, type Person, personOf, register } from './client.ts'
import { documented, expectError, expectRecent, INSTANT } from './shapes.ts'

const NEW_PASSWORD = 'NewSecure456'

let server: TestServer
let john: Person
let jane: Person
const johns = newRegistration('johndoe')
const janes = newRegistration('janedoe')

beforeAll(async () => {
  server = await startServer()
  john = await register(server.url, johns)
  jane = await register(server.url, janes)
})
afterAll(() => server.stop())

/** Last seen is written beside the requests, within seconds. */
async function lastSeenOf(id: string): Promise<unknown> {
  for (let tries = 0; tries < 100; tries++) {
    const { body } = await jane.get(`/users/${id}`)
    if (body.last_seen !== null) return body.last_seen
    await Bun.sleep(100)
  }
  return null
}

describe('my profile', () => {
  test('shows every field', async () => {
    const { status, body } = await john.get('/users/me')
    expect(status).toBe(200)
    expect(documented('profile', body)).toEqual({
      id: john.id,
      phone: johns.phone,
      email: johns.email,
      username: 'johndoe',
      avatar_url: null,
      bio: null,
      created_at: INSTANT,
      is_premium: false,
      last_seen: body.last_seen === null ? null : INSTANT,
    })
    expectRecent(body.created_at)
  })

  test('a request makes me seen', async () => {
    await john.get('/users/me')
    expectRecent(await lastSeenOf(john.id))
    expectRecent((await john.get('/users/me')).body.last_seen)
  })
})

describe('the profile of another one', () => {
  test('shows neither phone nor e-mail', async () => {
    const { status, body } = await john.get(`/users/${jane.id}`)
    expect(status).toBe(200)
    expect(documented('profile', body)).toEqual({
      id: jane.id,
      username: 'janedoe',
      avatar_url: null,
      bio: null,
      is_premium: false,
      last_seen: body.last_seen === null ? null : INSTANT,
    })
  })

  test('is not found when there is none', async () => {
    expectError(await john.get('/users/00000000-0000-7000-8000-000000000000'), 404)
  })
})

describe('updating my profile', () => {
  test('answers the new profile, which others see too', async () => {
    const { last_seen: _, ...before } = (await john.get('/users/me')).body
    const { status, body } = await john.patch('/users/me', { username: 'new_username', bio: 'New bio' })
    expect(status).toBe(200)
    expect(body).toEqual({
      id: john.id,
      username: 'new_username',
      bio: 'New bio',
      avatar_url: null,
      updated_at: INSTANT,
    })
    expectRecent(body.updated_at)
    expect((await john.get('/users/me')).body).toMatchObject({
      ...before,
      username: 'new_username',
      bio: 'New bio',
    })
    expect((await jane.get(`/users/${john.id}`)).body).toMatchObject({ username: 'new_username', bio: 'New bio' })
  })

  test('leaves alone what is not named', async () => {
    await john.patch('/users/me', { username: 'john_a', bio: 'One' })
    const bio = await john.patch('/users/me', { bio: 'Two' })
    expect(bio.body).toMatchObject({ username: 'john_a', bio: 'Two' })
    const name = await john.patch('/users/me', { username: 'john_b' })
    expect(name.body).toMatchObject({ username: 'john_b', bio: 'Two' })
  })

  test.each(['jim', 'j'.repeat(50), 'J_0'])('takes the username %s', async (username) => {
    const { status, body } = await john.patch('/users/me', { username })
    expect(status).toBe(200)
    expect(body.username).toBe(username)
  })

  test.each([
    ['username', 'jo'],
    ['username', 'j'.repeat(51)],
    ['username', 'john doe'],
    ['username', 'john.doe'],
    ['bio', 42],
    ['bio', 'b'.repeat(501)],
  ])('refuses %s %p and names it', async (field, value) => {
    expectError(await john.patch('/users/me', { [field]: value }), 400, field)
  })

  test('names every faulty field at once', async () => {
    expectError(await john.patch('/users/me', { username: '-', bio: 42 }), 400, 'username', 'bio')
  })

  test('refuses the username of another one', async () => {
    expectError(await john.patch('/users/me', { username: 'janedoe' }), 409, 'username')
    expectError(await john.patch('/users/me', { username: 'JaneDoe' }), 409, 'username')
  })
})

describe('changing my password', () => {
  const change = (old_password: unknown, new_password: unknown) =>
    jane.patch('/users/me/password', { old_password, new_password })

  test('wants the old one', async () => {
    const answer = await change('WrongPass123!', NEW_PASSWORD)
    expect([400, 401, 403]).toContain(answer.status)
    expectError(answer, answer.status, 'old_password')
    expect((await login(server.url, janes.phone)).status).toBe(200)
  })

  test('wants a strong new one and names every faulty field', async () => {
    for (const weak of ['Short1a', 'nouppercase1', 'NOLOWERCASE1', 'NoDigitsAtAll']) {
      expectError(await change(janes.password, weak), 400, 'new_password')
    }
    expectError(await jane.patch('/users/me/password', {}), 400, 'old_password', 'new_password')
  })

  test('ends the other sessions and the old password', async () => {
    const elsewhere = personOf(server.url, await login(server.url, janes.email))
    const { status, body } = await change(janes.password, NEW_PASSWORD)
    expect(status).toBe(200)
    expect(body).toEqual({ message: 'Password changed successfully' })
    expect((await jane.get('/users/me')).status).toBe(200)
    expectError(await elsewhere.get('/users/me'), 401)
    expectError(await login(server.url, janes.phone, janes.password), 401)
    expect((await login(server.url, janes.phone, NEW_PASSWORD)).status).toBe(200)
  })
})

describe('deleting my account', () => {
  test('signs me out for good, frees my names and leaves my messages', async () => {
    const jims = newRegistration('jim_gone')
    const jim = await register(server.url, jims)
    const chatId = await jim.dmWith(john)
    const said = await jim.say(chatId, 'Remember me')

    const { status, body } = await jim.delete('/users/me')
    expect(status).toBe(200)
    expect(body).toEqual({ message: 'Account deleted successfully' })
    expectError(await jim.get('/users/me'), 401)
    expectError(await new Client(server.url).post('/auth/refresh', { refresh_token: jim.refreshToken }), 401)
    expectError(await login(server.url, jims.phone), 401)
    expectError(await login(server.url, jims.email), 401)

    const history = await john.get(`/chats/${chatId}/messages`)
    expect(history.body).toMatchObject({ messages: [{ id: said.id, content: 'Remember me' }], total: 1 })
    const profile = await john.get(`/users/${jim.id}`)
    expect(profile.status).toBe(200)
    expect(profile.body).toMatchObject({ id: jim.id, username: null, avatar_url: null, bio: null, last_seen: null })

    expectError(await john.post('/messages', { chat_id: chatId, content: 'Where?', message_type: 'text' }), 403)
    expectError(await jane.get(`/chats/dm/${jim.id}`), 404)

    const again = await register(server.url, jims)
    expect(again.id).not.toBe(jim.id)
  })
})
