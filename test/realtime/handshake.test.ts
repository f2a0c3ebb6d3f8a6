/** Who may open a socket: the four ways of showing a token, and the origins of web pages. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { handshake } from '../http/raw.ts'
import { TestSocket, type TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let user: TestUser
let chatId: string
beforeAll(async () => {
  server = await startServer({ CORS_ORIGINS: 'https://chat.example.org' })
  user = await server.addUser()
  chatId = await server.addGroup(user)
})
afterAll(() => server.stop())

const wsUrl = (path = '/ws') => `${server.url.replace('http', 'ws')}${path}`

async function openAnonymous(): Promise<TestSocket> {
  const socket = new TestSocket(wsUrl())
  await new Promise((resolve) => socket.ws.addEventListener('open', resolve))
  return socket
}

describe('signing in', () => {
  const welcomed = async (socket: TestSocket) => {
    const { chat_ids } = await socket.next('user_chats')
    expect(chat_ids).toEqual([chatId])
    await socket.close()
  }
  it('works by the query, on both paths', async () => {
    await welcomed(new TestSocket(wsUrl(`/ws?token=${user.token}`)))
    await welcomed(new TestSocket(wsUrl(`/api/v1/ws?token=${user.token}`)))
  })

  it('works by the header', () =>
    welcomed(new TestSocket(wsUrl(), { headers: { authorization: `Bearer ${user.token}` } })))

  it('works by the protocols, and the answer selects bearer', async () => {
    const socket = new TestSocket(wsUrl(), { protocols: ['bearer', user.token] })
    await socket.next('user_chats')
    expect(socket.ws.protocol).toBe('bearer')
    await socket.close()
    const raw = await handshake(server.url, '/ws', { 'sec-websocket-protocol': `bearer, ${user.token}` })
    expect(raw.status).toBe(101)
    expect(raw.headers.get('sec-websocket-protocol')).toBe('bearer')
  })

  it('works by the first frame', async () => {
    const socket = await openAnonymous()
    socket.send({ type: 'auth', token: user.token, ref: 1 })
    expect((await socket.next('user_chats')).chat_ids).toEqual([chatId])
    expect(await socket.next('ack')).toEqual({ type: 'ack', ref: 1 })
    await socket.close()
  })

  it('with a wrong token is refused at the handshake', async () => {
    for (const token of ['x', `${user.token}x`, user.refreshToken, 'null']) {
      for (const answer of [
        await handshake(server.url, `/ws?token=${token}`),
        await handshake(server.url, '/ws', { authorization: `Bearer ${token}` }),
        await handshake(server.url, '/ws', { 'sec-websocket-protocol': `bearer, ${token}` }),
      ]) {
        expect(answer.status).toBe(401)
        expect(JSON.parse(answer.body)).toEqual({ error: 'Missing or invalid access token', details: {} })
      }
    }
  })

  it('with a wrong token in a frame is an error; the right one may follow', async () => {
    const socket = await openAnonymous()
    expect(await socket.ask({ type: 'auth', token: 'x' })).toMatchObject({ error: 'Missing or invalid access token' })
    expect(await socket.ask({ type: 'auth', token: user.token })).toMatchObject({ type: 'ack' })
    await socket.close()
  })

  it('must happen within 5 s', async () => {
    const since = Date.now()
    const socket = await openAnonymous()
    expect((await socket.closed).code).toBe(4401)
    expect(Date.now() - since).toBeGreaterThan(4000)
  })
})

describe('the origin', () => {
  const open = (origin: string | undefined) =>
    handshake(server.url, `/ws?token=${user.token}`, origin === undefined ? {} : { origin })
  it('may be none, our own or a listed one', async () => {
    for (const origin of [undefined, server.url, 'https://chat.example.org']) {
      expect((await open(origin)).status).toBe(101)
    }
  })
  it('may be no other', async () => {
    for (const origin of [
      'https://evil.example',
      'https://chat.example.org.evil.example',
      'http://chat.example.org',
      'https://chat.example.org:8443',
      'null',
      '',
      'x',
    ]) {
      const { status, body } = await open(origin)
      expect({ origin, status, body }).toEqual({
        origin,
        status: 403,
        body: '{"error":"This origin may not open a socket here","details":{}}',
      })
    }
  })
})

describe('a request that is no handshake', () => {
  it('is told so', async () => {
    const answer = await fetch(`${server.url}/ws?token=${user.token}`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ error: 'Validation failed', details: { upgrade: 'must be websocket' } })
    const broken = await handshake(server.url, '/ws', { 'sec-websocket-key': '' })
    expect(broken.status).toBeLessThan(500)
  })
})

describe('the log', () => {
  it('holds no fault of ours', () => {
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})
