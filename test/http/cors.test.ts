import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'

const OURS = 'https://web.example.org'
const FOREIGN = 'https://evil.example'

const permissionsOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-allow-origin')))
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
      expect(permissionsOf(answer)).toEqual({ 'access-control-allow-origin': origin })
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
      expect(answer.headers.get('vary')).toContain('Origin')
      const readable = answer.headers.get('access-control-expose-headers')?.toLowerCase().split(', ')
      expect(readable).toEqual(expect.arrayContaining(['retry-after', 'x-request-id', 'etag', 'upload-offset']))
    }
  })

  it.each([FOREIGN, `${OURS}.evil.example`, 'null', undefined])('an answer permits %s nothing', async (origin) => {
    for (const method of ['GET', 'OPTIONS']) {
      for (const path of ['/health', '/api/v1/users/me', '/nowhere'])
        expect(permissionsOf(await ask(server, path, method, origin))).toEqual({})
    }
  })

  it('a preflight is answered for any path, before anybody is asked who they are', async () => {
    for (const path of ['/', '/api/v1/users/me', '/nowhere']) {
      const answer = await ask(server, path, 'OPTIONS', OURS)
      expect(answer.status).toBe(204)
      expect(permissionsOf(answer)).toEqual({ 'access-control-allow-origin': OURS })
      expect(answer.headers.get('access-control-max-age')).toBe('3600')
    }
  })
})

it('with every page allowed none has credentials', async () => {
  const server = await startServer({ CORS_ORIGINS: '*' }, { instances: 1 })
  for (const origin of [FOREIGN, undefined]) {
    const answer = await ask(server, '/health', 'GET', origin)
    expect(permissionsOf(answer)).toEqual({ 'access-control-allow-origin': '*' })
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  }
  await server.stop()
})

it('with none allowed no page elsewhere is told anything', async () => {
  const server = await startServer({ PUBLIC_URL: 'https://chat.example.org' }, { instances: 1 })
  for (const method of ['GET', 'OPTIONS']) {
    for (const origin of [OURS, FOREIGN, 'null', undefined])
      expect(permissionsOf(await ask(server, '/api/v1/users/me', method, origin))).toEqual({})
  }
  await server.stop()
})
