/** The shipped Caddyfile: HTTPS, HTTP/2, what is logged and what is not, what is closed, and who the caller is. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { TestSocket } from '../support/client.ts'
import { freePort } from '../support/redis.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { CADDYFILE, type ShippedCaddy, startShippedCaddy } from './shipped-caddy.ts'

describe('the shipped Caddyfile', () => {
  let server: TestServer
  let caddy: ShippedCaddy
  beforeAll(async () => {
    server = await startServer({ TRUSTED_PROXIES: '127.0.0.1,::1' }, { instances: 1 })
    caddy = await startShippedCaddy([new URL(server.url).host])
  }, 40_000)
  afterAll(async () => {
    await caddy.stop()
    await server.stop()
  })
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${caddy.url}${path}`, { ...init, tls: { rejectUnauthorized: false } } as RequestInit)

  it('is valid, and laid out as Caddy does it', () => {
    const validated = Bun.spawnSync(['caddy', 'validate', '--config', CADDYFILE, '--adapter', 'caddyfile'], {
      stderr: 'pipe',
    })
    expect(validated.exitCode).toBe(0)
    expect(validated.stderr.toString()).not.toContain('"level":"warn"')
    expect(Bun.spawnSync(['caddy', 'fmt', CADDYFILE]).exitCode).toBe(0)
  })

  it('serves by HTTPS and HTTP/2, and sends others there', async () => {
    const session = connect(caddy.url, { rejectUnauthorized: false })
    const status = await new Promise((resolve, reject) => {
      session.on('error', reject)
      session.request({ ':path': '/health' }).on('response', (headers) => resolve(headers[':status']))
    })
    expect({ status, alpn: session.alpnProtocol }).toEqual({ status: 200, alpn: 'h2' })
    session.close()
    const redirected = await fetch(`${caddy.httpUrl}/health`, { redirect: 'manual' })
    expect(redirected.status).toBe(308)
    expect(redirected.headers.get('location')).toStartWith('https://localhost')
  })

  it('sets headers that protect, and leaves the policies that the server set', async () => {
    const { headers } = await ask('/swagger')
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('server')).toBeNull()
  })

  it('compresses text', async () => {
    const { headers } = await ask('/swagger/swagger-ui-bundle.js', { headers: { 'accept-encoding': 'gzip' } })
    expect(headers.get('content-encoding')).toBe('gzip')
  })

  it.each(['/metrics', '/metrics/', '/%6detrics', '//metrics', '/./metrics', '/METRICS'])(
    'keeps %s from the server',
    async (path) => {
      const answer = await ask(path)
      expect(answer.status).toBe(404)
      // The server's own 404 has a request id and says something.
      expect(answer.headers.get('x-request-id')).toBeNull()
      expect(await answer.text()).toBe('')
    },
  )

  it('serves files of the operator', async () => {
    await writeFile(join(caddy.staticRoot, 'static/hello.txt'), 'hello')
    expect(await (await ask('/static/hello.txt')).text()).toBe('hello')
  })

  it('passes WebSockets on, and tells the server who the caller is', async () => {
    const [ann, ben] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(ann, ben)
    const socket = new TestSocket(`${caddy.url.replace('https', 'wss')}/ws?token=${ann.token}`, {
      tls: { rejectUnauthorized: false },
    } as object)
    await socket.next('user_chats')
    expect((await socket.ask({ type: 'message', chat_id: chatId, content: 'by Caddy' })).type).toBe('ack')
    await socket.close()
    // Who claims another address is not believed.
    const claimed = '203.0.113.9'
    const body = JSON.stringify({ phone: '+15550001234', username: 'claimant', password: 'Password123' })
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': claimed }
    const { token } = (await (await ask('/api/v1/auth/register', { method: 'POST', headers, body })).json()) as {
      token: string
    }
    const audit = await ask('/api/v1/users/me/audit', { headers: { authorization: `Bearer ${token}` } })
    const text = await audit.text()
    expect(text).toMatch(/"(127\.0\.0\.1|::1)"/)
    expect(text).not.toContain(claimed)
    expect(server.logs.filter(({ message }) => String(message).includes('TRUSTED_PROXIES'))).toEqual([])
  })

  it('lets uploads of 100 MB through', async () => {
    const large = await ask('/api/v1/messages/upload', { method: 'POST', body: new Uint8Array(101 * 1024 * 1024) })
    // It reached the server, which asks for a token.
    expect(large.headers.get('x-request-id')).toBeString()
    expect(large.status).toBeOneOf([401, 404])
  }, 60_000)

  it('keeps tokens, signatures, codes of invites and whom they belong to out of its log', async () => {
    const secrets = [
      'tok-secret-1',
      'sig-secret-2',
      'usr-secret-3',
      'exp-secret-4',
      'bearer-secret-5',
      'ref-secret-6',
      'inv-secret-7',
    ]
    await ask(`/health?token=${secrets[0]}&s=${secrets[1]}&u=${secrets[2]}&t=${secrets[3]}&kept=yes`, {
      headers: { authorization: `Bearer ${secrets[4]}`, referer: `https://x.test/?token=${secrets[5]}` },
    })
    await ask(`/health?%74oken=${secrets[0]}`)
    await ask(`/api/v1/invites/${secrets[6]}?kept=too`)
    await ask(`/api/v1/invites/${secrets[6]}/join`, { method: 'POST' })
    await ask(`/api/v1/chats/${Bun.randomUUIDv7()}/invites/${secrets[6]}`, { method: 'DELETE' })
    const handshake = new TestSocket(`${caddy.url.replace('https', 'wss')}/ws`, {
      protocols: ['bearer', 'bearer-secret-5'],
      tls: { rejectUnauthorized: false },
    } as object)
    await handshake.closed
    const lines = () => caddy.log().split('\n')
    for (let i = 0; i < 100 && !lines().some((line) => line.includes('kept=yes')); i++) await Bun.sleep(20)
    await Bun.sleep(100)
    expect(caddy.log()).toContain('/health?token=-&s=-&u=-&t=-&kept=yes')
    expect(caddy.log()).toContain('/api/v1/invites/-?kept=too')
    expect(caddy.log()).toContain('/api/v1/invites/-/join')
    expect(lines().filter((line) => line.includes('"/ws"')).length).toBeGreaterThan(0)
    for (const secret of secrets) expect(caddy.log()).not.toContain(secret)
  })
})

describe('the shipped Caddyfile without an instance', () => {
  it('answers as the server does, and keeps secrets out of the log of faults', async () => {
    const caddy = await startShippedCaddy([`127.0.0.1:${freePort()}`], { isPlain: true })
    try {
      const answer = await fetch(`${caddy.url}/api/v1/chats?token=tok-secret-1`)
      expect(answer.status).toBe(503)
      expect(answer.headers.get('content-type')).toContain('application/json')
      expect(answer.headers.get('retry-after')).toBe('2')
      expect(await answer.json()).toEqual({ error: 'Service Unavailable' })
      expect(caddy.log()).toContain('"level":"error"')
      expect(caddy.log()).not.toContain('tok-secret-1')
    } finally {
      await caddy.stop()
    }
  })
})
