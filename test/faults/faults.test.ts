/** The server as a process, under load, and what may befall it: nothing acknowledged is lost, nothing is stored twice. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from '../support/client.ts'
import { PATIENCE_MS, until } from '../support/until.ts'
import { type Acknowledged, type Load, listFaults, readHistory, startLoad, type User } from './load.ts'
import { type ServerProcess, startProcess } from './server-process.ts'

let dataDir: string
let server: ServerProcess
let users: User[]
let chats: { id: string; members: User[] }[]
const everything: Acknowledged[] = []
const loads: Load[] = []

const post = async (user: User | undefined, path: string, body: unknown) => {
  const answer = await request(`${server.url}/api/v1${path}`, 'POST', user?.token, body)
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

async function register(name: string, phone: string): Promise<User> {
  const { user_id, token } = await post(undefined, '/auth/register', { phone, username: name, password: 'Password123' })
  return { id: user_id, token }
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'messenger-faults-'))
  server = await startProcess(dataDir)
  users = await Promise.all(['ann', 'ben', 'cem', 'dea'].map((name, n) => register(name, `+4915112345${n}00`)))
  const group = (members: User[]) =>
    post(members[0], '/chats', { name: 'Group', type: 'group', member_ids: members.map(({ id }) => id) })
  const [ann, ben, cem, dea] = users as [User, User, User, User]
  chats = await Promise.all(
    [users, [ann, ben], [cem, dea]].map(async (members) => ({ id: (await group(members)).id, members })),
  )
}, 60_000)

afterEach(async () => {
  for (const load of loads.splice(0)) await Promise.race([load.stop(), Bun.sleep(5000)])
})

afterAll(async () => {
  await server.terminate()
  await rm(dataDir, { recursive: true, force: true })
})

function load(): Load {
  const started = startLoad(server.url, chats)
  loads.push(started)
  return started
}

/** Keys are for ever: each load writes in chats of its own, or it would be answered the messages of another. */
const freshChats = async () => {
  chats = await Promise.all(
    chats.map(async ({ members }) => ({
      id: (await post(members[0], '/chats', { name: 'G', type: 'group', member_ids: members.map(({ id }) => id) })).id,
      members,
    })),
  )
}

/** Compares what is stored in the load's chats, and all that was acknowledged in earlier ones, with what was promised. */
async function check({ acknowledged }: Load): Promise<void> {
  everything.push(...acknowledged)
  const byChat = Map.groupBy(everything, ({ chatId }) => chatId)
  expect(byChat.size).toBeGreaterThanOrEqual(3)
  for (const [chatId, promised] of byChat) {
    const reader = users.find(({ id }) => id === promised[0]?.userId)
    if (!reader) throw new Error('Nobody to read')
    expect(listFaults(await readHistory(server.url, reader, chatId), promised)).toEqual([])
  }
}

const tally = ({ attempts }: Load) =>
  JSON.stringify(Object.fromEntries([...Map.groupBy(attempts, (a) => a.outcome)].map(([k, v]) => [k, v.length])))
const say = (text: string) => void process.stderr.write(`  ${text}\n`)

describe('a server under load', () => {
  it('that is killed with its PostgreSQL, or without it, loses nothing acknowledged and stores nothing twice', async () => {
    const load1 = load()
    for (const whole of [true, false, true]) {
      const count = load1.acknowledged.length
      await until(() => load1.acknowledged.length > count + 300, '300 more messages')
      const before = load1.acknowledged.length
      await (whole ? server.killAll() : server.killServer())
      load1.pause()
      server = await startProcess(dataDir)
      say(`killed after ${before} messages, ready again ${server.readyMs} ms after the start`)
      load1.resume(server.url)
    }
    const count = load1.acknowledged.length
    await until(() => load1.acknowledged.length > count + 300, '300 messages after the last start')
    await load1.stop()
    say(`${load1.acknowledged.length} acknowledged; ${tally(load1)}`)
    expect(load1.attempts.filter(({ outcome }) => outcome === 'connection lost').length).toBeGreaterThan(0)
    await check(load1)
  }, 90_000)

  it('whose PostgreSQL crashes goes on within 5 s: every request is answered, every socket stays open', async () => {
    await freshChats()
    const running = load()
    await until(() => running.openSockets() === 8, 'all sockets open')
    const { pid } = server
    for (let round = 0; round < 3; round++) {
      const count = running.acknowledged.length
      await until(() => running.acknowledged.length > count + 300, '300 more messages')
      const attempts = running.attempts.length
      const crashedAt = performance.now()
      server.crashPostgres()
      const isRefused = () => running.attempts.slice(attempts).some(({ outcome }) => outcome === '503')
      await until(isRefused, 'a refused request')
      const refusedAt = performance.now()
      const again = (a: Acknowledged) => a.at > refusedAt
      await until(() => running.acknowledged.filter(again).length >= 10, 'messages again')
      const recoveredMs = (running.acknowledged.find(again)?.at ?? Number.NaN) - crashedAt
      say(`PostgreSQL crashed, the next message was stored after ${Math.round(recoveredMs)} ms`)
    }
    await running.stop()
    const slowest = Math.max(...running.attempts.map(({ ms }) => ms))
    say(
      `${running.acknowledged.length} acknowledged, the slowest answer took ${Math.round(slowest)} ms; ${tally(running)}`,
    )
    expect(server.pid).toBe(pid)
    expect(running.closed).toEqual([])
    expect(slowest).toBeLessThan(PATIENCE_MS)
    const outcomes = new Set(running.attempts.map(({ outcome }) => outcome))
    expect([...outcomes].sort()).toEqual(['201', '503', 'The database is away; try again', 'ack'])
    await check(running)
  }, 90_000)

  it('that is told to stop closes every socket with 1001, exits with 0 and loses nothing', async () => {
    await freshChats()
    const running = load()
    await until(() => running.openSockets() === 8 && running.acknowledged.length > 300, '300 messages')
    const logged = server.logs.length
    const stopping = server.terminate()
    await until(() => running.closed.length > 0, 'a closed socket')
    running.pause()
    const { code, ms } = await stopping
    say(`stopped within ${ms} ms after ${running.acknowledged.length} messages; ${tally(running)}`)
    expect(code).toBe(0)
    expect(running.closed.map((close) => close.code)).toEqual(Array.from({ length: 8 }, () => 1001))
    expect(server.logs.slice(logged).filter(({ level }) => level === 'error')).toEqual([])
    server = await startProcess(dataDir)
    running.resume(server.url)
    await running.stop()
    await check(running)
  }, 60_000)

  it('that was stopped starts again with everything, and without recovering', async () => {
    const before = await Promise.all(chats.map(({ id, members }) => readHistory(server.url, members[0] as User, id)))
    expect(before.flat().length).toBeGreaterThan(300)
    expect((await server.terminate()).code).toBe(0)
    server = await startProcess(dataDir)
    say(`ready ${server.readyMs} ms after the start`)
    const after = await Promise.all(chats.map(({ id, members }) => readHistory(server.url, members[0] as User, id)))
    expect(after).toEqual(before)
    const words = server.logs.map(({ message }) => String(message)).join('\n')
    expect(words).not.toMatch(/not properly shut down|interrupted|recover/)
    expect(words).toContain('messenger is ready')
  })
})
