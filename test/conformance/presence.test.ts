import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'
import { PATIENCE_MS } from '../support/until.ts'
import type { Fields, Person, Socket } from './client.ts'
import { addPerson } from './people.ts'
import { expectNow } from './shapes.ts'

const CLEAR_MS = 3000
const DEBOUNCE_MS = 5000
/** How much earlier than said a timer may seem to fire, by rounding. */
const SLACK_MS = 100

let server: TestServer
let people = 0

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

/** Fresh people for every test, so that nobody's presence reaches into the next one. */
const addPeople = (count: number) =>
  Promise.all(Array.from({ length: count }, () => addPerson(server, `person_${++people}`)))

async function pair(): Promise<[Person, Person, string]> {
  const [john, jane] = await addPeople(2)
  if (!john || !jane) throw new Error('Nobody came')
  return [john, jane, await john.dmWith(jane)]
}

const closeAll = (...sockets: Socket[]) => Promise.all(sockets.map((socket) => socket.close()))

/** The next frame of that type about that user; those about others are skipped. */
async function nextAbout(socket: Socket, type: string, { id }: Person, withinMs = PATIENCE_MS): Promise<Fields> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const frame = await socket.next(type, deadline - Date.now())
    if (frame.user_id === id) return frame
  }
}

describe('typing', () => {
  test('is shown to the others and clears after 3 s of inactivity', async () => {
    const [john, jane, chatId] = await pair()
    const [johns, janes] = await Promise.all([john.connect(), jane.connect()])
    const shape = { type: 'typing', chat_id: chatId, user_id: john.id, timestamp: expect.any(Number) }

    const begunAt = Date.now()
    johns.send({ type: 'typing', chat_id: chatId })
    const begun = await janes.next('typing')
    expect(begun).toEqual({ ...shape, is_typing: true })
    expectNow(begun.timestamp)

    const ended = await janes.next('typing')
    expect(ended).toEqual({ ...shape, is_typing: false })
    expectNow(ended.timestamp)
    expect(Date.now() - begunAt).toBeGreaterThan(CLEAR_MS - SLACK_MS)
    await closeAll(johns, janes)
  })

  test('goes on while keys are pressed', async () => {
    const [john, jane, chatId] = await pair()
    const [johns, janes] = await Promise.all([john.connect(), jane.connect()])
    const began = Date.now()
    for (let presses = 0; presses < 3; presses++) {
      johns.send({ type: 'typing', chat_id: chatId })
      await Bun.sleep(1500)
    }
    const isCleared = () => janes.all('typing').some((frame) => frame.is_typing === false)
    expect(isCleared()).toBe(false)
    while (!isCleared()) await janes.next('typing')
    expect(Date.now() - began).toBeGreaterThan(3000 + CLEAR_MS - SLACK_MS)
    await closeAll(johns, janes)
  })

  test('of a stranger is shown to nobody', async () => {
    const [john, jane, chatId] = await pair()
    const [stranger] = await addPeople(1)
    if (!stranger) throw new Error('Nobody came')
    const [strangers, johns, janes] = await Promise.all([stranger.connect(), john.connect(), jane.connect()])
    strangers.send({ type: 'typing', chat_id: chatId })
    strangers.send({ type: 'ping' })
    await strangers.next('pong')
    johns.send({ type: 'typing', chat_id: chatId })
    await janes.next('typing')
    expect(janes.all('typing').map(({ user_id }) => user_id)).toEqual([john.id])
    await closeAll(strangers, johns, janes)
  })
})

describe('online status', () => {
  test('tells those I share a chat with when I come, and 5 s after I went', async () => {
    const [john, jane] = await pair()
    const [stranger] = await addPeople(1)
    if (!stranger) throw new Error('Nobody came')
    const [janes, strangers] = await Promise.all([jane.connect(), stranger.connect()])
    const shape = { type: 'online_status', user_id: john.id, timestamp: expect.any(Number) }

    const johns = await john.connect()
    const came = await nextAbout(janes, 'online_status', john)
    expect(came).toEqual({ ...shape, is_online: true })
    expectNow(came.timestamp)

    const closedAt = Date.now()
    await johns.close()
    const went = await nextAbout(janes, 'online_status', john)
    expect(went).toEqual({ ...shape, is_online: false })
    expectNow(went.timestamp)
    expect(Date.now() - closedAt).toBeGreaterThan(DEBOUNCE_MS - SLACK_MS)
    expect(strangers.all('online_status').filter(({ user_id }) => user_id === john.id)).toEqual([])
    await closeAll(janes, strangers)
  })

  test('does not flicker when I come back at once, nor while another device stays', async () => {
    const [john, jane] = await pair()
    const janes = await jane.connect()
    const first = await john.connect()
    await nextAbout(janes, 'online_status', john)
    await first.close()
    await Bun.sleep(1000)
    const second = await john.connect()
    const third = await john.connect()
    await second.close()
    await Bun.sleep(DEBOUNCE_MS + 1500)
    const isOffline = ({ user_id, is_online }: Fields) => user_id === john.id && is_online === false
    expect(janes.all('online_status').filter(isOffline)).toEqual([])

    await third.close()
    expect(await nextAbout(janes, 'online_status', john, 10_000)).toMatchObject({ is_online: false })
    await closeAll(janes)
  })
})

describe('presence in a chat', () => {
  test('is told when one joins, leaves and disconnects', async () => {
    const [john, jane, chatId] = await pair()
    const [johns, janes] = await Promise.all([john.connect(), jane.connect()])
    const shape = { type: 'chat_presence', chat_id: chatId }

    johns.send({ type: 'join_chat', chat_id: chatId })
    johns.send({ type: 'ping' })
    await johns.next('pong')
    janes.send({ type: 'join_chat', chat_id: chatId })
    expect(await nextAbout(johns, 'chat_presence', jane)).toEqual({ ...shape, user_id: jane.id, is_joined: true })
    expect(await nextAbout(janes, 'chat_presence', john)).toEqual({ ...shape, user_id: john.id, is_joined: true })

    janes.send({ type: 'leave_chat', chat_id: chatId })
    expect(await nextAbout(johns, 'chat_presence', jane)).toEqual({ ...shape, user_id: jane.id, is_joined: false })

    janes.send({ type: 'join_chat', chat_id: chatId })
    expect(await nextAbout(johns, 'chat_presence', jane)).toEqual({ ...shape, user_id: jane.id, is_joined: true })
    await janes.close()
    const gone = await nextAbout(johns, 'chat_presence', jane, 10_000)
    expect(gone).toEqual({ ...shape, user_id: jane.id, is_joined: false })
    await closeAll(johns)
  })

  test('of a stranger is told to nobody', async () => {
    const [john, jane, chatId] = await pair()
    const [stranger] = await addPeople(1)
    if (!stranger) throw new Error('Nobody came')
    const [strangers, johns, janes] = await Promise.all([stranger.connect(), john.connect(), jane.connect()])
    johns.send({ type: 'join_chat', chat_id: chatId })
    johns.send({ type: 'ping' })
    await johns.next('pong')
    strangers.send({ type: 'join_chat', chat_id: chatId })
    strangers.send({ type: 'ping' })
    await strangers.next('pong')
    janes.send({ type: 'join_chat', chat_id: chatId })
    await nextAbout(johns, 'chat_presence', jane)
    expect(johns.all('chat_presence').filter(({ user_id }) => user_id === stranger.id)).toEqual([])
    expect(strangers.all('chat_presence')).toEqual([])
    await closeAll(strangers, johns, janes)
  })
})
