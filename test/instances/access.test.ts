/** What is taken away on one instance is gone on the other: within a second, and without Redis within half a minute. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestSocket, TestUser } from '../support/client.ts'
import { PASSWORD } from '../support/server.ts'
import { startTwo, type TwoInstances } from './support.ts'

let two: TwoInstances
beforeAll(async () => {
  two = await startTwo()
})
afterAll(() => two.stop())

interface Case {
  what: string
  /** `other` is another session of `user`. @returns the answer */
  act(user: TestUser, other: TestUser): Promise<{ status: number }>
}

const endings: Case[] = [
  { what: 'logging out', act: (user) => user.post('/auth/logout', {}) },
  { what: 'revoking the session', act: (user, other) => other.delete(`/auth/sessions/${user.sessionId}`) },
  { what: 'revoking all other sessions', act: (_, other) => other.delete('/auth/sessions') },
  {
    what: 'a new password',
    act: (_, other) => other.patch('/users/me/password', { old_password: PASSWORD, new_password: 'Another1Password' }),
  },
  { what: 'deleting the account', act: (user) => user.delete('/users/me') },
]

/** A user with an open socket on the second instance; what ends it happens on the first. */
async function openElsewhere() {
  const user = await two.server.addUser()
  const other = await two.server.addSession(user.id)
  const socket = await two.on(user)[1].socket()
  return { user: two.on(user)[0], other: two.on(other)[0], there: two.on(user)[1], socket }
}

const closedWithin = (socket: TestSocket, ms: number) =>
  Promise.race([socket.closed, Bun.sleep(ms).then(() => ({ code: 0, reason: `still open after ${ms} ms` }))])

async function kickFrom(withinMs: number): Promise<void> {
  const [owner, member] = [await two.server.addUser(), await two.server.addUser()]
  const chatId = await two.server.addGroup(two.on(owner)[0], member)
  const socket = await two.on(member)[1].socket()
  expect((await two.on(owner)[0].delete(`/chats/${chatId}/members/${member.id}`)).status).toBe(200)
  await socket.next('chat_removed', undefined, withinMs)
  await two.on(owner)[1].post('/messages', { chat_id: chatId, content: 'not for them' })
  await socket.settle()
  expect(socket.all('new_message')).toEqual([])
  await socket.close()
}

describe('with Redis, within a second', () => {
  it.each(endings)('$what closes the sockets of the session on the other instance', async ({ act }) => {
    const { user, other, there, socket } = await openElsewhere()
    expect((await there.get('/users/me')).status).toBe(200)
    expect((await act(user, other)).status).toBe(200)
    expect(await closedWithin(socket, 1000)).toMatchObject({ code: 4401 })
    expect(socket.frames.at(-1)).toEqual({ type: 'session_revoked' })
    expect((await there.get('/users/me')).status).toBe(401)
  })

  it('a removed member hears nothing more on the other instance', () => kickFrom(1000))
})

describe('without Redis, within 30 s', () => {
  beforeAll(() => two.redis.kill())
  afterAll(() => two.redis.start())

  it('a session that ends, an account that is deleted and a membership that ends are noticed', async () => {
    const opened = await Promise.all(endings.map(openElsewhere))
    const startedAt = Date.now()
    const kicked = kickFrom(30_000)
    for (const [index, { user, other }] of opened.entries()) {
      expect((await endings[index]?.act(user, other))?.status).toBe(200)
    }
    const left = () => 30_000 - (Date.now() - startedAt)
    for (const { socket } of opened) expect(await closedWithin(socket, left())).toMatchObject({ code: 4401 })
    await kicked
    // The answer that a session lives is remembered for so long at most.
    await Bun.sleep(Math.max(0, left()))
    for (const { there } of opened) expect((await there.get('/users/me')).status).toBe(401)
  }, 60_000)
})
