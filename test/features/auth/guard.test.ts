import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Limit } from '../../../src/cache/limiter.ts'
import { createMemoryLimiter } from '../../../src/cache/memory-limiter.ts'
import { readJson } from '../../../src/http/body.ts'
import { fakePasswords, openDatabase, startApp } from './support.ts'

let database: Awaited<ReturnType<typeof openDatabase>>
let server: ReturnType<typeof startApp>
const { passwords } = fakePasswords()
beforeAll(async () => {
  database = await openDatabase()
  server = startApp(database, { passwords })
})
afterAll(() => database.close())

const notSignedIn = { status: 401, body: { error: 'Missing or invalid access token', details: {} } }

describe('the guard', () => {
  const doors: [string, string][] = [
    ['GET', '/users/me'],
    ['PATCH', '/users/me'],
    ['DELETE', '/users/me'],
    ['PATCH', '/users/me/password'],
    ['GET', '/users/search'],
    ['GET', '/users/not-a-uuid'],
    ['POST', '/auth/logout'],
    ['GET', '/auth/sessions'],
    ['DELETE', '/auth/sessions'],
    ['DELETE', '/auth/sessions/not-a-uuid'],
  ]
  it.each(doors)('asks who calls before anything else: %s %s', async (method, path) => {
    const body = method === 'PATCH' ? { username: '!', avatar: 5 } : undefined
    const answer = await server.call(method, path, { body })
    expect(answer).toMatchObject(notSignedIn)
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('does not read the body of a stranger', async () => {
    expect(await server.call('PATCH', '/users/me', { body: '{{{' })).toMatchObject(notSignedIn)
    let pulled = 0
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1
        controller.enqueue(new Uint8Array(1024))
        if (pulled > 100) controller.close()
      },
    })
    const headers = { 'content-type': 'application/json' }
    const request = new Request('http://localhost/api/v1/users/me', { method: 'PATCH', headers, body })
    expect((await server.app.handle(request)).status).toBe(401)
    expect(pulled).toBeLessThan(5)
  })

  it('reads the body of those who pass, with the limits of the app', async () => {
    const readBody = (request: Request) => readJson(request, 100)
    const reading = startApp(database, { passwords, guard: { readBody } })
    const { token } = await server.register()
    const patch = (body: string) => reading.call('PATCH', '/users/me', { token, body })
    expect((await patch(JSON.stringify({ bio: 'short' }))).body).toMatchObject({ bio: 'short' })
    expect((await patch(JSON.stringify({ bio: 'x'.repeat(100) }))).status).toBe(413)
    expect((await patch('{{{')).body.error).toBe('Malformed JSON')
    expect((await reading.call('POST', '/auth/login', { body: '{{{' })).status).toBe(400)
    expect((await reading.call('PATCH', '/users/me', { body: '{{{' })).status).toBe(401)
    expect((await reading.call('DELETE', '/auth/sessions', { token })).status).toBe(200)
  })

  it.each(['', 'Bearer', 'Bearer ', 'Basic abc', 'Bearer a b', 'bearerabc'])(
    'refuses the header %j',
    async (header) => {
      const headers = { authorization: header }
      const answer = await server.app.handle(new Request('http://localhost/api/v1/users/me', { headers }))
      expect(answer.status).toBe(401)
    },
  )

  it('takes the scheme in any case, with any blanks, as often as it comes', async () => {
    const { token } = await server.register()
    for (const scheme of ['bearer ', 'Bearer ', 'BEARER   ', 'Bearer ', 'bearer ', 'BEARER   ']) {
      const headers = { authorization: `${scheme}${token}` }
      const answer = await server.app.handle(new Request('http://localhost/api/v1/users/me', { headers }))
      expect(answer.status).toBe(200)
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
  })

  it('asks each time whether the session of a token still lives', async () => {
    const { token } = await server.register()
    const statuses = async () => (await server.call('GET', '/users/me', { token })).status
    expect([await statuses(), await statuses(), await statuses()]).toEqual([200, 200, 200])
    await server.call('POST', '/auth/logout', { token })
    expect([await statuses(), await statuses()]).toEqual([401, 401])
  })

  it.each([
    ['that are known', false],
    ['that are asked for', true],
  ])('limits the requests of a user, of each by their own limit: limits %s', async (_, isAsked) => {
    const limits = { isOn: true, anonymous: 100 }
    const premium = new Set<string>()
    const apiLimitOf = (userId: string) => {
      const most = premium.has(userId) ? 5 : 3
      return isAsked ? Promise.resolve(most) : most
    }
    const limiter = createMemoryLimiter()
    const hit = (key: string, limit: Limit) =>
      isAsked ? Promise.resolve(limiter.hit(key, limit)) : limiter.hit(key, limit)
    const small = startApp(database, { passwords, guard: { limits, apiLimitOf, limiter: { hit } } })
    const statuses = async (token: string, times: number) => {
      const answers = []
      for (let i = 0; i < times; i++) answers.push((await small.call('GET', '/users/me', { token })).status)
      return answers
    }
    const [one, two] = [await small.register(), await small.register()]
    premium.add(two.userId)
    expect(await statuses(one.token, 4)).toEqual([200, 200, 200, 429])
    expect(await statuses(two.token, 6)).toEqual([200, 200, 200, 200, 200, 429])
    const refused = await small.call('GET', '/users/me', { token: one.token })
    expect(refused.body).toMatchObject({ error: 'Too many requests' })
    expect(refused.body.details.retry_after).toBeGreaterThan(0)
    // A body that is not read: the refusal is the same, and counts once.
    const patched = await small.call('PATCH', '/users/me', { token: one.token, body: '{{{' })
    expect(patched).toMatchObject({ status: 429, body: { error: 'Too many requests' } })
  })

  it('limits the requests of an address without a token, the /64 of an IPv6 address being one', async () => {
    const limits = { isOn: true, anonymous: 2 }
    const small = startApp(database, { passwords, guard: { limits } })
    const once = (address: string) =>
      small.call('POST', '/auth/refresh', { body: { refresh_token: 'x' }, address }).then(({ status }) => status)
    expect([await once('10.9.9.9'), await once('10.9.9.9'), await once('10.9.9.9')]).toEqual([401, 401, 429])
    expect([await once('2001:db8::1'), await once('2001:db8::2'), await once('2001:db8::3')]).toEqual([401, 401, 429])
    expect(await once('10.9.9.8')).toBe(401)
  })

  it('counts nothing with RATE_LIMITS=off', async () => {
    const limits = { isOn: false, anonymous: 1 }
    const open = startApp(database, { passwords, guard: { limits, apiLimitOf: () => 1 } })
    const { token } = await open.register()
    for (let i = 0; i < 3; i++) expect((await open.call('GET', '/users/me', { token })).status).toBe(200)
  })

  it('knows the address of a real connection', async () => {
    const listening = startApp(database, { passwords }).app.listen({ port: 0, hostname: '127.0.0.1' })
    const user = await server.register()
    const body = JSON.stringify({ phone_or_email: user.phone, password: 'SecurePass123!' })
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' }
    const url = `http://127.0.0.1:${listening.server?.port}/api/v1/auth/login`
    expect((await fetch(url, { method: 'POST', body, headers })).status).toBe(200)
    await listening.stop(true)
    const [entry] = await database.sql`
      select host(ip_address) as ip from audit_logs where user_id = ${user.userId} and action = 'login'`
    expect(entry?.ip).toBe('127.0.0.1')
  })

  it('notes when a user was last here', async () => {
    const user = await server.register()
    await server.call('GET', '/users/me', { token: user.token })
    await server.lastSeen.flush()
    const me = await server.call('GET', '/users/me', { token: user.token })
    expect(Date.now() - Date.parse(me.body.last_seen)).toBeLessThan(60_000)
  })
})
