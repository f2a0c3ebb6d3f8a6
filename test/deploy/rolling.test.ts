/**
 * A new version under load: two instances of the binary behind the shipped Caddy, each drained and replaced while people
 * write. No request fails, and nothing that was acknowledged is missing or there twice.
 */
import { afterAll, beforeAll, expect, it } from 'bun:test'
import { built } from '../binary/built.ts'
import { follow, makeDataDir, type Running } from '../commands/process.ts'
import { TestSocket, type TestUser } from '../support/client.ts'
import { createDatabase } from '../support/postgres.ts'
import { freePort, startRedis, type TestRedis } from '../support/redis.ts'
import { startServer, TEST_SECRET, type TestServer } from '../support/server.ts'
import { type ShippedCaddy, startShippedCaddy } from './shipped-caddy.ts'

const PAIRS = 12
const ports = [freePort(), freePort()]
/** On a busy machine. */
const PATIENCE_MS = 30_000

let binary: string
let redis: TestRedis
let caddy: ShippedCaddy
let dataDir: Awaited<ReturnType<typeof makeDataDir>>
let database: string
/** Makes accounts, and looks into the database. */
let office: TestServer
const instances: Running[] = []

beforeAll(async () => {
  binary = await built()
  redis = await startRedis()
  dataDir = await makeDataDir()
  database = await createDatabase()
  office = await startServer({ DATABASE_URL: database, TRUSTED_PROXIES: '127.0.0.1' }, { instances: 1, redis })
  for (const port of ports) instances.push(await startInstance(port))
  caddy = await startShippedCaddy(
    ports.map((port) => `127.0.0.1:${port}`),
    { isPlain: true },
  )
}, 120_000)
afterAll(async () => {
  await caddy.stop()
  for (const { process } of instances) process.kill('SIGKILL')
  await office.stop()
  await redis.stop()
  await dataDir.remove()
}, 30_000)

async function startInstance(port: number): Promise<Running> {
  const settings = { PORT: `${port}`, HOST: '127.0.0.1', DATA_DIR: dataDir.path, DATABASE_URL: database }
  const shared = { REDIS_URL: redis.url, JWT_SECRET: TEST_SECRET, TRUSTED_PROXIES: '127.0.0.1,::1' }
  const child = Bun.spawn([binary], {
    env: { ...settings, ...shared, RATE_LIMITS: 'off', DRAIN_SECONDS: '5' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const instance = follow(child)
  await instance.ready
  return instance
}

it('loses no request and no message', async () => {
  let isOver = false
  const sent = new Map<string, Set<string>>()
  const statuses = new Map<number, number>()
  const closeCodes = new Set<number>()
  const count = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1)
  const note = (chatId: string, clientId: string) => {
    const known = sent.get(chatId) ?? new Set()
    sent.set(chatId, known.add(clientId))
  }

  async function writeByRest(user: TestUser, chatId: string): Promise<void> {
    for (let i = 0; !isOver; i++) {
      const clientId = `rest-${user.id}-${i}`
      const answer = await user.post('/messages', { chat_id: chatId, content: `by REST ${i}`, client_id: clientId })
      count(answer.status)
      if (answer.status === 201) note(chatId, clientId)
      // Connections between Caddy and an instance come to rest, and are used again.
      await Bun.sleep(Math.random() * 20)
      count((await user.get(`/chats/${chatId}/messages?limit=5`)).status)
    }
  }
  async function writeBySocket(user: TestUser, chatId: string): Promise<void> {
    let socket = await connect(user)
    for (let i = 0; !isOver; i++) {
      const clientId = `socket-${user.id}-${i}`
      const frame = { type: 'message', chat_id: chatId, content: `by socket ${i}`, client_id: clientId }
      // What was not acknowledged before the socket closed is sent again, as a client does.
      while (!(await acknowledges(socket, frame))) {
        closeCodes.add((await socket.closed).code)
        socket = await connect(user)
      }
      note(chatId, clientId)
      await Bun.sleep(10)
    }
    await socket.close()
  }

  const writers = await Promise.all(
    Array.from({ length: PAIRS }, async () => {
      const users = [await office.addUser(), await office.addUser()].map((user) => user.at(caddy.url))
      const [ann, ben] = users as [TestUser, TestUser]
      const chatId = await office.addDm(ann, ben)
      return [writeByRest(ann, chatId), writeBySocket(ben, chatId)]
    }),
  )
  for (const [at, port] of ports.entries()) {
    await Bun.sleep(1000)
    const old = instances[at] as Running
    old.process.kill('SIGTERM')
    expect((await old.finished).code).toBe(0)
    const next = await startInstance(port)
    instances[at] = next
    // Caddy has found it, and sends it its share.
    const share = () => next.lines.filter((line) => line.includes('/messages')).length
    for (let waited = 0; share() < 50 && waited < PATIENCE_MS; waited += 50) await Bun.sleep(50)
    expect(share()).toBeGreaterThanOrEqual(50)
  }
  isOver = true
  await Promise.all(writers.flat())

  expect([...statuses.keys()].sort()).toEqual([200, 201])
  expect(statuses.get(201)).toBeGreaterThan(100)
  expect([...closeCodes]).toEqual([1001])
  for (const [chatId, clientIds] of sent) {
    const rows = await office.database.sql<{ client_id: string; seq: number }[]>`
      select client_id, seq::int from messages where chat_id = ${chatId} order by seq`
    expect(rows.map(({ client_id }) => client_id).sort()).toEqual([...clientIds].sort())
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, i) => i + 1))
  }
}, 120_000)

async function connect(user: TestUser): Promise<TestSocket> {
  const socket = new TestSocket(`${user.serverUrl.replace('http', 'ws')}/ws?token=${user.token}`)
  await socket.next('user_chats', () => true, PATIENCE_MS)
  return socket
}

async function acknowledges(socket: TestSocket, frame: Record<string, unknown>): Promise<boolean> {
  const ref = String(frame.client_id)
  if (socket.ws.readyState === WebSocket.OPEN) socket.send({ ...frame, ref })
  const isGone = socket.closed.then(() => undefined)
  const answer = await Promise.race([socket.find((one) => one.ref === ref, PATIENCE_MS).catch(() => undefined), isGone])
  return answer?.type === 'ack'
}
