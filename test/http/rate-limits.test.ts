import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { type Answer, request, type TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { handshake } from './raw.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({
    RATE_LIMITS: 'on',
    RATE_LIMIT_API_FREE: '6',
    RATE_LIMIT_ANONYMOUS: '3',
    RATE_LIMIT_MESSAGES: '4',
    RATE_LIMIT_FRAMES: '5',
    TRUSTED_PROXIES: '127.0.0.1',
  })
})
afterAll(() => server.stop())

function expectRefusal({ status, headers, body }: Answer, withinSeconds: number): void {
  expect({ status, error: body.error }).toEqual({ status: 429, error: 'Too many requests' })
  const { retry_after } = body.details
  expect(Number.isInteger(retry_after)).toBe(true)
  expect(retry_after).toBeGreaterThan(0)
  expect(retry_after).toBeLessThanOrEqual(withinSeconds)
  expect(headers.get('retry-after')).toBe(String(retry_after))
}

async function statusesOf(times: number, ask: (index: number) => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < times; i++) statuses.push((await ask(i)).status)
  return statuses
}

const refresh = (address: string) =>
  request(
    `${server.url}/api/v1/auth/refresh`,
    'POST',
    undefined,
    { refresh_token: 'x' },
    { 'x-forwarded-for': address },
  )

/** A chat made without spending the owner's requests. */
async function group(owner: TestUser): Promise<string> {
  const other = await server.addUser()
  return server.addGroup(other, owner)
}

describe('requests', () => {
  it('of a user are limited over all sessions and addresses, and nobody else is', async () => {
    const user = await server.addUser()
    const session = await server.addSession(user.id)
    expect(await statusesOf(6, (i) => (i % 2 ? user : session).get('/users/me'))).toEqual(Array(6).fill(200))
    expectRefusal(await user.get('/users/me'), 60)
    expectRefusal(await session.get('/chats'), 60)
    expectRefusal(await user.post('/messages', '{'), 60)
    expect((await (await server.addUser()).get('/users/me')).status).toBe(200)
  })

  it('without a token are limited for each address', async () => {
    expect(await statusesOf(3, () => refresh('198.51.100.1'))).toEqual([401, 401, 401])
    expectRefusal(await refresh('198.51.100.1'), 60)
    expect((await refresh('198.51.100.2')).status).toBe(401)
  })

  it('count a /64 of IPv6 as one address', async () => {
    expect(await statusesOf(3, (i) => refresh(`2001:db8::${i + 1}`))).toEqual([401, 401, 401])
    expectRefusal(await refresh('2001:db8:0:0:ffff::9'), 60)
    expect((await refresh('2001:db8:0:1::1')).status).toBe(401)
  })

  it('of a user do not count those of the address, nor the other way round', async () => {
    const user = await server.addUser()
    const from = { 'x-forwarded-for': '198.51.100.3' }
    expect(await statusesOf(3, () => refresh('198.51.100.3'))).toEqual([401, 401, 401])
    expect((await request(`${server.url}/api/v1/users/me`, 'GET', user.token, undefined, from)).status).toBe(200)
  })

  it('that ask whether the server lives are not counted', async () => {
    expect(new Set(await statusesOf(20, () => fetch(`${server.url}/health`)))).toEqual(new Set([200]))
  })

  it('that open sockets without a token count as anonymous ones', async () => {
    const open = () => handshake(server.url, '/ws', { 'x-forwarded-for': '198.51.100.4' })
    expect(await statusesOf(3, open)).toEqual([101, 101, 101])
    const { status, headers, body } = await open()
    expectRefusal({ status, headers, body: JSON.parse(body) }, 60)
  })
})

describe('messages', () => {
  it('of a user are limited over REST and sockets together, and the socket stays', async () => {
    const user = await server.addUser()
    const chatId = await group(user)
    const message = { chat_id: chatId, content: 'x' }
    const [one, two] = [await user.socket(), await user.socket()]
    for (const socket of [one, two]) expect((await socket.ask({ type: 'message', ...message })).type).toBe('ack')
    expect(await statusesOf(2, () => user.post('/messages', message))).toEqual([201, 201])
    expectRefusal(await user.post('/messages', message), 10)
    for (const socket of [one, two]) {
      const answer = await socket.ask({ type: 'message', ...message })
      expect(answer).toMatchObject({ type: 'error', error: 'Too many requests' })
      expect(answer.details.retry_after).toBeGreaterThan(0)
      expect(answer.details.retry_after).toBeLessThanOrEqual(10)
      expect((await socket.ask({ type: 'ping' })).type).toBe('ack')
      await socket.close()
    }
    expect((await user.get(`/chats/${chatId}/messages`)).body.total).toBe(4)
  })
})

describe('other frames', () => {
  it('of a socket are limited, messages not among them, and the socket stays', async () => {
    const user = await server.addUser()
    const chatId = await group(user)
    const socket = await user.socket()
    for (let i = 0; i < 5; i++) expect((await socket.ask({ type: 'ping' })).type).toBe('ack')
    for (const frame of [{ type: 'ping' }, { type: 'typing', chat_id: chatId }]) {
      const answer = await socket.ask(frame)
      expect(answer).toMatchObject({ type: 'error', error: 'Too many requests' })
      expect(answer.details.retry_after).toBeGreaterThan(0)
    }
    expect((await socket.ask({ type: 'message', chat_id: chatId, content: 'x' })).type).toBe('ack')
    const other = await user.socket()
    expect((await other.ask({ type: 'ping' })).type).toBe('ack')
    await Promise.all([socket.close(), other.close()])
  })
})
