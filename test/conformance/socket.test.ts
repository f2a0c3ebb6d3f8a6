import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'
import { type Fields, fieldsOf, list, type Person, Socket, socketUrl, sortedTexts } from './client.ts'
import { addPerson } from './people.ts'
import { documented, expectNow, expectRecent, INSTANT, UUID } from './shapes.ts'

const NOBODY = '00000000-0000-7000-8000-000000000000'

let server: TestServer
let john: Person
let jane: Person
let jim: Person
let dm: string
let group: string

beforeAll(async () => {
  server = await startServer()
  john = await addPerson(server, 'john')
  jane = await addPerson(server, 'jane')
  jim = await addPerson(server, 'jim')
  dm = await john.dmWith(jane)
  group = await john.groupWith(jane, jim)
})
afterAll(() => server.stop())

/** The frame is a new message of exactly the documented shape. */
function expectNewMessage(frame: Fields, message: Fields): void {
  expect(documented('new_message', { ...frame, message: documented('message', fieldsOf(frame, 'message')) })).toEqual({
    type: 'new_message',
    message: { id: UUID, message_type: 'text', created_at: INSTANT, ...message },
  })
}

describe('connecting', () => {
  test.each([
    ['a token in the query', (token: string) => new Socket(socketUrl(server.url, token))],
    [
      'a token in the query below the base path',
      (token: string) => new Socket(socketUrl(server.url, token, '/api/v1/ws')),
    ],
    [
      'a Bearer token in the header',
      (token: string) => new Socket(`${server.url.replace('http', 'ws')}/ws`, { authorization: `Bearer ${token}` }),
    ],
  ])('with %s begins with the list of all my chats', async (_, open) => {
    const socket = open(john.token)
    const frame = await socket.next('user_chats')
    expect(socket.frames[0]).toBe(frame)
    expect(documented('user_chats', { ...frame, chat_ids: sortedTexts(frame, 'chat_ids') })).toEqual({
      type: 'user_chats',
      chat_ids: [dm, group].sort(),
    })
    await socket.close()
  })

  test('without chats begins with an empty list', async () => {
    const lonely = await addPerson(server, 'lonely')
    const socket = new Socket(socketUrl(server.url, lonely.token))
    expect(documented('user_chats', await socket.next('user_chats'))).toEqual({ type: 'user_chats', chat_ids: [] })
    await socket.close()
  })

  test('is refused with a false token, in the query as in the header', async () => {
    const address = `${server.url.replace('http', 'ws')}/ws`
    for (const socket of [
      new Socket(`${address}?token=nonsense`),
      new Socket(address, { authorization: 'Bearer nonsense' }),
      new Socket(socketUrl(server.url, john.refreshToken)),
    ]) {
      await socket.closed
      expect(socket.all('user_chats')).toEqual([])
    }
  })

  test('without a token tells nothing and ends', async () => {
    const socket = new Socket(`${server.url.replace('http', 'ws')}/ws`)
    await socket.closed
    expect(socket.all('user_chats')).toEqual([])
  })

  test('ends when the session does', async () => {
    const leaving = await addPerson(server, 'leaving')
    const socket = await leaving.connect()
    await leaving.post('/auth/logout')
    await socket.closed
    expect((await leaving.get('/users/me')).status).toBe(401)
  })
})

