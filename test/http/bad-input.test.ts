/** Whatever comes, the answer is a named failure in one shape: never a fault of ours, never a half-done change. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { type Json, request, type TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { ASTRAL, type BodyRoute, expectFailure, fillPath, type Stage, setStage, UNKNOWN_ID } from './inputs.ts'
import { rawRequest } from './raw.ts'
import { UNKNOWN_CODE } from './urls.ts'

let server: TestServer
let owner: TestUser
let stage: Stage
beforeAll(async () => {
  server = await startServer()
  ;({ owner, stage } = await setStage(server))
})
afterAll(() => server.stop())

const path = (pattern: string) => fillPath(pattern, stage)

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
    expectFailure(await owner.post('/messages', { chat_id: stage.chatId, content: 'x', client_id: ['x'] }), 400)
    expectFailure(
      await owner.post('/messages', { chat_id: stage.chatId, content: 'x', reply_to_id: [stage.messageId] }),
      400,
    )
  })
})

describe('sync', () => {
  it('takes no chats but as a record', async () => {
    for (const chats of [5, true, []]) expectFailure(await owner.post('/sync', { chats }), 400)
  })

  it('takes no key but ids', async () => {
    const head = { seq: 0, rev: 0 }
    for (const key of [
      'constructor',
      'toString',
      '',
      stage.chatId.toUpperCase(),
      `${stage.chatId} `,
      `${stage.chatId}\n`,
    ]) {
      const answer = await owner.post('/sync', `{"chats":{${JSON.stringify(key)}:${JSON.stringify(head)}}}`)
      expectFailure(answer, 400)
    }
    const { status, body } = await owner.post('/sync', { chats: { [UNKNOWN_ID]: head } })
    expect({ status, gone: body.gone }).toEqual({ status: 200, gone: [UNKNOWN_ID] })
  })

  it('does not take what it is sent as a prototype for what one holds', async () => {
    for (const name of ['__proto__', '\\u005f_proto__', '__prot\\u006f__']) {
      const { status, body } = await owner.post(
        '/sync',
        `{"chats":{"${name}":{"${stage.chatId}":{"seq":"x","rev":null}}}}`,
      )
      expect(status).toBe(200)
      const synced = body.chats.find(({ chat }: Json) => chat.id === stage.chatId)
      expect(synced).toMatchObject({ is_new: true, next: { seq: synced.chat.last_seq, rev: synced.chat.last_rev } })
    }
  })
})

describe('content', () => {
  it('is counted in code points: 4,096 are taken, as they are, and no more', async () => {
    for (const letter of ['x', 'ü', ASTRAL]) {
      const most = letter.repeat(4096)
      const answer = await owner.post('/messages', { chat_id: stage.chatId, content: most })
      expect(answer.status).toBe(201)
      expect(answer.body.content).toBe(most)
      expectFailure(await owner.post('/messages', { chat_id: stage.chatId, content: `${most}${letter}` }), 400)
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
      const { body } = await owner.post('/messages', { chat_id: stage.chatId, content })
      expect(body.content).toBe(content)
    }
  })
})

describe('the key of a purchase', () => {
  const buy = (key: string, token = owner.token) =>
    request(
      `${server.url}/api/v1/subscriptions/purchase`,
      'POST',
      token,
      { subscription_type: 'premium_monthly' },
      { 'idempotency-key': key },
    )

  it('is printable ASCII, and not longer than a key has to be', async () => {
    for (const key of ['', '   ', 'x'.repeat(256), 'é', 'a\tb', 'a\x7fb']) {
      const answer = await buy(key)
      expectFailure(answer, 400)
      expect(Object.keys(answer.body.details)).toEqual(['idempotency-key'])
    }
    expect((await owner.get('/subscriptions/payments')).body.payments).toEqual([])
    expect((await buy('x'.repeat(255))).status).toBe(200)
  })

  it('is nothing that a stranger is told about', async () => {
    expectFailure(await buy('é', 'x'), 401)
  })
})

describe('a route that takes no body', () => {
  const patterns = [
    'POST /auth/logout',
    'POST /users/MEMBER/block',
    'DELETE /users/MEMBER/block',
    'POST /channels/CHANNEL/subscribe',
    'DELETE /channels/CHANNEL/subscribe',
    'DELETE /subscriptions/me',
    `POST /invites/${UNKNOWN_CODE}/join`,
  ]
  it.each(patterns)('is as strict about one: %s', async (pattern) => {
    const [method = '', of = ''] = pattern.split(' ')
    const route = { method, path: of }
    for (const body of ['[]', '5', '{', '\0']) expectFailure(await send(route, body), 400)
    expectFailure(await send(route, '{"x":1}', { 'content-type': 'text/plain' }), 415)
    expectFailure(await send(route, { x: 'x'.repeat(65 * 1024) }), 413)
    expect((await owner.get('/users/me')).status).toBe(200)
  })
})

describe('no route', () => {
  it('answers 404 in the one shape', async () => {
    const gone = { error: 'No such endpoint', details: {} }
    for (const [method, of] of [
      ['GET', '/index.html'],
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

describe('the log', () => {
  it('holds no fault of ours', () => {
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})
