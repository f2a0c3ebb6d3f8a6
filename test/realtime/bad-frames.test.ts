/** Whatever comes over a socket is answered by an `error` frame or a close with a code, never by silence. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { FRAME_TYPES } from '../../src/realtime/frames.ts'
import { handshake } from '../http/raw.ts'
import { type Json, TestSocket, type TestUser } from '../support/client.ts'
import { readHead, startServer, type TestServer } from '../support/server.ts'

const UNKNOWN_ID = '0190f6a2-7c1e-7000-8000-000000000001'
const KIBIBYTE = 1024

let server: TestServer
let user: TestUser
let chatId: string
beforeAll(async () => {
  server = await startServer({ CORS_ORIGINS: 'https://chat.example.org' })
  user = await server.addUser()
  chatId = await server.addGroup(user)
})
afterAll(() => server.stop())

const wsUrl = (path = '/ws') => `${server.url.replace('http', 'ws')}${path}`
const isAnswer = ({ type }: Json) => type === 'error' || type === 'ack'

async function openAnonymous(): Promise<TestSocket> {
  const socket = new TestSocket(wsUrl())
  await new Promise((resolve) => socket.ws.addEventListener('open', resolve))
  return socket
}

/** Each of `frames` on one socket (they are fewer than what closes it), and its answers in their order. */
async function askEach(frames: readonly string[]): Promise<Json[]> {
  const socket = await user.socket()
  for (const frame of frames) socket.send(frame)
  const answers: Json[] = []
  for (const _ of frames) answers.push(await socket.find(isAnswer))
  await socket.settle()
  await socket.close()
  return answers
}

