/** What remains of sockets that are gone: nothing. */

import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { TestSocket, type TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { type AppServer, startAppServer } from './app-server.ts'
import { openRaw } from './raw-client.ts'

let server: TestServer
let inside: AppServer
beforeAll(async () => {
  server = await startServer()
  inside = await startAppServer(server)
})
afterAll(async () => {
  await inside.stop()
  await server.stop()
})

const url = (user: TestUser) => `${inside.here(user).serverUrl.replace('http', 'ws')}/ws?token=${user.token}`

async function untilEmpty(): Promise<void> {
  await until(() => inside.app.gateway.count() === 0 && inside.subscriptions.size === 0, 'all to be gone')
}

describe('1,000 sockets that come and go', () => {
  it('leave no subscription, no socket and no error, however they end', async () => {
    const users = await Promise.all(Array.from({ length: 10 }, () => server.addUser()))
    const [first] = users
    if (!first) throw new Error('no users')
    const chatId = await server.addGroup(first, ...users)
    /** The ways of ending: with a handshake, torn off, before the opening is over, in the midst of work. */
    const ways: ((user: TestUser) => Promise<void>)[] = [
      async (user) => {
        const socket = await inside.here(user).socket()
        await socket.close()
      },
      async (user) => {
        const raw = await openRaw(inside.here(user).serverUrl, user.token)
        raw.destroy()
      },
      async (user) => {
        const socket = new TestSocket(url(user))
        await new Promise((resolve) => {
          socket.ws.onopen = resolve
        })
        await socket.close()
      },
      async (user) => {
        const socket = await inside.here(user).socket()
        socket.send({ type: 'join_chat', chat_id: chatId })
        socket.send({ type: 'typing', chat_id: chatId })
        socket.send({ type: 'message', chat_id: chatId, content: 'bye' })
        await socket.close()
      },
    ]
    await Promise.all(
      users.map(async (user) => {
        for (let round = 0; round < 100; round++) await ways[round % ways.length]?.(user)
      }),
    )
    await untilEmpty()
    expect(inside.logs.filter(({ level }) => level === 'error')).toEqual([])

    // Whoever comes now finds nobody looking at the chat, as soon as what was under way is done.
    const socket = await inside.here(first).socket()
    expect(await socket.ask({ type: 'join_chat', chat_id: chatId })).toMatchObject({ type: 'ack' })
    const listLooking = () => {
      const last = new Map(socket.all('chat_presence').map((one) => [String(one.user_id), Boolean(one.is_joined)]))
      return [...last].filter(([id, isJoined]) => isJoined && id !== first.id)
    }
    for (let i = 0; i < 100 && listLooking().length > 0; i++) await Bun.sleep(10)
    expect(listLooking()).toEqual([])
    await socket.close()
    await untilEmpty()
  }, 60_000)

  it('leave nothing when their user joins and leaves chats meanwhile', async () => {
    const [owner, member] = [await server.addUser(), await server.addUser()].map(inside.here)
    if (!owner || !member) throw new Error('no users')
    for (let round = 0; round < 20; round++) {
      const socket = new TestSocket(url(member))
      const chatId = await server.addGroup(owner, member)
      const change = owner.delete(`/chats/${chatId}/members/${member.id}`)
      if (round % 2) socket.ws.close()
      else await change
      socket.ws.close()
      await Promise.all([socket.closed, change])
    }
    await untilEmpty()
  })
})
