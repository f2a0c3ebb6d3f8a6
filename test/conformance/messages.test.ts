import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'
import { type Fields, list, type Person, text } from './client.ts'
import { addPerson } from './people.ts'
import { documented, expectError, expectRecent, INSTANT, UUID } from './shapes.ts'

const NOBODY = '00000000-0000-7000-8000-000000000000'
const LONG = 105

let server: TestServer
let john: Person
let jane: Person
let chatId: string

beforeAll(async () => {
  server = await startServer()
  john = await addPerson(server, 'john')
  jane = await addPerson(server, 'jane')
  chatId = await john.dmWith(jane)
})
afterAll(() => server.stop())

describe('sending a message', () => {
  const send = (fields: Fields = {}) =>
    john.post('/messages', { chat_id: chatId, content: 'Hello, world!', message_type: 'text', ...fields })

  test('answers 201 with the message', async () => {
    const { status, body } = await send()
    expect(status).toBe(201)
    expect(documented('message', body)).toEqual({
      id: UUID,
      sender_id: john.id,
      chat_id: chatId,
      content: 'Hello, world!',
      message_type: 'text',
      created_at: INSTANT,
    })
    expectRecent(body.created_at)
  })

  test('sends text unless told otherwise', async () => {
    const { status, body } = await send({ message_type: undefined })
    expect(status).toBe(201)
    expect(body.message_type).toBe('text')
  })

  test.each([
    ' <b>"quoted"</b> & \'single\' \\ / ',
    'Привет, 世界 👩‍👩‍👧 \u202eabc',
    'two\nlines\ttab',
    '; DROP TABLE messages; --',
    '👍'.repeat(4096),
  ])('keeps %p as it was sent', async (content) => {
    const { status, body } = await send({ content })
    expect(status).toBe(201)
    expect(body.content).toBe(content)
    const { body: history } = await jane.get(`/chats/${chatId}/messages?limit=1`)
    expect(list(history, 'messages').map((message) => message.content)).toEqual([content])
  })

  test.each([
    ['chat_id', 'nonsense'],
    ['chat_id', undefined],
    ['content', ''],
    ['content', 'x'.repeat(4097)],
    ['content', 42],
    ['content', undefined],
    ['message_type', 'image'],
    ['message_type', 'nonsense'],
  ])('refuses the %s %p and names it', async (field, value) => {
    expectError(await send({ [field]: value }), 400, field)
  })

  test('names every faulty field at once', async () => {
    const answer = await send({ chat_id: 1, content: '', message_type: 'x' })
    expectError(answer, 400, 'chat_id', 'content', 'message_type')
  })

  test('does not find a chat that is not there', async () => {
    expectError(await send({ chat_id: NOBODY }), 404)
  })
})

describe('the history', () => {
  let long: string
  let sent: Fields[]
  const senderOf = (number: number) => (number % 2 === 0 ? john : jane)

  beforeAll(async () => {
    long = await john.groupWith(jane)
    sent = []
    for (let number = 1; number <= LONG; number++) sent.push(await senderOf(number).say(long, `No. ${number}`))
    sent.reverse()
  })

  const read = (query = '') => jane.get(`/chats/${long}/messages${query}`)

  test('shows the fields of every message, the newest first', async () => {
    const { status, body } = await read('?limit=2&offset=1')
    expect(status).toBe(200)
    expect({ total: body.total, has_more: body.has_more }).toEqual({ total: LONG, has_more: true })
    expect(list(body, 'messages').map((message) => documented('message', message))).toEqual(
      [LONG - 1, LONG - 2].map((number) => ({
        id: UUID,
        sender_id: senderOf(number).id,
        chat_id: long,
        content: `No. ${number}`,
        message_type: 'text',
        created_at: INSTANT,
      })),
    )
  })

  test('shows a message just as it was answered to its sender', async () => {
    expect(list((await read('?limit=3')).body, 'messages')).toEqual(sent.slice(0, 3))
  })

  test.each([
    ['', 50, true],
    ['?limit=50&offset=0', 50, true],
    ['?limit=100', 100, true],
    ['?limit=1&offset=103', 1, true],
    ['?limit=1&offset=104', 1, false],
    ['?offset=50', 50, true],
    ['?offset=55', 50, false],
    ['?offset=100', 5, false],
    ['?offset=105', 0, false],
    ['?offset=5000', 0, false],
  ])('answers %p by %d messages', async (query, count, has_more) => {
    const offset = Number(new URLSearchParams(query).get('offset') ?? 0)
    const { status, body } = await read(query)
    expect(status).toBe(200)
    expect(body).toEqual({ messages: sent.slice(offset, offset + count), total: LONG, has_more })
  })

  test('never answers more than 100', async () => {
    const answer = await read('?limit=101')
    if (answer.status !== 200) return expectError(answer, 400, 'limit')
    expect(answer.body).toEqual({ messages: sent.slice(0, 100), total: LONG, has_more: true })
  })

  test.each(['limit=0', 'limit=-1', 'limit=many', 'limit=1.5', 'offset=-1', 'offset=x'])(
    'refuses %s',
    async (query) => {
      expectError(await read(`?${query}`), 400, query.split('=')[0] ?? '')
    },
  )

  test.each(['limit=x&offset=x', 'limit=0&offset=-1'])('names every faulty field of %s at once', async (query) => {
    expectError(await read(`?${query}`), 400, 'limit', 'offset')
  })

  test('of an empty chat is empty', async () => {
    const id = await john.groupWith(jane)
    const { status, body } = await jane.get(`/chats/${id}/messages`)
    expect({ status, body }).toEqual({ status: 200, body: { messages: [], total: 0, has_more: false } })
  })

  test('is not found where there is no chat', async () => {
    expectError(await john.get(`/chats/${NOBODY}/messages`), 404)
  })

  test('gives every message an id of its own', () => {
    expect(new Set(sent.map((message) => text(message, 'id'))).size).toBe(LONG)
  })
})
