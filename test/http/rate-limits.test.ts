import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { type Answer, request, TestSocket, type TestUser } from '../support/client.ts'
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

  it.each(['none', 'eyJhbGciOiJIUzI1NiJ9.e30.x'])(
    'with a token that is none count as anonymous ones: %s',
    async (token) => {
      const from = { 'x-forwarded-for': token === 'none' ? '198.51.100.5' : '198.51.100.6' }
      const shown = token === 'none' ? undefined : token
      const ask = () => request(`${server.url}/api/v1/users/me`, 'GET', shown, undefined, from)
      expect(await statusesOf(3, ask)).toEqual([401, 401, 401])
      expectRefusal(await ask(), 60)
      // Whoever has a good one is not in it.
      const user = await server.addUser()
      expect((await request(`${server.url}/api/v1/users/me`, 'GET', user.token, undefined, from)).status).toBe(200)
    },
  )

  it('that open sockets with a token that is none count as anonymous ones', async () => {
    const open = () => handshake(server.url, '/ws?token=x.y.z', { 'x-forwarded-for': '198.51.100.7' })
    expect(await statusesOf(4, open)).toEqual([401, 401, 401, 429])
  })

  it('that open sockets are limited as those of the user, beside the others', async () => {
    const user = await server.addUser()
    const open = () => handshake(server.url, `/ws?token=${user.token}`)
    expect(await statusesOf(7, open)).toEqual([...Array(6).fill(101), 429])
    expect((await user.get('/users/me')).status).toBe(200)
    // By a first frame neither; the socket may try again.
    const socket = new TestSocket(`${server.url.replace('http', 'ws')}/ws`)
    await new Promise((resolve) => socket.ws.addEventListener('open', resolve))
    expect(await socket.ask({ type: 'auth', token: user.token })).toMatchObject({ type: 'error', status: 429 })
    await socket.close()
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

describe('other frames of a user', () => {
  it('are limited to five times those of a socket, over many sockets', async () => {
    const own = await startServer({ RATE_LIMITS: 'on', RATE_LIMIT_FRAMES: '50' })
    const [user, other] = [await own.addUser(), await own.addUser()]
    const sockets = await Promise.all(Array.from({ length: 20 }, () => user.socket()))
    const answers = await Promise.all(
      sockets.flatMap((socket) => Array.from({ length: 50 }, () => socket.ask({ type: 'ping' }))),
    )
    // While they are sent, some more become free: 25 in a second.
    const taken = answers.filter(({ type }) => type === 'ack').length
    expect(taken).toBeGreaterThanOrEqual(250)
    expect(taken).toBeLessThan(900)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1000 - taken)
    const beside = await other.socket()
    expect((await beside.ask({ type: 'ping' })).type).toBe('ack')
    await Promise.all([...sockets, beside].map((socket) => socket.close()))
    await own.stop()
  }, 60_000)
})
