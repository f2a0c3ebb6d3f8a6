import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'
import { type Answer, login, newRegistration, type Person, register } from './client.ts'
import { addPerson } from './people.ts'
import { expectError, SOME_TEXT } from './shapes.ts'

const WRONG = 'WrongPass123!'
const WINDOW_SECONDS = 15 * 60
const ORIGIN = 'https://chat.example'

let server: TestServer

beforeAll(async () => {
  server = await startServer({ RATE_LIMITS: 'on', CORS_ORIGINS: ORIGIN })
})
afterAll(() => server.stop())

function expectLimited({ status, headers, body }: Answer, withinSeconds: number): void {
  expect({ status, body }).toEqual({
    status: 429,
    body: { error: SOME_TEXT, details: { retry_after: expect.any(Number) } },
  })
  const { retry_after } = body.details as { retry_after: number }
  expect(Number.isInteger(retry_after)).toBe(true)
  expect(retry_after).toBeWithin(1, withinSeconds + 1)
  expect(headers.get('retry-after')).toBe(String(retry_after))
}

describe('login attempts', () => {
  test('are five per account, by phone and e-mail together; then the right password is refused too', async () => {
    const johns = newRegistration()
    const others = newRegistration()
    await register(server.url, johns)
    await register(server.url, others)
    for (const name of [johns.phone, johns.email, johns.phone, johns.email, johns.phone]) {
      expectError(await login(server.url, name, WRONG), 401)
    }
    expectLimited(await login(server.url, johns.phone, WRONG), WINDOW_SECONDS)
    expectLimited(await login(server.url, johns.phone), WINDOW_SECONDS)
    expectLimited(await login(server.url, johns.email), WINDOW_SECONDS)
    expect((await login(server.url, others.phone)).status).toBe(200)
  })

  test('are counted anew after a success', async () => {
    const { phone } = newRegistration()
    await register(server.url, { ...newRegistration(), phone })
    for (let attempt = 0; attempt < 4; attempt++) expectError(await login(server.url, phone, WRONG), 401)
    expect((await login(server.url, phone)).status).toBe(200)
    for (let attempt = 0; attempt < 5; attempt++) expectError(await login(server.url, phone, WRONG), 401)
    expectLimited(await login(server.url, phone, WRONG), WINDOW_SECONDS)
  })

  test('are limited for an account that does not exist just the same', async () => {
    for (let attempt = 0; attempt < 5; attempt++) expectError(await login(server.url, '+19999999999', WRONG), 401)
    expectLimited(await login(server.url, '+19999999999', WRONG), WINDOW_SECONDS)
  })
})

test('a user has 100 requests a minute, and another one is not held up', async () => {
  const busy = await addPerson(server, 'busy')
  const calm: Person = await addPerson(server, 'calm')
  const startedAt = performance.now()
  const statuses: number[] = []
  for (let request = 0; request < 100; request++) statuses.push((await busy.get('/users/me')).status)
  expect(statuses).toEqual(Array<number>(100).fill(200))
  // One more is allowed every 0.6 s: what this machine took for the hundred has to be used up, too.
  let more = 0
  let answer = await busy.get('/users/me')
  for (; answer.status === 200; answer = await busy.get('/users/me')) more++
  expect(more).toBeLessThanOrEqual((performance.now() - startedAt) / 600)
  expectLimited(answer, 60)
  expect((await calm.get('/users/me')).status).toBe(200)
})

describe('another origin', () => {
  const preflight = (origin: string, method: string) =>
    fetch(`${server.url}/api/v1/users/me`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type',
      },
    })
  const listed = (headers: Headers, name: string) =>
    (headers.get(`access-control-${name}`) ?? '').toLowerCase().split(/\s*,\s*/)

  test('that is configured may call with a token', async () => {
    const { ok, headers } = await preflight(ORIGIN, 'PATCH')
    expect(ok).toBe(true)
    expect(headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(headers.get('access-control-allow-credentials')).toBe('true')
    expect(headers.get('access-control-max-age')).toBe('3600')
    expect(listed(headers, 'allow-methods')).toContain('patch')
    expect(listed(headers, 'allow-headers')).toEqual(expect.arrayContaining(['authorization', 'content-type']))
  })

  test('that is configured is told every documented method', async () => {
    const { headers } = await preflight(ORIGIN, 'PATCH')
    const documented = ['delete', 'get', 'head', 'options', 'patch', 'post', 'put']
    expect(listed(headers, 'allow-methods').sort()).toEqual(documented)
  })

  test('that is configured is told every documented header', async () => {
    const { headers } = await preflight(ORIGIN, 'PATCH')
    const ofUploads = ['tus-resumable', 'upload-length', 'upload-metadata', 'upload-offset']
    const documented = ['accept', 'authorization', 'content-type', 'idempotency-key', 'origin', ...ofUploads]
    expect(listed(headers, 'allow-headers').sort()).toEqual(documented)
  })

  test('that is not configured may not', async () => {
    const { headers } = await preflight('https://evil.example', 'PATCH')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})
