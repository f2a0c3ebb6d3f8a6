/** How many sockets, and how they end with the server. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { request, TestSocket, type TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { startAppServer } from './app-server.ts'

const MAX = 5
const wsUrl = (server: TestServer, user: TestUser) => `${server.url.replace('http', 'ws')}/ws?token=${user.token}`

describe('WS_MAX_CONNECTIONS', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ WS_MAX_CONNECTIONS: String(MAX) })
  })
  afterAll(() => server.stop())

  it('refuses one more with 503 and Retry-After, until one has gone', async () => {
    const user = await server.addUser()
    const sockets = await Promise.all(Array.from({ length: MAX }, () => user.socket()))
    const headers = { upgrade: 'websocket', connection: 'Upgrade' }
    const refused = await request(`${server.url}/ws?token=${user.token}`, 'GET', undefined, undefined, headers)
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.body.details.retry_after).toBeGreaterThan(0)
    expect((await new TestSocket(wsUrl(server, user)).closed).code).not.toBe(1000)
    await sockets.pop()?.close()
    sockets.push(await user.socket())
    await Promise.all(sockets.map((socket) => socket.close()))
  })

  it('holds against many that come at once', async () => {
    const user = await server.addUser()
    const sockets = Array.from({ length: 8 * MAX }, () => new TestSocket(wsUrl(server, user)))
    const outcomes = await Promise.all(
      sockets.map((socket) =>
        Promise.race([
          socket.closed.then(() => 'refused'),
          socket.find((f) => f.type === 'user_chats').then(() => 'open'),
        ]),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(MAX)
    await Promise.all(sockets.map((socket) => socket.close()))
  })
})

describe('a server that stops', () => {
  it('closes every socket with 1001, stores what was sent, and takes no more', async () => {
    const server = await startServer()
    const [user, peer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(user, peer)
    const sockets = [await user.socket(), await peer.socket()]
    const silent = new TestSocket(`${server.url.replace('http', 'ws')}/ws`)
    await new Promise((resolve) => {
      silent.ws.onopen = resolve
    })
    const [socket] = sockets
    const asked = Array.from({ length: 50 }, (_, n) =>
      socket?.ask({ type: 'message', chat_id: chatId, content: `${n}` }),
    )
    const acked = Promise.allSettled(asked)
    await asked[0]
    const stopped = server.stop()
    for (const one of [...sockets, silent]) expect(await one.closed).toMatchObject({ code: 1001 })
    await stopped
    // Whatever was acknowledged is stored.
    const count = (await Promise.race([acked, Bun.sleep(100).then(() => [])])).filter((a) => a.status === 'fulfilled')
    const again = await startServer({ DATABASE_URL: String(server.config.DATABASE_URL) })
    const session = await again.addSession(user.id)
    expect((await session.get(`/chats/${chatId}`)).body.last_seq).toBeGreaterThanOrEqual(count.length)
    await again.stop()
    expect(
      await fetch(`${server.url}/health`).then(
        () => 'answers',
        () => 'refused',
      ),
    ).toBe('refused')
    const errors = server.logs.filter(({ level }) => level === 'error' || level === 'warn')
    expect(errors.filter(({ message }) => !String(message).startsWith('Rate limits are off'))).toEqual([])
  })

  it('says so while it drains, and opens no socket, not even one that was on its way', async () => {
    const server = await startServer()
    const inside = await startAppServer(server)
    const user = inside.here(await server.addUser())
    const url = `${user.serverUrl.replace('http', 'ws')}/ws?token=${user.token}`
    const socket = await user.socket()
    const onTheirWay = Array.from({ length: 20 }, () => new TestSocket(url))
    await Bun.sleep(1)
    inside.app.gateway.drain()
    expect(await socket.closed).toMatchObject({ code: 1001 })
    const ready = await request(`${user.serverUrl}/health/ready`, 'GET')
    expect(ready).toMatchObject({ status: 503, body: { status: 'not ready', parts: { server: 'stopping' } } })
    const headers = { upgrade: 'websocket', connection: 'Upgrade' }
    const refused = await request(`${user.serverUrl}/ws?token=${user.token}`, 'GET', undefined, undefined, headers)
    expect(refused.status).toBe(503)
    for (const { code } of await Promise.all(onTheirWay.map(({ closed }) => closed))) expect(code).not.toBe(1000)
    expect(inside.app.gateway.count()).toBe(0)
    await inside.stop()
    await server.stop()
  })
})
