/** Whatever comes, the answer is a named failure in one shape: never a fault of ours, never a half-done change. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { type Json, request, type TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { ASTRAL, type BodyRoute, expectFailure, fillPath, routes, UNKNOWN_ID } from './inputs.ts'
import { rawRequest } from './raw.ts'

let server: TestServer
let owner: TestUser
let member: TestUser
let chatId: string
let messageId: string
beforeAll(async () => {
  server = await startServer()
  owner = await server.addUser()
  member = await server.addUser()
  chatId = await server.addGroup(owner, member)
  messageId = (await owner.post('/messages', { chat_id: chatId, content: 'first' })).body.id
})
afterAll(() => server.stop())

const stage = () => ({ chatId, memberId: member.id, messageId })
const path = (pattern: string) => fillPath(pattern, stage())

const send = (route: Pick<BodyRoute, 'method' | 'path'>, body?: unknown, headers?: Record<string, string>) =>
  request(`${server.url}/api/v1${path(route.path)}`, route.method, owner.token, body, headers)

describe('what is no text', () => {
  it('is refused where null would do, even when it reads like one', async () => {
    expectFailure(await owner.patch('/users/me', { bio: ['x'] }), 400)
    const account = { phone: 5, email: null, password: 'Password123', username: 'somebody' }
    expectFailure(await owner.post('/auth/register', account), 400)
    expectFailure(
      await owner.post('/auth/register', { ...account, phone: '+15550001111', email: ['a@example.com'] }),
      400,
    )
    expectFailure(await owner.post('/messages', { chat_id: chatId, content: 'x', client_id: ['x'] }), 400)
    expectFailure(await owner.post('/messages', { chat_id: chatId, content: 'x', reply_to_id: [messageId] }), 400)
  })
})

describe('sync', () => {
  it('takes no chats but as a record', async () => {
    for (const chats of [5, true, []]) expectFailure(await owner.post('/sync', { chats }), 400)
  })

  it('takes no key but ids', async () => {
    const head = { seq: 0, rev: 0 }
    for (const key of ['constructor', 'toString', '', chatId.toUpperCase(), `${chatId} `, `${chatId}\n`]) {
      const answer = await owner.post('/sync', `{"chats":{${JSON.stringify(key)}:${JSON.stringify(head)}}}`)
      expectFailure(answer, 400)
    }
    const { status, body } = await owner.post('/sync', { chats: { [UNKNOWN_ID]: head } })
    expect({ status, gone: body.gone }).toEqual({ status: 200, gone: [UNKNOWN_ID] })
  })

  it('does not take what it is sent as a prototype for what one holds', async () => {
    for (const name of ['__proto__', '\\u005f_proto__', '__prot\\u006f__']) {
      const { status, body } = await owner.post('/sync', `{"chats":{"${name}":{"${chatId}":{"seq":"x","rev":null}}}}`)
      expect(status).toBe(200)
      const synced = body.chats.find(({ chat }: Json) => chat.id === chatId)
      expect(synced).toMatchObject({ is_new: true, next: { seq: synced.chat.last_seq, rev: synced.chat.last_rev } })
    }
  })
})

describe('content', () => {
  it('is counted in code points: 4,096 are taken, as they are, and no more', async () => {
    for (const letter of ['x', 'ü', ASTRAL]) {
      const most = letter.repeat(4096)
      const answer = await owner.post('/messages', { chat_id: chatId, content: most })
      expect(answer.status).toBe(201)
      expect(answer.body.content).toBe(most)
      expectFailure(await owner.post('/messages', { chat_id: chatId, content: `${most}${letter}` }), 400)
    }
  })

  it('is stored as sent', async () => {
    for (const content of [
      ' ',
      '\n\t',
      '<script>alert(1)</script>',
      '\u202e\u200b\ufeff',
      "'; drop table users; --",
      '\\u0000',
    ]) {
      const { body } = await owner.post('/messages', { chat_id: chatId, content })
      expect(body.content).toBe(content)
    }
  })
})

describe('ids in a path', () => {
  const patterns = [
    'DELETE /auth/sessions/:',
    'GET /users/:',
    'GET /chats/dm/:',
    'GET /chats/:',
    'PATCH /chats/:',
    'DELETE /chats/:',
    'POST /chats/:/read',
    'GET /chats/:/members',
    'POST /chats/:/members',
    'PATCH /chats/CHAT/members/:',
    'DELETE /chats/CHAT/members/:',
    'GET /chats/:/messages',
    'PATCH /chats/CHAT/messages/:',
    'DELETE /chats/CHAT/messages/:',
    'GET /chats/:/changes',
  ]
  it.each(patterns)('must be UUIDs: %s', async (pattern) => {
    const [method = '', of = ''] = pattern.split(' ')
    const body = routes
      .find(
        (route) =>
          route.method === method &&
          route.path.replace(/CHAT(?=$|\/read|\/members$)/, ':').replace(/MEMBER|MESSAGE/, ':') === of,
      )
      ?.body(stage())
    for (const id of [
      'x',
      '1',
      'null',
      '%00',
      '%ED%A0%80',
      '%',
      `${UNKNOWN_ID}0`,
      `${UNKNOWN_ID}%0a`,
      "'%20or%201=1",
    ]) {
      const answer = await send({ method, path: of.replace(':', id) }, body)
      expectFailure(answer, 400)
    }
  })
})

describe('the query', () => {
  const pages: [string, string[]][] = [
    ['/chats', ['limit']],
    ['/chats/CHAT/members', ['limit', 'offset']],
    ['/chats/CHAT/messages', ['limit', 'offset', 'before_seq', 'after_seq']],
    ['/chats/CHAT/changes', ['limit', 'after_seq', 'after_rev']],
  ]
  it.each(pages)('takes whole numbers in range: %s', async (of, names) => {
    for (const name of names) {
      for (const value of ['-1', 'x', '1.5', '1e400', 'NaN', 'null', '99999999999999999999', '%00', '1;2', '[1]']) {
        const answer = await owner.get(`${path(of)}?${name}=${value}`)
        expectFailure(answer, 400)
        expect(Object.keys(answer.body.details)).toEqual([name])
      }
    }
    for (const limit of ['0', '101']) expectFailure(await owner.get(`${path(of)}?limit=${limit}`), 400)
    for (const query of [
      'limit=1&limit=2',
      'limit[]=1',
      'limit=',
      '__proto__=1',
      'constructor=1',
      'unknown=1',
      '&&==',
    ]) {
      const answer = await owner.get(`${path(of)}?${query}`)
      if (answer.status !== 200) expectFailure(answer, 400)
    }
    const largest = names.map((name) => owner.get(`${path(of)}?${name}=${name === 'limit' ? 100 : 10_000_000}`))
    for (const { status } of await Promise.all(largest)) expect(status).toBe(200)
  })

  it('takes a cursor of this server alone', async () => {
    for (const cursor of [
      'x',
      '%00',
      'eyJ9',
      btoa('[1,2]'),
      btoa('{"at":1}'),
      btoa(`2026-01-01T00:00:00.000Z ${UNKNOWN_ID}`),
      'x'.repeat(201),
    ]) {
      const answer = await owner.get(`/chats?cursor=${encodeURIComponent(cursor)}`)
      if (answer.status !== 200) expectFailure(answer, 400)
    }
  })

  it('takes what one searches for as text', async () => {
    for (const q of ['', 'a', '%00%00', 'x'.repeat(256)]) {
      expectFailure(await owner.get(`/users/search?q=${q}`), 400)
    }
    expectFailure(await owner.get('/users/search'), 400)
    for (const q of ['%25%25', '__', '\\\\', "'%20or%20''='", '%2B1', 'ab&q=cd']) {
      const answer = await owner.get(`/users/search?q=${q}`)
      if (answer.status !== 400) expect(answer).toMatchObject({ status: 200, body: { users: [] } })
    }
  })
})

describe('no route', () => {
  it('answers 404 in the one shape', async () => {
    const gone = { error: 'No such endpoint', details: {} }
    for (const [method, of] of [
      ['GET', '/'],
      ['GET', '/nope'],
      ['GET', '/api/v1'],
      ['GET', '/api/v1/nope'],
      ['POST', '/api/v2/messages'],
      ['GET', '/api/v1/messages'],
      ['PUT', '/api/v1/users/me'],
      ['POST', '/health'],
      ['DELETE', '/swagger'],
      ['PATCH', '/ws'],
      ['GET', '/api/v1/chats/x/y/z'],
      ['GET', '/swagger/../../etc/passwd'],
      ['GET', '/swagger/%2e%2e%2fpackage.json'],
      ['GET', `/${'a'.repeat(4000)}`],
    ] as const) {
      const answer = await request(`${server.url}${of}`, method, owner.token)
      expectFailure(answer, 404)
      expect(answer.body).toEqual(gone)
    }
  })

  it('survives paths that are none', async () => {
    for (const of of ['*', '//', '/%', '/%zz', '/api/v1/chats/%E0%A4%A', '/?%', '/api/v1/users/search?q=%']) {
      const { status } = await rawRequest(server.url, {
        path: of,
        headers: { authorization: `Bearer ${owner.token}`, connection: 'close' },
        withinMs: 1000,
      })
      expect(status).toBeLessThan(500)
    }
    expect((await request(`${server.url}/health`, 'GET')).status).toBe(200)
  })
})

describe('a body beyond all measure', () => {
  const piece = new Uint8Array(64 * 1024).fill(120)
  const times = 1600
  const flood = (headers: Record<string, string>, chunk: Uint8Array) =>
    rawRequest(server.url, {
      method: 'POST',
      path: '/api/v1/messages',
      headers: { 'content-type': 'application/json', ...headers },
      rest: { chunk, times },
    })

  it('is refused by its length, without being read', async () => {
    const length = { 'content-length': String(times * piece.byteLength) }
    const known = await flood({ ...length, authorization: `Bearer ${owner.token}` }, piece)
    expect(known.status).toBe(413)
    const stranger = await flood(length, piece)
    expect(stranger.status).toBe(401)
    expect(Math.max(known.sentBytes, stranger.sentBytes)).toBeLessThan(32 * 1024 * 1024)
  })

  it('is refused as soon as it is too much, when no length is told', async () => {
    const chunk = Buffer.concat([Buffer.from(`${piece.byteLength.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
    const chunked = { 'transfer-encoding': 'chunked' }
    const known = await flood({ ...chunked, authorization: `Bearer ${owner.token}` }, chunk)
    expect(known.status).toBe(413)
    const stranger = await flood(chunked, chunk)
    expect(stranger.status).toBe(401)
    expect(Math.max(known.sentBytes, stranger.sentBytes)).toBeLessThan(32 * 1024 * 1024)
  })
})

describe('noise', () => {
  it('in a path and a query is answered in the one shape', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('/chats/', '/users/', '/chats/dm/', '/users/search?q=', '/chats?cursor=', '/chats?limit='),
        fc.string({ unit: 'binary', maxLength: 100 }),
        async (of, text) => {
          const answer = await owner.get(of + encodeURIComponent(text.toWellFormed()))
          if (answer.status >= 400) expectFailure(answer)
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('the log', () => {
  it('holds no fault of ours', () => {
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})
