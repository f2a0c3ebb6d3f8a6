import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { networkInterfaces } from 'node:os'
import { request } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { rawRequest } from './raw.ts'

const TOKEN = 'a-token-for-the-metrics'

/** An address of this machine that is not the loopback's, as Prometheus on another one would use. */
const outside = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

describe('without METRICS_TOKEN', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ HOST: '0.0.0.0', TRUSTED_PROXIES: '127.0.0.1' }, { instances: 1 })
  })
  afterAll(() => server.stop())

  it('answers a program on this machine', async () => {
    const answer = await request(`${server.url}/metrics`, 'GET')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toContain('\nmessenger_sockets 0\n')
  })

  it.each([
    { 'x-forwarded-for': '127.0.0.1' },
    { 'x-forwarded-for': '' },
    { forwarded: 'for=127.0.0.1' },
    { 'x-real-ip': '127.0.0.1' },
    { 'x-forwarded-proto': 'https' },
    { 'x-forwarded-host': 'localhost' },
    { via: '1.1 Caddy' },
  ])('is not there for whoever comes by a proxy: %j', async (given) => {
    const headers: Record<string, string> = Object.fromEntries(Object.entries(given))
    const answer = await request(`${server.url}/metrics`, 'GET', undefined, undefined, headers)
    expect(answer).toMatchObject({ status: 404, body: { error: 'No such endpoint', details: {} } })
  })

  it.each(['evil.example', 'evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example'])(
    'is not there for a page whose name was made to lead here: %s',
    async (host) => {
      expect((await rawRequest(server.url, { path: '/metrics', headers: { host } })).status).toBe(404)
    },
  )

  it('is there by every name of this machine itself', async () => {
    for (const host of ['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080'])
      expect((await rawRequest(server.url, { path: '/metrics', headers: { host } })).status).toBe(200)
  })

  it('is not there for another machine, whatever it says', async () => {
    if (outside === undefined) throw new Error('This test needs a network interface')
    const url = `${server.url.replace('127.0.0.1', outside)}/metrics`
    expect((await request(url, 'GET')).status).toBe(404)
    expect((await request(url, 'GET', TOKEN)).status).toBe(404)
    expect((await request(url, 'GET', undefined, undefined, { host: 'localhost' })).status).toBe(404)
  })
})

describe('with METRICS_TOKEN', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ HOST: '0.0.0.0', METRICS_TOKEN: TOKEN }, { instances: 1 })
  })
  afterAll(() => server.stop())

  it('answers whoever holds it, from anywhere, by a proxy too', async () => {
    const url = `${server.url.replace('127.0.0.1', outside ?? '127.0.0.1')}/metrics`
    const answer = await request(url, 'GET', TOKEN, undefined, { 'x-forwarded-for': '203.0.113.5' })
    expect(answer.status).toBe(200)
  })

  it('answers nobody else, not on this machine either', async () => {
    const user = await server.addUser()
    for (const token of [undefined, 'wrong', `${TOKEN}x`, user.token]) {
      expect((await request(`${server.url}/metrics`, 'GET', token)).status).toBe(401)
    }
  })
})