describe('a faulty frame', () => {
  const noJson = ['', ' ', '{', 'ping', '{"type":"ping"', '5', 'null', 'true', '"x"', '\0', "{'type':'ping'}"]
  it('that is no JSON object is refused', async () => {
    for (const answer of await askEach(noJson)) {
      expect(answer).toEqual({ type: 'error', error: 'Malformed JSON', details: {} })
    }
  })

  it('of no known type is refused', async () => {
    const types = ['x', '', '__proto__', 'constructor', 'toString', 'Ping', 'ping ', 'new_message', 'x'.repeat(5000)]
    const frames = [...types.map((type) => ({ type })), {}, { type: null }, { type: 5 }, { type: ['ping'] }, []]
    for (const answer of await askEach(frames.map((frame) => JSON.stringify(frame)))) {
      expect(answer).toEqual({ type: 'error', error: 'Validation failed', details: { type: expect.any(String) } })
      expect(JSON.stringify(answer).length).toBeLessThan(200)
    }
  })

  const badIds = [5, null, true, '', 'x', [UNKNOWN_ID], { a: 1 }, `${UNKNOWN_ID}0`, `${UNKNOWN_ID}\n`]
  const badText = [5, null, true, '', 'a\0b', 'a\ud800', '\udc00', ['x'], { a: 1 }]
  const faults: Record<string, Record<string, unknown[]>> = {
    auth: { token: [5, null, true, ['x'], { a: 1 }, 'x'.repeat(4097)] },
    message: {
      chat_id: badIds,
      content: [...badText, 'x'.repeat(4097), '😀'.repeat(4097)],
      message_type: ['image', 5, null],
      client_id: [5, true, '', 'x'.repeat(65), 'a\0', { a: 1 }],
      reply_to_id: [5, 'x', '', {}],
    },
    typing: { chat_id: badIds },
    read: { chat_id: badIds, seq: ['5', '', null, -1, 1.5, 2 ** 53, 1e300, true, [1], {}] },
    join_chat: { chat_id: badIds },
    leave_chat: { chat_id: badIds },
    ping: {},
  }
  const valid: Record<string, () => Record<string, unknown>> = {
    message: () => ({ chat_id: chatId, content: 'hello' }),
    read: () => ({ chat_id: chatId }),
  }

  it('is tried for every type', () => {
    expect(Object.keys(faults).sort()).toEqual([...FRAME_TYPES].sort())
  })

  it.each(Object.keys(faults))('names the field that is wrong: %s', async (type) => {
    const before = await readHead(server, chatId)
    for (const [name, values] of Object.entries(faults[type] ?? {})) {
      const given = valid[type]?.() ?? (type === 'auth' ? {} : { chat_id: chatId })
      const frames = values.map((value) => JSON.stringify({ type, ...given, [name]: value, ref: 'r' }))
      for (const [index, answer] of (await askEach(frames)).entries()) {
        expect({ value: values[index], ...answer, details: Object.keys(answer.details) }).toEqual({
          value: values[index],
          type: 'error',
          ref: 'r',
          error: 'Validation failed',
          details: [name],
        })
      }
    }
    expect(await readHead(server, chatId)).toEqual(before)
  })

  it('names what is missing', async () => {
    const types = FRAME_TYPES.filter((type) => type !== 'ping')
    for (const answer of await askEach(types.map((type) => JSON.stringify({ type })))) {
      expect(answer.error).toBe('Validation failed')
      expect(Object.keys(answer.details).length).toBeGreaterThan(0)
    }
  })

  it('with a faulty ref is refused, and a ref comes back as it was', async () => {
    for (const answer of await askEach(
      [{ a: 1 }, [1], null, true, 1.5, 'x'.repeat(65)].map((ref) => JSON.stringify({ type: 'ping', ref })),
    )) {
      expect(answer).toMatchObject({ type: 'error', error: 'Validation failed' })
      expect(Object.keys(answer.details)).toEqual(['ref'])
    }
    for (const ref of [0, -1, 7, '', '"', '\u2028', '__proto__', 'x'.repeat(64)]) {
      const [answer] = await askEach([JSON.stringify({ type: 'ping', ref })])
      expect(answer).toEqual({ type: 'ack', ref })
    }
  })

  it('with prototype keys, depth or doubles does no harm', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const answers = await askEach([
      `{"__proto__":{"type":"ping"},"ref":1}`,
      `{"type":"ping","__proto__":{"ref":1}}`,
      `{"type":"ping","constructor":{"prototype":{"polluted":1}}}`,
      `{"type":"read","chat_id":"${chatId}","__proto__":{"seq":"x"}}`,
      `{"type":"ping","deep":${deep}}`,
      deep,
      `{"type":"ping","type":"x"}`,
      `{"type":"message","chat_id":"${chatId}","content":"x","content":5}`,
    ])
    for (const { type, error } of answers) {
      expect(type).toBe('error')
      expect(['Validation failed', 'Malformed JSON']).toContain(error)
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('takes 4,096 code points of the widest letters', async () => {
    const socket = await user.socket()
    const content = '😀'.repeat(4096)
    const { message } = await socket.ask({ type: 'message', chat_id: chatId, content })
    expect(message.content).toBe(content)
    await socket.close()
  })

  it('that is binary is refused', async () => {
    const socket = await user.socket()
    socket.ws.send(new TextEncoder().encode('{"type":"ping"}'))
    expect(await socket.next('error')).toEqual({
      type: 'error',
      error: 'Frames are JSON text, not binary',
      details: {},
    })
    await socket.settle()
    await socket.close()
  })

  it('above 64 KB is refused; above 1 MiB it ends the socket with 1009', async () => {
    const socket = await user.socket()
    const padded = (bytes: number) => {
      const rest = '{"type":"ping","ref":""}'.length
      return `{"type":"ping","ref":"${'x'.repeat(bytes - rest)}"}`
    }
    for (const frame of [padded(64 * KIBIBYTE + 1), padded(KIBIBYTE * KIBIBYTE), 'ü'.repeat(33 * KIBIBYTE)]) {
      socket.send(frame)
      expect(await socket.next('error')).toEqual({
        type: 'error',
        error: 'The body is larger than 65536 bytes',
        details: { max_bytes: 65_536 },
      })
    }
    socket.send(padded(64 * KIBIBYTE))
    expect((await socket.next('error')).error).toBe('Validation failed')
    socket.send(padded(KIBIBYTE * KIBIBYTE + 1))
    expect((await socket.closed).code).toBe(1009)
  })

  it('the fiftieth in 10 s ends the socket with 4400', async () => {
    const socket = await user.socket()
    for (let i = 0; i < 49; i++) socket.send('x')
    await socket.settle()
    expect(socket.all('error')).toHaveLength(49)
    socket.send('x')
    expect(await socket.closed).toMatchObject({ code: 4400 })
  })

  it('counts for a socket without a token too', async () => {
    const socket = await openAnonymous()
    for (let i = 0; i < 50; i++) socket.send({ type: 'ping' })
    expect((await socket.closed).code).toBe(4400)
    expect(socket.all('error')[0]).toEqual({
      type: 'error',
      error: 'Missing or invalid access token',
      details: {},
    })
  })
})

describe('noise', () => {
  it('of any shape is answered', async () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(UNKNOWN_ID, '\0', '\ud800', -1, 2 ** 53, {}))
    const keys = ['chat_id', 'content', 'seq', 'token', 'client_id', 'reply_to_id', 'message_type', '__proto__']
    const frame = fc
      .tuple(fc.constantFrom(...FRAME_TYPES), fc.dictionary(fc.constantFrom(...keys), value))
      .map(([type, fields]) => JSON.stringify({ ...fields, type, ref: 'noise' }))
    let socket = await user.socket()
    let count = 0
    await fc.assert(
      fc.asyncProperty(fc.oneof(frame, fc.string({ unit: 'binary', maxLength: 200 })), async (text) => {
        // Below what ends a socket.
        if (++count % 40 === 0) {
          await socket.close()
          socket = await user.socket()
        }
        socket.send(text)
        const { type, error, details } = await socket.find(isAnswer)
        if (type === 'ack') return
        expect({ error: typeof error, details: typeof details }).toEqual({ error: 'string', details: 'object' })
        expect(error).not.toBe('Internal error')
      }),
      { numRuns: 200 },
    )
    await socket.settle()
    await socket.close()
  })
})

