/** Whatever comes over a socket is answered by an `error` frame or a close with a code, never by silence. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { FRAME_TYPES } from '../../src/realtime/frames.ts'
import { type Json, TestSocket, type TestUser } from '../support/client.ts'
import { readHead, startServer, type TestServer } from '../support/server.ts'

const UNKNOWN_ID = '0190f6a2-7c1e-7000-8000-000000000001'
const KIBIBYTE = 1024

let server: TestServer
let user: TestUser
let chatId: string
beforeAll(async () => {
  server = await startServer()
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
      expect(answer).toEqual({ type: 'error', status: 400, error: 'Malformed JSON', details: {} })
    }
  })

  it('of no known type is refused', async () => {
    const types = ['x', '', '__proto__', 'constructor', 'toString', 'Ping', 'ping ', 'new_message', 'x'.repeat(5000)]
    const frames = [...types.map((type) => ({ type })), {}, { type: null }, { type: 5 }, { type: ['ping'] }, []]
    for (const answer of await askEach(frames.map((frame) => JSON.stringify(frame)))) {
      expect(answer).toEqual({
        type: 'error',
        status: 400,
        error: 'Validation failed',
        details: { type: expect.any(String) },
      })
      expect(JSON.stringify(answer).length).toBeLessThan(400)
    }
  })

  const badIds = [5, null, true, '', 'x', [UNKNOWN_ID], { a: 1 }, `${UNKNOWN_ID}0`, `${UNKNOWN_ID}\n`]
  const badText = [5, null, true, '', 'a\0b', 'a\ud800', '\udc00', ['x'], { a: 1 }]
  const badSdp = [...badText, 'x'.repeat(32_769), '😀']
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
    call_invite: { chat_id: badIds, media: ['', 'text', 'Audio', null, 5, ['audio'], {}] },
    call_ringing: { call_id: badIds },
    call_accept: { call_id: badIds },
    call_decline: { call_id: badIds },
    call_busy: { call_id: badIds },
    call_offer: { call_id: badIds, sdp: badSdp },
    call_answer: { call_id: badIds, sdp: badSdp },
    call_candidate: { call_id: badIds, candidate: [5, null, true, '', 'x', ['x']] },
    call_resume: { call_id: badIds },
    call_end: { call_id: badIds },
  }
  const valid: Record<string, () => Record<string, unknown>> = {
    message: () => ({ chat_id: chatId, content: 'hello' }),
    read: () => ({ chat_id: chatId }),
    call_invite: () => ({ chat_id: chatId, media: 'audio' }),
    call_offer: () => ({ call_id: UNKNOWN_ID, sdp: 'v=0' }),
    call_answer: () => ({ call_id: UNKNOWN_ID, sdp: 'v=0' }),
    call_candidate: () => ({ call_id: UNKNOWN_ID, candidate: { candidate: '' } }),
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
          status: 400,
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
    const refused = await askEach([
      `{"__proto__":{"type":"ping"},"ref":1}`,
      deep,
      `{"type":"ping","type":"x"}`,
      `{"type":"message","chat_id":"${chatId}","content":"x","content":5}`,
    ])
    for (const { type, error } of refused) {
      expect({ type, error }).toEqual({
        type: 'error',
        error: expect.stringMatching(/Validation failed|Malformed JSON/),
      })
    }
    // Unknown fields are ignored, whatever their names.
    const ignored = await askEach([
      `{"type":"ping","ref":1,"__proto__":{"ref":2}}`,
      `{"type":"ping","ref":1,"constructor":{"prototype":{"polluted":1}}}`,
      `{"type":"leave_chat","ref":1,"chat_id":"${chatId}","__proto__":{"chat_id":"x"}}`,
      `{"type":"ping","ref":1,"deep":${deep}}`,
    ])
    expect(ignored).toEqual(Array(4).fill({ type: 'ack', ref: 1 }))
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
      status: 400,
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
        status: 413,
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
      status: 401,
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

describe('the log', () => {
  it('holds no fault of ours', () => {
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})