describe('a message', () => {
  test('sent by a socket comes to every socket of both, the sender too, and stays', async () => {
    const [phone, laptop, janes] = await Promise.all([john.connect(), john.connect(), jane.connect()])
    phone.send({ type: 'message', chat_id: dm, content: 'Hello' })
    const frames = await Promise.all([phone, laptop, janes].map((socket) => socket.next('new_message')))
    for (const frame of frames) expectNewMessage(frame, { sender_id: john.id, chat_id: dm, content: 'Hello' })
    const [stored] = list((await jane.get(`/chats/${dm}/messages?limit=1`)).body, 'messages')
    for (const frame of frames) expect(frame.message).toEqual(stored)
    await Promise.all([phone, laptop, janes].map((socket) => socket.close()))
  })

  test('sent by REST comes to sockets just as it was answered', async () => {
    const socket = await jim.connect()
    const said = await john.say(group, 'By REST')
    const frame = await socket.next('new_message')
    expectNewMessage(frame, { sender_id: john.id, chat_id: group, content: 'By REST' })
    expect(frame.message).toEqual(said)
    await socket.close()
  })

  test('keeps the order in which one socket sent it', async () => {
    const [johns, janes] = await Promise.all([john.connect(), jane.connect()])
    const contents = Array.from({ length: 20 }, (_, index) => `No. ${index}`)
    for (const content of contents) johns.send({ type: 'message', chat_id: dm, content })
    const came: unknown[] = []
    for (const _ of contents) came.push(fieldsOf(await janes.next('new_message'), 'message').content)
    expect(came).toEqual(contents)
    await Promise.all([johns.close(), janes.close()])
  })

  test('of a stranger, an empty one and one into nowhere come to nobody', async () => {
    const [johns, janes, jims] = await Promise.all([john.connect(), jane.connect(), jim.connect()])
    const { total } = (await jane.get(`/chats/${dm}/messages`)).body
    jims.send({ type: 'message', chat_id: dm, content: 'May I?' })
    johns.send({ type: 'message', chat_id: dm, content: '' })
    johns.send({ type: 'message', chat_id: NOBODY, content: 'Lost' })
    for (const socket of [jims, johns]) socket.send({ type: 'ping' })
    await Promise.all([jims.next('pong'), johns.next('pong')])
    johns.send({ type: 'message', chat_id: dm, content: 'The only one' })
    expectNewMessage(await janes.next('new_message'), { sender_id: john.id, chat_id: dm, content: 'The only one' })
    expect(jims.all('new_message')).toEqual([])
    expect((await jane.get(`/chats/${dm}/messages`)).body.total).toBe(Number(total) + 1)
    await Promise.all([johns.close(), janes.close(), jims.close()])
  })

  test('in a chat made after connecting comes too', async () => {
    const socket = await jim.connect()
    const chatId = await john.dmWith(jim)
    await john.say(chatId, 'Hi Jim')
    expectNewMessage(await socket.next('new_message'), { sender_id: john.id, chat_id: chatId, content: 'Hi Jim' })
    await socket.close()
  })
})

describe('a read receipt', () => {
  test('comes to the others in the chat and to my other device, with the last message', async () => {
    const sockets = await Promise.all([john, jim, jane, jane].map((person) => person.connect()))
    const said = await john.say(group, 'Read me')
    sockets[3]?.send({ type: 'read', chat_id: group })
    for (const socket of sockets.slice(0, 3)) {
      const frame = await socket.next('read')
      expect(documented('read', frame)).toEqual({
        type: 'read',
        chat_id: group,
        user_id: jane.id,
        last_read_at: INSTANT,
        unread_count: 0,
        message_id: said.id,
      })
      expectRecent(frame.last_read_at)
    }
    await Promise.all(sockets.map((socket) => socket.close()))
  })

  test('of a stranger comes to nobody', async () => {
    const [johns, jims] = await Promise.all([john.connect(), jim.connect()])
    const said = await john.say(dm, 'Not for Jim')
    jims.send({ type: 'read', chat_id: dm })
    jims.send({ type: 'ping' })
    await jims.next('pong')
    await jane.post(`/chats/${dm}/read`)
    expect(await johns.next('read')).toMatchObject({ user_id: jane.id, message_id: said.id })
    await Promise.all([johns.close(), jims.close()])
  })
})

describe('a ping', () => {
  test('is answered by a pong with the time', async () => {
    const socket = await john.connect()
    socket.send({ type: 'ping' })
    const frame = await socket.next('pong')
    expect(frame).toEqual({ type: 'pong', timestamp: expect.any(Number) })
    expectNow(frame.timestamp)
    await socket.close()
  })

  test('is answered after frames that nobody understands', async () => {
    const socket = await john.connect()
    for (const frame of ['', 'nonsense', '[]', 'null', '{}', '{"type":"nonsense"}', '{"type":"message"}']) {
      socket.send(frame)
    }
    socket.send({ type: 'ping' })
    expectNow((await socket.next('pong')).timestamp)
    await socket.close()
  })
})
