/** What takes the server long on purpose. The cases run side by side. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { sessionTokens } from '../../src/db/schema/index.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { opcodes, openRaw } from './raw-client.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

describe('in time', () => {
  test.concurrent('a peer that is dead is gone within 60 s, and seen as offline; one that lives stays', async () => {
    const [dead, living] = [await server.addUser(), await server.addUser()]
    await server.addDm(living, dead)
    const watcher = await living.socket()
    const peer = await openRaw(server.url, dead.token)
    await watcher.next('online_status', (f) => f.user_id === dead.id && f.is_online)
    const openedAt = performance.now()
    await peer.closed
    expect(performance.now() - openedAt).toBeLessThan(60_000)
    // It was asked before it was given up.
    expect(peer.frames.some(({ opcode }) => opcode === opcodes.ping)).toBe(true)
    await watcher.next('online_status', (f) => f.user_id === dead.id && !f.is_online)
    // The watcher sent nothing all the while but its pongs.
    expect(watcher.ws.readyState).toBe(WebSocket.OPEN)
    await watcher.close()
  }, 75_000)

  test.concurrent('a session whose row is deleted in the database loses its sockets within 30 s', async () => {
    const user = await server.addUser()
    const other = await server.addSession(user.id)
    const [socket, kept] = [await user.socket(), await other.socket()]
    await server.database.db.delete(sessionTokens).where(eq(sessionTokens.id, user.sessionId))
    const deletedAt = performance.now()
    expect(await socket.closed).toMatchObject({ code: 4401 })
    expect(performance.now() - deletedAt).toBeLessThan(30_000)
    expect(socket.all('session_revoked')).toHaveLength(1)
    await kept.settle()
    await kept.close()
  })

  test.concurrent('a session that expires loses its sockets too', async () => {
    const user = await server.addUser()
    const socket = await user.socket()
    const soon = new Date(Date.now() + 2000)
    await server.database.db.update(sessionTokens).set({ expiresAt: soon }).where(eq(sessionTokens.id, user.sessionId))
    expect(await socket.closed).toMatchObject({ code: 4401 })
  })
})
