/** Requests over real HTTP: what is tried again, what is told, and by which name. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Clock, Http } from '../../../src/web/sync/ports.ts'
import { ApiError, createRest, NetworkError } from '../../../src/web/sync/rest.ts'

/** What the next requests are answered, in turn; the last one for ever. */
let answers: (() => Response)[] = []
let asked: { method: string; path: string; token: string | null }[] = []
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const { pathname } = new URL(request.url)
    asked.push({ method: request.method, path: pathname, token: request.headers.get('authorization') })
    const next = answers.length > 1 ? answers.shift() : answers[0]
    return next?.() ?? new Response('', { status: 404 })
  },
})
afterAll(() => server.stop(true))
let waited: number[] = []
const clock: Clock = {
  now: () => Date.now(),
  after(ms, act) {
    waited.push(ms)
    const timer = setTimeout(act, 0)
    return () => clearTimeout(timer)
  },
}
const http: Http = (url, request) => fetch(url, request)
const json = (status: number, body: unknown) => () => Response.json(body, { status })
const failure = (status: number, details: Record<string, unknown> = {}) => json(status, { error: 'No', details })

let token = 'first'
const rest = createRest({ serverUrl: `http://127.0.0.1:${server.port}`, http, clock })
const call = rest.signedBy({
  async token(stale) {
    if (stale !== undefined) token = 'second'
    return token
  },
})

beforeAll(() => {
  token = 'first'
})
const answering = (...list: (() => Response)[]) => {
  answers = list
  asked = []
  waited = []
  token = 'first'
}

describe('a request', () => {
  it('brings what the server says', async () => {
    answering(json(200, { hello: 1 }))
    expect(await call<unknown>('GET', '/x')).toEqual({ hello: 1 })
    expect(asked).toEqual([{ method: 'GET', path: '/api/v1/x', token: 'Bearer first' }])
  })

  it('renews a refused token once', async () => {
    answering(failure(401), json(200, {}))
    await call('POST', '/x', {})
    expect(asked.map(({ token }) => token)).toEqual(['Bearer first', 'Bearer second'])
    answering(failure(401))
    await expect(call('POST', '/x', {})).rejects.toMatchObject({ name: 'ApiError', status: 401 })
    expect(asked).toHaveLength(2)
  })

  it('that only reads waits for a server that has no time, if that is soon', async () => {
    answering(failure(429, { retry_after: 2 }), failure(503, { retry_after: 1 }), json(200, {}))
    await call('GET', '/x')
    expect(waited).toEqual([2000, 1000])
    answering(failure(429, { retry_after: 60 }))
    await expect(call('GET', '/x')).rejects.toMatchObject({ status: 429, retryAfter: 60 })
    expect(asked).toHaveLength(1)
    answering(failure(503, { retry_after: 1 }))
    await expect(call('GET', '/x')).rejects.toMatchObject({ status: 503 })
    expect(asked).toHaveLength(3)
  })

  it('that changes something is never repeated by itself', async () => {
    answering(failure(503, { retry_after: 1 }))
    await expect(call('POST', '/x', {})).rejects.toMatchObject({ status: 503, retryAfter: 1 })
    expect(asked).toHaveLength(1)
  })

  it('tells what is wrong field by field', async () => {
    answering(failure(400, { username: 'is too short' }))
    const error = await call('POST', '/x', {}).catch((caught) => caught)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ message: 'No', details: { username: 'is too short' }, retryAfter: undefined })
  })

  it("takes a proxy's page for what it is", async () => {
    const page = (status: number) => () => new Response('<html>', { status })
    answering(page(502))
    await expect(call('POST', '/x')).rejects.toMatchObject({ name: 'ApiError', status: 502, retryAfter: 1 })
    answering(page(200))
    await expect(call('GET', '/x')).rejects.toBeInstanceOf(NetworkError)
  })

  it('without an answer is told by another name', async () => {
    const nowhere = createRest({ serverUrl: 'http://127.0.0.1:1', http, clock })
    await expect(nowhere.anonymous('GET', '/x')).rejects.toBeInstanceOf(NetworkError)
  })
})
