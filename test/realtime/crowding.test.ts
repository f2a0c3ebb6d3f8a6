/** Too many sockets of one user: none is refused, and whoever opened the most loses the oldest. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { TestSocket, type TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const MAX = 6
let server: TestServer
beforeAll(async () => {
  server = await startServer({ WS_MAX_CONNECTIONS_PER_USER: String(MAX) }, { instances: 2 })
})
afterAll(() => server.stop())

const here = (user: TestUser) => user.at(String(server.instanceUrls[0]))
const open = (user: TestUser) => new TestSocket(`${user.serverUrl.replace('http', 'ws')}/ws?token=${user.token}`)
const isOpen = ({ ws }: TestSocket) => ws.readyState === WebSocket.OPEN

describe('a user with too many sockets', () => {
  it('loses the oldest of the session with the most; other devices and users stay', async () => {
    const owner = here(await server.addUser())
    const thief = here(await server.addSession(owner.id))
    const friend = here(await server.addUser())
    const chatId = await server.addDm(owner, friend)
    const phone = await owner.socket()
    const friends = await Promise.all(Array.from({ length: MAX }, () => friend.socket()))
    const stolen: TestSocket[] = []
    for (let n = 0; n < 2 * MAX; n++) stolen.push(await thief.socket())
    const gone = stolen.slice(0, MAX + 1)
    for (const socket of gone) expect(await socket.closed).toMatchObject({ code: 4409 })
    expect(stolen.slice(MAX + 1).map(isOpen)).toEqual(Array(MAX - 1).fill(true))
    // A tablet of the owner's still gets in, and the thief pays for it.
    const tablet = await (await server.addSession(owner.id)).at(String(server.instanceUrls[0])).socket()
    expect((await stolen[MAX + 1]?.closed)?.code).toBe(4409)
    for (const socket of [phone, tablet]) {
      expect(await socket.ask({ type: 'message', chat_id: chatId, content: 'still here' })).toMatchObject({
        type: 'ack',
      })
      await socket.settle()
      expect(isOpen(socket)).toBe(true)
    }
    expect(friends.map(isOpen)).toEqual(Array(MAX).fill(true))
    await Promise.all([phone, tablet, ...friends, ...stolen.filter(isOpen)].map((socket) => socket.close()))
  })

  it('keeps the bound when all come at once', async () => {
    const user = here(await server.addUser())
    const sockets = Array.from({ length: 5 * MAX }, () => open(user))
    const isClosed = ({ ws }: TestSocket) => ws.readyState === WebSocket.CLOSED
    await until(() => sockets.filter(isClosed).length >= 4 * MAX, 'as many were closed as are too many')
    const left = sockets.filter((socket) => !isClosed(socket))
    for (const socket of left) await socket.settle()
    expect(left.map(isOpen)).toEqual(Array(MAX).fill(true))
    for (const socket of sockets.filter(isClosed)) expect((await socket.closed).code).toBe(4409)
    await Promise.all(left.map((socket) => socket.close()))
  })

  it('is counted on each instance by itself, and is online as long as one socket is left', async () => {
    const user = await server.addUser()
    const watcher = here(await server.addUser())
    await server.addDm(watcher, user)
    const watching = await watcher.socket()
    const sockets = await Promise.all(
      server.instanceUrls.flatMap((url) => Array.from({ length: MAX }, () => user.at(url).socket())),
    )
    expect(sockets.map(isOpen)).toEqual(Array(2 * MAX).fill(true))
    for (let n = 0; n < MAX; n++) sockets.push(await here(user).socket())
    await Bun.sleep(300)
    expect(sockets.filter(isOpen)).toHaveLength(2 * MAX)
    expect(watching.all('online_status').map(({ is_online }) => is_online)).not.toContain(false)
    await Promise.all(sockets.filter(isOpen).map((socket) => socket.close()))
    await watching.next('online_status', ({ is_online }) => !is_online, 15_000)
    await watching.close()
  })
})
