import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'
import { type Person, text } from './client.ts'
import { addPerson } from './people.ts'
import { documented, expectError, expectRecent, INSTANT, UUID } from './shapes.ts'

const NOBODY = '00000000-0000-7000-8000-000000000000'

let server: TestServer
let john: Person
let jane: Person
let jim: Person

beforeAll(async () => {
  server = await startServer()
  john = await addPerson(server, 'john')
  jane = await addPerson(server, 'jane')
  jim = await addPerson(server, 'jim')
})
afterAll(() => server.stop())

describe('a group', () => {
  const create = (fields: Record<string, unknown> = {}) =>
    john.post('/chats', { name: 'My Group', type: 'group', member_ids: [jane.id, jim.id], ...fields })

  test('is made with its creator as owner and member', async () => {
    const { status, body } = await create()
    expect(status).toBe(201)
    expect(body).toEqual({
      id: UUID,
      name: 'My Group',
      type: 'group',
      owner_id: john.id,
      member_count: 3,
      created_at: INSTANT,
    })
    expectRecent(body.created_at)
  })

  test('can be read and written by every member and by nobody else', async () => {
    const id = text((await create({ member_ids: [jane.id] })).body, 'id')
    await jane.say(id, 'Hi')
    for (const member of [john, jane]) expect((await member.get(`/chats/${id}/messages`)).body.total).toBe(1)
    expectError(await jim.get(`/chats/${id}/messages`), 404)
    expectError(await jim.post('/messages', { chat_id: id, content: 'Me too', message_type: 'text' }), 404)
    expectError(await jim.post(`/chats/${id}/read`), 404)
  })

  test('counts everyone once', async () => {
    const { status, body } = await create({ member_ids: [jane.id, jane.id, john.id] })
    expect(status).toBe(201)
    expect(body.member_count).toBe(2)
  })

  test.each([
    ['name', ''],
    ['name', 'n'.repeat(256)],
    ['name', undefined],
    ['type', 'dm'],
    ['type', 'channel'],
    ['type', undefined],
    ['member_ids', 'not a list'],
  ])('is refused with the %s %p', async (field, value) => {
    expectError(await create({ [field]: value }), 400, field)
  })

  test.each(['not an id', NOBODY])('is refused with the member %p and names its place', async (id) => {
    expectError(await create({ member_ids: [jane.id, id] }), 400, 'member_ids.1')
  })

  test('names every faulty field at once', async () => {
    expectError(await create({ name: '', type: 'x', member_ids: 1 }), 400, 'name', 'type', 'member_ids')
  })

  test('takes a name of 255 characters', async () => {
    const { status, body } = await create({ name: 'ж'.repeat(255) })
    expect(status).toBe(201)
    expect(body.name).toBe('ж'.repeat(255))
  })
})

describe('a direct chat', () => {
  test('is made once and found by both, under the name of the other one', async () => {
    const made = await john.get(`/chats/dm/${jane.id}`)
    expect(made.status).toBe(201)
    expect(documented('dm', made.body)).toEqual({
      id: UUID,
      name: 'jane',
      type: 'dm',
      member_count: 2,
      created_at: INSTANT,
    })
    expectRecent(made.body.created_at)

    const found = await john.get(`/chats/dm/${jane.id}`)
    expect(found.status).toBe(200)
    expect(documented('dm', found.body)).toEqual(documented('dm', made.body))
    const foundByJane = await jane.get(`/chats/dm/${john.id}`)
    expect(foundByJane.status).toBe(200)
    expect(documented('dm', foundByJane.body)).toEqual({ ...documented('dm', made.body), name: 'john' })
  })

  test('is one even when both ask at once', async () => {
    const answers = await Promise.all(
      [0, 1, 2].flatMap(() => [john.get(`/chats/dm/${jim.id}`), jim.get(`/chats/dm/${john.id}`)]),
    )
    expect(new Set(answers.map(({ body }) => text(body, 'id'))).size).toBe(1)
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 201])
  })

  test('is refused with oneself, nobody and nonsense', async () => {
    expectError(await john.get(`/chats/dm/${john.id}`), 400)
    expectError(await john.get(`/chats/dm/${NOBODY}`), 404)
    const nonsense = await john.get('/chats/dm/nonsense')
    expect([400, 404]).toContain(nonsense.status)
    expectError(nonsense, nonsense.status)
  })

  test('is closed to a third one', async () => {
    const id = await john.dmWith(jane)
    expectError(await jim.get(`/chats/${id}/messages`), 404)
    expectError(await jim.post('/messages', { chat_id: id, content: 'Hi', message_type: 'text' }), 404)
  })
})

describe('marking as read', () => {
  test('answers that nothing is unread and tells the other one', async () => {
    const chatId = await john.dmWith(jane)
    const said = await john.say(chatId, 'Read me')
    const socket = await john.connect()
    const { status, body } = await jane.post(`/chats/${chatId}/read`)
    expect(status).toBe(200)
    expect(documented('read', body)).toEqual({ message: 'Marked as read', unread_count: 0 })
    const event = await socket.next('read')
    expect(documented('read', event)).toEqual({
      type: 'read',
      chat_id: chatId,
      user_id: jane.id,
      last_read_at: INSTANT,
      unread_count: 0,
      message_id: said.id,
    })
    expectRecent(event.last_read_at)
    await socket.close()
  })

  test('takes a request that announces JSON and has no body', async () => {
    const response = await fetch(`${server.url}/api/v1/chats/${await jane.dmWith(john)}/read`, {
      method: 'POST',
      headers: { authorization: `Bearer ${jane.token}`, 'content-type': 'application/json' },
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ message: 'Marked as read', unread_count: 0 })
  })

  test('is refused in a chat that is not there', async () => {
    expectError(await john.post(`/chats/${NOBODY}/read`), 404)
  })
})