describe('what it tells', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer(
      { RATE_LIMITS: 'on', RATE_LIMIT_MESSAGES: '3', RATE_LIMIT_FRAMES: '2' },
      { instances: 1 },
    )
  })
  afterAll(() => server.stop())

  const read = async () => String((await request(`${server.url}/metrics`, 'GET')).body)
  /** The value of a series, 0 where there is none. */
  const numberOf = (text: string, series: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length + 1) ?? 0,
    )

  it('counts requests by route, method and status, never by path', async () => {
    const user = await server.addUser()
    await user.get(`/users/${user.id}`)
    await user.get(`/users/${Bun.randomUUIDv7()}`)
    await user.get('/nowhere/secret-path')
    await request(`${server.url}/elsewhere-secret`, 'PURGE')
    await Bun.sleep(50)
    const text = await read()
    const requests = (labels: string) => numberOf(text, `messenger_http_requests_total{${labels}}`)
    expect(requests('method="GET",route="/api/v1/users/:user_id",status="200"')).toBe(1)
    expect(requests('method="GET",route="/api/v1/users/:user_id",status="404"')).toBe(1)
    expect(requests('method="GET",route="none",status="404"')).toBe(1)
    expect(text).toContain('messenger_http_request_seconds_count{method="GET",route="/api/v1/users/:user_id"} 2\n')
    expect(text).not.toContain('secret')
    expect(text).not.toContain(user.id)
    expect(text).not.toContain('PURGE')
  })

  it('counts messages, frames, sockets and what the limits refused', async () => {
    const [user, peer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(user, peer)
    const socket = await user.socket()
    const before = await read()
    for (let n = 0; n < 5; n++) await socket.ask({ type: 'message', chat_id: chatId, content: `${n}` })
    for (let n = 0; n < 3; n++) await socket.ask({ type: 'ping' })
    socket.send('nonsense')
    await socket.next('error')
    await socket.next('new_message')
    const after = await read()
    const grown = (series: string) => numberOf(after, series) - numberOf(before, series)
    expect(grown('messenger_messages_stored_total')).toBe(3)
    expect(grown('messenger_message_delivery_seconds_count')).toBe(3)
    expect(grown('messenger_message_batch_size_count')).toBe(3)
    expect(grown('messenger_events_total')).toBeGreaterThanOrEqual(3)
    expect(grown('messenger_socket_frames_total{type="message"}')).toBe(5)
    expect(grown('messenger_socket_frames_total{type="ping"}')).toBe(3)
    expect(grown('messenger_socket_frames_total{type="faulty"}')).toBe(1)
    expect(grown('messenger_rate_limited_total{limit="send"}')).toBe(2)
    expect(grown('messenger_rate_limited_total{limit="frames"}')).toBe(1)
    expect(grown('messenger_db_query_seconds_count{pool="writer"}')).toBe(3)
    expect(numberOf(after, 'messenger_sockets')).toBe(1)
    socket.ws.close(4999)
    await socket.closed
    await Bun.sleep(50)
    const closed = await read()
    expect(numberOf(closed, 'messenger_sockets')).toBe(0)
    expect(numberOf(closed, 'messenger_socket_closes_total{code="other"}')).toBe(1)
    expect(closed).not.toContain('code="4999"')
  })

  it('tells of the database as it is', async () => {
    const text = await read()
    expect(numberOf(text, 'messenger_postgres_connections')).toBeGreaterThan(2)
    expect(numberOf(text, 'messenger_postgres_max_connections')).toBeGreaterThan(10)
    expect(numberOf(text, 'messenger_postgres_database_bytes')).toBeGreaterThan(1e6)
    expect(numberOf(text, 'messenger_db_pool_waiting{pool="main"}')).toBe(0)
    const connections = ['idle', 'busy', 'connecting'].map((state) =>
      numberOf(text, `messenger_db_pool_connections{pool="writer",state="${state}"}`),
    )
    expect(connections.reduce((sum, count) => sum + count)).toBe(1)
  })

  it('has no Redis where there is none', async () => {
    expect(await read()).not.toContain('redis')
  })
})

describe('with Redis', () => {
  it('tells how it is and how long a message takes through it', async () => {
    const server = await startServer({}, { instances: 2 })
    try {
      const read = async () => String((await request(`${server.instanceUrls[0]}/metrics`, 'GET')).body)
      expect(await read()).toContain('\nmessenger_redis_up 1\n')
      expect(await read()).toMatch(/^messenger_redis_memory_bytes [1-9]\d{4,}$/m)
      const until = Date.now() + 15_000
      while (!/^messenger_bus_round_trip_seconds_count [1-9]/m.test(await read())) {
        if (Date.now() > until) throw new Error('No beat came back')
        await Bun.sleep(200)
      }
    } finally {
      await server.stop()
    }
  })
})