describe('signing in', () => {
  const welcomed = async (socket: TestSocket) => {
    const { chat_ids } = await socket.next('user_chats')
    expect(chat_ids).toEqual([chatId])
    await socket.close()
  }
  it('works by the query, on both paths', async () => {
    await welcomed(new TestSocket(wsUrl(`/ws?token=${user.token}`)))
    await welcomed(new TestSocket(wsUrl(`/api/v1/ws?token=${user.token}`)))
  })

  it('works by the header', () =>
    welcomed(new TestSocket(wsUrl(), { headers: { authorization: `Bearer ${user.token}` } })))

  it('works by the protocols, and the answer selects bearer', async () => {
    const socket = new TestSocket(wsUrl(), { protocols: ['bearer', user.token] })
    await socket.next('user_chats')
    expect(socket.ws.protocol).toBe('bearer')
    await socket.close()
    const raw = await handshake(server.url, '/ws', { 'sec-websocket-protocol': `bearer, ${user.token}` })
    expect(raw.status).toBe(101)
    expect(raw.headers.get('sec-websocket-protocol')).toBe('bearer')
  })

  it('works by the first frame', async () => {
    const socket = await openAnonymous()
    socket.send({ type: 'auth', token: user.token, ref: 1 })
    expect((await socket.next('user_chats')).chat_ids).toEqual([chatId])
    expect(await socket.next('ack')).toEqual({ type: 'ack', ref: 1 })
    await socket.close()
  })

  it('with a wrong token is refused at the handshake', async () => {
    for (const token of ['x', `${user.token}x`, user.refreshToken, 'null']) {
      for (const answer of [
        await handshake(server.url, `/ws?token=${token}`),
        await handshake(server.url, '/ws', { authorization: `Bearer ${token}` }),
        await handshake(server.url, '/ws', { 'sec-websocket-protocol': `bearer, ${token}` }),
      ]) {
        expect(answer.status).toBe(401)
        expect(JSON.parse(answer.body)).toEqual({ error: 'Missing or invalid access token', details: {} })
      }
    }
  })

  it('with a wrong token in a frame is an error; the right one may follow', async () => {
    const socket = await openAnonymous()
    expect(await socket.ask({ type: 'auth', token: 'x' })).toMatchObject({ error: 'Missing or invalid access token' })
    expect(await socket.ask({ type: 'auth', token: user.token })).toMatchObject({ type: 'ack' })
    await socket.close()
  })

  it('must happen within 5 s', async () => {
    const since = Date.now()
    const socket = await openAnonymous()
    expect((await socket.closed).code).toBe(4401)
    expect(Date.now() - since).toBeGreaterThan(4500)
    expect(Date.now() - since).toBeLessThan(8000)
  })
})

describe('the origin', () => {
  const open = (origin: string | undefined) =>
    handshake(server.url, `/ws?token=${user.token}`, origin === undefined ? {} : { origin })
  it('may be none, our own or a listed one', async () => {
    for (const origin of [undefined, server.url, 'https://chat.example.org']) {
      expect((await open(origin)).status).toBe(101)
    }
  })
  it('may be no other', async () => {
    for (const origin of [
      'https://evil.example',
      'https://chat.example.org.evil.example',
      'http://chat.example.org',
      'https://chat.example.org:8443',
      'null',
      '',
      'x',
    ]) {
      const { status, body } = await open(origin)
      expect({ origin, status, body }).toEqual({
        origin,
        status: 403,
        body: '{"error":"This origin may not open a socket here","details":{}}',
      })
    }
  })
})

describe('a request that is no handshake', () => {
  it('is told so', async () => {
    const answer = await fetch(`${server.url}/ws?token=${user.token}`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ error: 'Validation failed', details: { upgrade: 'must be websocket' } })
    const broken = await handshake(server.url, '/ws', { 'sec-websocket-key': '' })
    expect(broken.status).toBeLessThan(500)
  })
})

describe('the log', () => {
  it('holds no fault of ours', () => {
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})
