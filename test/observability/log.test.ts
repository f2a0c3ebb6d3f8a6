import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { createLog, type LogFields, type LogLevel, quote, redactText } from '../../src/observability/log.ts'
import { handshake, rawRequest } from '../http/raw.ts'
import { request, TestSocket } from '../support/client.ts'
import { PASSWORD, startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x'

/** What the log writes for one call. */
function write(message: string, fields?: LogFields, level: LogLevel = 'debug'): Record<string, unknown> {
  const lines: string[] = []
  createLog(level, (line) => lines.push(line)).info(message, fields)
  expect(lines).toHaveLength(1)
  expect(lines[0]).not.toContain('\n')
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>
}

describe('a line', () => {
  it('is one JSON object with the time, the level and the message', () => {
    const line = write('hello\nworld', { a: 1, b: 'x\ny', c: [1, { d: null }], e: 10n, f: undefined })
    expect(line).toMatchObject({ level: 'info', message: 'hello\nworld', a: 1, b: 'x\ny', c: [1, { d: null }], e: 10 })
    expect(new Date(String(line.time)).toISOString()).toBe(String(line.time))
  })

  it('tells its own time', async () => {
    const before = Date.now()
    const first = Date.parse(String(write('x').time))
    await Bun.sleep(5)
    const second = Date.parse(String(write('x').time))
    expect(first).toBeGreaterThanOrEqual(before)
    expect(second).toBeGreaterThan(first)
  })

  it('is left out below the level', () => {
    const lines: string[] = []
    const log = createLog('warn', (line) => lines.push(line))
    log.debug('1')
    log.info('2')
    log.warn('3')
    log.error('4')
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['3', '4'])
  })

  it('that is prepared is the same as any other', () => {
    const lines: string[] = []
    const log = createLog('info', (line, level) => lines.push(`${level} ${line}`))
    const path = `/api/v1/invites/q3J8wq1pQ0m2tXo9Zb7L-_/join"\n${JWT}`
    log.prepare('info', 'token=1 & "request"')(`"path":${quote(path)},"status":200,"ms":0.1`)
    log.info('token=1 & "request"', { path, status: 200, ms: 0.1 })
    log.prepare('debug', 'request')('"status":200')
    const [prepared, other, ...rest] = lines.map((line) => line.replace(/"time":"[^"]+"/, ''))
    expect(prepared).toBe(other ?? '')
    expect(prepared).not.toContain('eyJ')
    expect(rest).toEqual([])
    expect(JSON.parse((lines[0] ?? '').slice('info '.length))).toMatchObject({ status: 200, ms: 0.1 })
  })
})

describe('a secret', () => {
  it.each([
    [`/ws?token=${JWT}`, '/ws?token=[redacted]'],
    ['/ws?a=1&token=abc&b=2', '/ws?a=1&token=[redacted]&b=2'],
    ['/media/x.webp?u=1&t=2&s=3', '/media/x.webp?u=[redacted]&t=[redacted]&s=[redacted]'],
    [`Authorization: Bearer ${JWT}`, 'Authorization: Bearer [redacted]'],
    ['bearer abc.def-ghi', 'bearer [redacted]'],
    ['/api/v1/invites/q3J8wq1pQ0m2tXo9Zb7L-_/join', '/api/v1/invites/[redacted]/join'],
    ['/api/v1/chats/1/invites/q3J8wq1pQ0m2tXo9Zb7L-_', '/api/v1/chats/1/invites/[redacted]'],
    [`Sec-WebSocket-Protocol: bearer, ${JWT}`, 'Sec-WebSocket-Protocol: bearer, [redacted]'],
    [`the token ${JWT} is old`, 'the token [redacted] is old'],
    ['/chats?limit=5&users=3', '/chats?limit=5&users=3'],
  ])('is taken from text: %s', (text, clean) => {
    expect(redactText(text)).toBe(clean)
    expect(write(text).message).toBe(clean)
    expect(write('x', { path: text }).path).toBe(clean)
    expect(write('x', { deep: { list: [text] } }).deep).toEqual({ list: [clean] })
  })

  it('is taken from fields by their names', () => {
    const secrets = {
      password: 'p',
      old_password: 'p',
      password_hash: 'p',
      token: 'p',
      refresh_token: 'p',
      token_hash: 'p',
      secret: 'p',
      authorization: 'p',
      Authorization: 'p',
      cookie: 'p',
      signature: 'p',
    }
    for (const line of [write('x', secrets), write('x', { headers: secrets }).headers as LogFields]) {
      for (const name of Object.keys(secrets)) expect(line[name]).toBe('[redacted]')
    }
  })

  it('is taken from a line whose other fields hold none', () => {
    const line = write('x', { path: '/ws?token=abc', client_secret: 'p', status: 200, name: 'y "=\\' })
    expect(line).toMatchObject({
      path: '/ws?token=[redacted]',
      client_secret: '[redacted]',
      status: 200,
      name: 'y "=\\',
    })
  })

  it('is taken from errors, and from what caused them', () => {
    const cause = new Error(`refused Bearer ${JWT}`)
    const { error } = write('x', { error: new Error(`at /ws?token=${JWT}`, { cause }) }) as { error: LogFields }
    expect(error.message).toBe('at /ws?token=[redacted]')
    expect(JSON.stringify(error)).not.toContain('eyJ')
    expect(error.cause).toMatchObject({ name: 'Error', message: 'refused Bearer [redacted]' })
    expect(String(error.stack)).toContain('log.test.ts')
  })

  it('is taken from failed queries: their parameters are what people write', () => {
    const failed = Object.assign(new Error('Failed query: insert\nparams: my diary'), {
      query: 'insert into messages values ($1)',
      params: ['my diary'],
    })
    const line = JSON.stringify(write('x', { error: failed }))
    expect(line).toContain('insert into messages values ($1)')
    expect(line).not.toContain('diary')
  })
})

describe('the log of a server', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ PASSWORD_HASH: 'argon2id' })
  })
  afterAll(() => server.stop())

  it.each(['', 'a b', 'user@host', '[::1', 'host/elsewhere'])(
    'has a line for each request, by the host %j too',
    async (host) => {
      const path = `/nowhere-${Bun.randomUUIDv7()}`
      expect((await rawRequest(server.url, { path: `${path}?token=x#y`, headers: { host } })).status).toBe(404)
      await until(() =>
        server.logs.some((line) => line.message === 'request' && line.path === path && line.status === 404),
      )
    },
  )

  it.each(['G"E,T', 'A","b":"', '\\"'])('has no line, and no field, that the method %j makes up', async (method) => {
    const path = `/nowhere-${Bun.randomUUIDv7()}`
    expect((await rawRequest(server.url, { method, path })).status).toBe(400)
    expect((await rawRequest(server.url, { method: 'PROPFIND', path: `${path}-2` })).status).toBe(404)
    await until(() => server.logs.some((line) => line.path === `${path}-2` && line.method === 'PROPFIND'))
    expect(JSON.stringify(server.logs)).not.toContain(`${path}"`)
  })

  it('holds no token, no password and no text, whatever happens', async () => {
    const user = await server.addUser()
    const chatId = await server.addGroup(user)
    const content = 'a very private message'
    const socket = await user.socket()
    await socket.ask({ type: 'message', chat_id: chatId, content })
    await socket.ask({ type: 'auth', token: user.token })
    await new Promise((done) => {
      const other = new TestSocket(`${server.url.replace('http', 'ws')}/ws`, { protocols: ['bearer', user.token] })
      other.next('user_chats').then(() => other.close().then(done))
    })
    await handshake(server.url, `/ws?token=${user.token}x`)
    await request(`${server.url}/api/v1/users/me?token=${user.token}`, 'GET', user.token)
    await request(`${server.url}/nope/${user.token}?token=${user.token}`, 'GET', user.token)
    await user.post('/messages', { chat_id: chatId, content })
    const login = { phone_or_email: '+10000000000', password: PASSWORD }
    await request(`${server.url}/api/v1/auth/login`, 'POST', undefined, login)
    await request(`${server.url}/api/v1/auth/refresh`, 'POST', undefined, { refresh_token: user.refreshToken })

    // Now no message can be stored: the failing statements carry the text.
    await server.database.sql`alter table messages rename column content to elsewhere`
    const failed = await user.post('/messages', { chat_id: chatId, content })
    expect(failed).toMatchObject({ status: 500, body: { error: 'Internal error' } })
    expect(failed.body.details.request_id).toBe(failed.headers.get('x-request-id'))
    expect(JSON.stringify(failed.body)).not.toContain('elsewhere')
    const answer = await socket.ask({ type: 'message', chat_id: chatId, content })
    expect(answer).toMatchObject({ type: 'error', error: 'Internal error' })
    await user.patch('/users/me', { bio: content })
    await server.database.sql`alter table users rename column bio to elsewhere`
    expect((await user.patch('/users/me', { bio: content })).status).toBe(500)
    await server.database.sql`alter table users rename column elsewhere to bio`
    await server.database.sql`alter table messages rename column elsewhere to content`
    await socket.close()

    const lines = server.logs.map((line) => JSON.stringify(line))
    // Indexing what was stored before may have met the renamed column too.
    const faults = server.logs.filter(
      ({ level, message }) => level === 'error' && !String(message).startsWith('A chat could not be indexed'),
    )
    expect(faults).toHaveLength(3)
    expect(server.logs.filter(({ message }) => message === 'request').length).toBeGreaterThan(8)
    for (const secret of [user.token, user.refreshToken, PASSWORD, content, 'eyJ']) {
      expect(lines.filter((line) => line.includes(secret))).toEqual([])
    }
    const ids = faults.map(({ request_id }) => request_id)
    expect(ids).toContain(failed.body.details.request_id)
    expect(ids).toContain(answer.details.request_id)
  })
})
