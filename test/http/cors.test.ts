import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'

const OURS = 'https://web.example.org'
const FOREIGN = 'https://evil.example'

const toldOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'))
const ask = (server: TestServer, path: string, method: string, origin?: string) =>
  fetch(server.url + path, { method, headers: origin === undefined ? {} : { origin } })

describe('with pages of one other origin allowed', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ CORS_ORIGINS: OURS, PUBLIC_URL: 'https://chat.example.org' }, { instances: 1 })
  })
  afterAll(() => server.stop())

  it.each([OURS, 'https://chat.example.org'])('an answer tells %s that it may read it', async (origin) => {
    // Refusals too: a page has to learn what was wrong.
    for (const [path, status] of [
      ['/health', 200],
      ['/api/v1/users/me', 401],
      ['/nowhere', 404],
    ] as const) {
      const answer = await ask(server, path, 'GET', origin)
      expect(answer.status).toBe(status)
      expect(toldOf(answer)).toMatchObject({
        vary: 'Origin',
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
      })
      const readable = answer.headers.get('access-control-expose-headers')?.toLowerCase().split(', ')
      expect(readable).toEqual(expect.arrayContaining(['retry-after', 'x-request-id', 'etag', 'upload-offset']))
    }
  })

  it.each([FOREIGN, `${OURS}.evil.example`, 'null', undefined])('an answer tells %s nothing', async (origin) => {
    for (const method of ['GET', 'OPTIONS']) {
      for (const path of ['/health', '/api/v1/users/me', '/nowhere'])
        expect(toldOf(await ask(server, path, method, origin))).toEqual({ vary: 'Origin' })
    }
  })

  it('a preflight is answered for any path, before anybody is asked who they are', async () => {
    for (const path of ['/', '/api/v1/users/me', '/nowhere']) {
      const answer = await ask(server, path, 'OPTIONS', OURS)
      expect(answer.status).toBe(204)
      expect(toldOf(answer)).toMatchObject({ 'access-control-allow-origin': OURS, 'access-control-max-age': '3600' })
    }
  })
})

it('with every page allowed none has credentials, and caches may keep one answer for all', async () => {
  const server = await startServer({ CORS_ORIGINS: '*' }, { instances: 1 })
  for (const origin of [FOREIGN, undefined]) {
    const answer = toldOf(await ask(server, '/health', 'GET', origin))
    expect(answer).toMatchObject({ 'access-control-allow-origin': '*' })
    expect(Object.keys(answer).sort()).toEqual(['access-control-allow-origin', 'access-control-expose-headers'])
  }
  await server.stop()
})
