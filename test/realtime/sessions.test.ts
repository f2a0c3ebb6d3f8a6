/** A socket lives as long as its session and its token. What takes the poll is in slow.test.ts. */
import { afterAll, beforeAll, describe, expect, it, test } from 'bun:test'
import { createTokens } from '../../src/features/auth/tokens.ts'
import { request, TestSocket, type TestUser } from '../support/client.ts'
import { PASSWORD, startServer, TEST_SECRET, type TestServer } from '../support/server.ts'
import { opcodes, openRaw } from './raw-client.ts'

/** How long an end that this server was asked for may take to reach a socket. */
const WITHIN_MS = 1000

async function expectRevoked(socket: TestSocket): Promise<void> {
  const late = Bun.sleep(WITHIN_MS).then(() => ({ code: 0, reason: 'still open' }))
  expect(await Promise.race([socket.closed, late])).toMatchObject({ code: 4401 })
  expect(socket.frames.at(-1)).toEqual({ type: 'session_revoked' })
}

describe('when a session ends', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  const ends: { what: string; how: (user: TestUser, other: TestUser) => Promise<{ status: number }> }[] = [
    {
      what: 'by logging out',
      how: (user) => user.post('/auth/logout', { refresh_token: user.refreshToken }),
    },
    {
      what: 'by being revoked from another one',
      how: (user, other) => other.delete(`/auth/sessions/${user.sessionId}`),
    },
    { what: 'with all the others', how: (_user, other) => other.delete('/auth/sessions') },
    {
      what: 'by a new password',
      how: (_user, other) =>
        other.patch('/users/me/password', { old_password: PASSWORD, new_password: 'Another1Password' }),
    },
  ]
  for (const { what, how } of ends) {
    it(`${what}, its sockets are told and closed within a second; other sessions stay`, async () => {
      const user = await server.addUser()
      const [other, stranger] = [await server.addSession(user.id), await server.addUser()]
      const ended = [await user.socket(), await user.socket()]
      const kept = [await other.socket(), await stranger.socket()]
      const answer = await how(user, other)
      expect(answer.status).toBe(200)
      await Promise.all(ended.map(expectRevoked))
      // The token is good for nothing any more.
      expect((await user.get('/users/me')).status).toBe(401)
      const refused = new TestSocket(`${server.url.replace('http', 'ws')}/ws?token=${user.token}`)
      expect((await refused.closed).code).not.toBe(1000)
      expect(refused.frames).toEqual([])
      for (const socket of kept) {
        expect(await socket.ask({ type: 'ping' })).toMatchObject({ type: 'ack' })
        expect(socket.all('session_revoked')).toEqual([])
        await socket.close()
      }
    })
  }

  it('because the account was deleted, all its sockets are told and closed', async () => {
    const user = await server.addUser()
    const sockets = [await user.socket(), await (await server.addSession(user.id)).socket()]
    expect((await user.delete('/users/me')).status).toBe(200)
    await Promise.all(sockets.map(expectRevoked))
  })

  it('takes no frame that comes after the end', async () => {
    const [user, peer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(user, peer)
    const raw = await openRaw(server.url, user.token)
    while (raw.frames.length === 0) await Bun.sleep(5)
    await user.post('/auth/logout', { refresh_token: user.refreshToken })
    while (raw.frames.at(-1)?.opcode !== opcodes.close) await Bun.sleep(1)
    // A client of bad manners goes on.
    for (let n = 0; n < 5; n++) raw.send({ type: 'message', chat_id: chatId, content: 'x' })
    await Bun.sleep(200)
    expect((await peer.get(`/chats/${chatId}`)).body.last_seq).toBe(0)
    raw.destroy()
  })

  it('refuses the token of an ended session in the first frame too', async () => {
    const user = await server.addUser()
    await user.post('/auth/logout', { refresh_token: user.refreshToken })
    const socket = new TestSocket(`${server.url.replace('http', 'ws')}/ws`)
    await new Promise((resolve) => {
      socket.ws.onopen = resolve
    })
    const answer = await socket.ask({ type: 'auth', token: user.token })
    expect(answer).toMatchObject({ type: 'error', error: 'This session has ended; sign in again' })
    expect(socket.all('user_chats')).toEqual([])
    await socket.close()
  })
})

describe('when the token ends', () => {
  const TTL = 5
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ ACCESS_TOKEN_TTL: String(TTL) })
  })
  afterAll(() => server.stop())
  const tokens = createTokens({ secret: TEST_SECRET, ttlSeconds: TTL })

  test.concurrent('the socket is warned, then closed with 4401', async () => {
    const startedAt = performance.now()
    const user = await server.addUser()
    const socket = await user.socket()
    const warning = await socket.next('token_expiring')
    expect(warning.expires_in).toBeGreaterThanOrEqual(1)
    expect(warning.expires_in).toBeLessThanOrEqual(TTL)
    expect(await socket.closed).toMatchObject({ code: 4401 })
    const seconds = (performance.now() - startedAt) / 1000
    expect(seconds).toBeGreaterThan(TTL - 1)
    expect(socket.all('token_expiring')).toHaveLength(1)
    // The session lives on: it has not ended, only its token has.
    expect(socket.all('session_revoked')).toEqual([])
  })

  test.concurrent('a fresh token of the same session keeps the socket, those of others do not', async () => {
    const [user, stranger] = [await server.addUser(), await server.addUser()]
    const other = await server.addSession(user.id)
    const socket = await user.socket()
    await socket.next('token_expiring')
    for (const token of [other.token, stranger.token]) {
      const answer = await socket.ask({ type: 'auth', token })
      expect(answer).toMatchObject({ type: 'error', error: 'You may not change the session of an open socket' })
    }
    expect(await socket.ask({ type: 'auth', token: 'nonsense' })).toMatchObject({ type: 'error' })
    const openUntil = Date.now() + 9000
    while (Date.now() < openUntil) {
      await Bun.sleep(2000)
      const token = await tokens.issue(user.id, user.sessionId)
      expect(await socket.ask({ type: 'auth', token })).toMatchObject({ type: 'ack' })
    }
    expect(socket.ws.readyState).toBe(WebSocket.OPEN)
    // It is still the same user's, and it was opened once.
    expect(socket.all('user_chats')).toHaveLength(1)
    expect(await socket.closed).toMatchObject({ code: 4401 })
  })

  test.concurrent('a token that has ended opens nothing', async () => {
    const user = await server.addUser()
    await Bun.sleep((TTL + 1) * 1000)
    const headers = { upgrade: 'websocket', connection: 'Upgrade' }
    const answer = await request(`${server.url}/ws?token=${user.token}`, 'GET', undefined, undefined, headers)
    expect(answer.status).toBe(401)
  })
})
