import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { startServer, type TestServer } from '../support/server.ts'
import { Client, type Fields, type Person, register, Socket, socketUrl, text } from './client.ts'
import { expectError } from './shapes.ts'

const TTL_SECONDS = 5
const NOBODY = '00000000-0000-7000-8000-000000000000'

let hourly: TestServer
let brief: TestServer
let john: Person

beforeAll(async () => {
  hourly = await startServer()
  brief = await startServer({ ACCESS_TOKEN_TTL: String(TTL_SECONDS) })
  john = await register(hourly.url)
})
afterAll(() => Promise.all([hourly.stop(), brief.stop()]))

const encode = (part: Fields) => Buffer.from(JSON.stringify(part)).toString('base64url')

function decode(token: string): { header: Fields; claims: Fields; unsigned: string; signature: string } {
  const [header = '', claims = '', signature = ''] = token.split('.')
  const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Fields
  return { header: parse(header), claims: parse(claims), unsigned: `${header}.${claims}`, signature }
}

test('an access token is signed by HS256 and lasts one hour', () => {
  const { header, claims } = decode(john.token)
  expect(header.alg).toBe('HS256')
  expect(Number(claims.exp) - Number(claims.iat)).toBe(3600)
})

describe.each([
  ['POST', '/auth/logout'],
  ['GET', '/users/me'],
  ['PATCH', '/users/me'],
  ['PATCH', '/users/me/password'],
  ['DELETE', '/users/me'],
  ['GET', `/users/${NOBODY}`],
  ['POST', '/messages'],
  ['GET', `/chats/${NOBODY}/messages`],
  ['POST', '/chats'],
  ['GET', `/chats/dm/${NOBODY}`],
  ['POST', `/chats/${NOBODY}/read`],
])('%s %s', (method, path) => {
  test('refuses a missing and a false token', async () => {
    for (const token of [undefined, 'nonsense', john.refreshToken]) {
      expectError(await new Client(hourly.url, token).call(method, path, method === 'GET' ? undefined : {}), 401)
    }
  })
})

describe('a token', () => {
  const forgeries: [string, (token: string) => string][] = [
    ['with another signature', (token) => `${decode(token).unsigned}.${'A'.repeat(43)}`],
    ['without a signature', (token) => `${decode(token).unsigned}.`],
    ['of the algorithm none', (token) => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(decode(token).claims)}.`],
    [
      'with other claims under the old signature',
      (token) => {
        const { header, claims, signature } = decode(token)
        return `${encode(header)}.${encode({ ...claims, exp: Number(claims.exp) + 1 })}.${signature}`
      },
    ],
    [
      'signed by a stranger',
      (token) => {
        const { unsigned } = decode(token)
        return `${unsigned}.${createHmac('sha256', 'the secret of a stranger').update(unsigned).digest('base64url')}`
      },
    ],
  ]
  test.each(forgeries)('%s opens nothing', async (_, forge) => {
    const token = forge(john.token)
    expectError(await new Client(hourly.url, token).get('/users/me'), 401)
    const socket = new Socket(socketUrl(hourly.url, token))
    await socket.closed
    expect(socket.all('user_chats')).toEqual([])
  })
})

test('an expired token is refused until it is refreshed, and its socket closes', async () => {
  const jane = await register(brief.url)
  const socket = await jane.connect()
  expect((await jane.get('/users/me')).status).toBe(200)

  await Bun.sleep(TTL_SECONDS * 1000 + 1100)
  expectError(await jane.get('/users/me'), 401)
  await socket.closed

  const refreshed = await new Client(brief.url).post('/auth/refresh', { refresh_token: jane.refreshToken })
  expect(refreshed.body.expires_in).toBe(TTL_SECONDS)
  const me = await new Client(brief.url, text(refreshed.body, 'token')).get('/users/me')
  expect(me.status).toBe(200)
  expect(me.body.id).toBe(jane.id)
})
