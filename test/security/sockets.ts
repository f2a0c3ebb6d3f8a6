/** WebSockets of those who mean no conversation: garbage, silence, foreign pages; and how soon one that is revoked is shut. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ProbedServer, startProbed } from '../faults/probed.ts'
import { handshake } from '../http/raw.ts'
import { request, TestUser } from '../support/client.ts'
import { startRedis } from '../support/redis.ts'
import { allOf, isWithin, noneOf, type Outcome, percentile, type Scenario } from '../support/scenario.ts'
import { startServer } from '../support/server.ts'
import { frame, openBytes } from './raw-socket.ts'

async function withProcess<T>(act: (server: ProbedServer) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'messenger-security-'))
  const server = await startProbed(dataDir)
  try {
    return await act(server)
  } finally {
    await server.terminate()
    await rm(dataDir, { recursive: true, force: true })
  }
}

let phones = 1_000_000

async function register(url: string): Promise<TestUser> {
  const n = ++phones
  const body = { phone: `+1777${n}`, username: `user${n}`, password: 'Password123' }
  const answer = await request(`${url}/api/v1/auth/register`, 'POST', undefined, body)
  return new TestUser(url, answer.body.user_id, '', answer.body.token, answer.body.refresh_token)
}

const random = (count: number) => crypto.getRandomValues(new Uint8Array(count))
const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T

/** What a socket may be sent; the chat is one that the sender is in. */
const garbage: ((chatId: string) => Buffer)[] = [
  () => frame(random(1 + Math.floor(Math.random() * 200))),
  () => frame(Buffer.from([0xc3, 0x28, 0xa0, 0xff, 0xfe])),
  () => frame(random(300), { opcode: 2 }),
  () => frame('['.repeat(30_000)),
  () => frame(`${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}`),
  () => frame(''),
  () => frame('null'),
  () => frame('{"type":"message"}'),
  () => frame('{"type":"__proto__","constructor":{"prototype":{"x":1}}}'),
  () => frame('{"type":"typing","chat_id":"0190f6a2-7c1e-7000-8000-000000000001","__proto__":{"isAdmin":true}}'),
  (chatId) => frame(JSON.stringify({ type: 'message', chat_id: chatId, content: 'x'.repeat(60_000) })),
  (chatId) => frame(JSON.stringify({ type: 'message', chat_id: chatId, content: 5, ref: { a: 1 } })),
  (chatId) => frame(JSON.stringify({ type: 'read', chat_id: chatId, seq: 1e308, ref: 'x'.repeat(65) })),
  (chatId) => frame(JSON.stringify({ type: 'join_chat', chat_id: [chatId] })),
  () => frame('{"type":"auth","token":"eyJhbGciOiJub25lIn0.e30."}'),
  () => frame('{"type":"message","type":"ping"'),
  () => frame('x'.repeat(100_000)),
  () => frame('ping', { opcode: 9 }),
  () => frame('pong', { opcode: 10 }),
  // A message in fragments of one byte.
  () =>
    Buffer.concat(
      [...'{"type":"ping"}'].map((one, n, all) =>
        frame(one, { opcode: n === 0 ? 1 : 0, isFinal: n === all.length - 1 }),
      ),
    ),
]
/** What ends a connection by the standard. */
const violations: (() => Buffer)[] = [
  () => frame('{"type":"ping"}', { reserved: 7 }),
  () => frame('{"type":"ping"}', { isMasked: false }),
  () => frame('x', { opcode: 3 }),
  () => frame('x', { opcode: 0 }),
  () => frame('x'.repeat(126), { opcode: 9 }),
  () => frame('x', { saidLength: 2 ** 40 }),
  () => frame('x'.repeat(2 ** 20 + 1)),
  () => frame(Buffer.from([0x03]), { opcode: 8 }),
]

const DRIFT_MB = 20

export const wsFuzz: Scenario = {
  name: 'ws-fuzz',
  bar: `0 crashes, memory at rest at most ${DRIFT_MB} MB more, a healthy client unharmed`,
  withinSeconds: 90,
  run: (size) =>
    withProcess(async (server): Promise<Outcome> => {
      const [healthy, attacker] = [await register(server.url), await register(server.url)]
      const chatId = String((await healthy.get(`/chats/dm/${attacker.id}`)).body.id)
      const socket = await healthy.socket()
      const count = size === 'long' ? 100_000 : 8000
      let sent = 0
      const attack = async (upTo: number) => {
        while (sent < upTo) {
          const bytes = await openBytes(server.url, `/ws?token=${attacker.token}`)
          const batch = 10 + Math.floor(Math.random() * 40)
          for (let n = 0; n < batch && !bytes.isClosed() && sent < upTo; n++) {
            sent++
            if (!(await bytes.write(pick(garbage)(chatId)))) break
          }
          if (Math.random() < 0.3) await bytes.write(pick(violations)())
          bytes.destroy()
        }
      }
      // Warm: what the first of each kind takes stays.
      await Promise.all([attack(count / 4), attack(count / 4)])
      await Bun.sleep(1000)
      const before = await server.inUse()
      let isOver = false
      const talk = (async () => {
        const lost: string[] = []
        for (let n = 0; !isOver; n++) {
          const answer = await socket.ask({ type: 'message', chat_id: chatId, content: `still here ${n}` })
          if (answer.type !== 'ack') lost.push(`the healthy client was told ${JSON.stringify(answer)}`)
          await Bun.sleep(50)
        }
        return lost
      })()
      await Promise.all(Array.from({ length: 4 }, () => attack(count)))
      isOver = true
      const faults = await talk
      await Bun.sleep(2000)
      const drift = (await server.inUse()).residentMb - before.residentMb
      const errors = server.logs
        .filter(({ level }) => level === 'error')
        .map(({ message, error }) => `${message}: ${JSON.stringify(error)}`)
      const ready = await fetch(`${server.url}/health/ready`)
      await socket.close()
      const all = [...faults, ...new Set(errors), ...(ready.ok ? [] : [`/health/ready answers ${ready.status}`])]
      return {
        figure: `${sent} frames, ${errors.length} errors, memory ${drift >= 0 ? '+' : ''}${drift.toFixed(1)} MB`,
        isHeld: all.length === 0 && drift <= DRIFT_MB,
        faults: all.slice(0, 10),
      }
    }),
}

export const wsPreauth: Scenario = {
  name: 'ws-preauth',
  bar: 'silent sockets are closed within 5 s; 0 of a foreign page accepted',
  withinSeconds: 90,
  async run(size) {
    const server = await startServer({ CORS_ORIGINS: 'https://chat.example.org' })
    const user = await server.addUser()
    const count = size === 'long' ? 1000 : 200
    const lives = await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = await openBytes(server.url, '/ws')
        const openedAt = performance.now()
        await Promise.race([socket.closed, Bun.sleep(60_000)])
        socket.destroy()
        return performance.now() - openedAt
      }),
    )
    const late = lives.filter((ms) => !isWithin(ms, 5000, size))
    const origins = [
      'https://evil.example',
      'null',
      'https://chat.example.org.evil.example',
      'http://chat.example.org',
      'https://chat.example.org:444',
    ]
    const accepted: string[] = []
    for (const origin of origins) {
      for (const path of [`/ws?token=${user.token}`, '/ws', `/api/v1/ws?token=${user.token}`]) {
        const { status } = await handshake(server.url, path, { origin })
        if (status !== 403) accepted.push(`${origin} got ${status}`)
      }
    }
    const own = await handshake(server.url, `/ws?token=${user.token}`, { origin: 'https://chat.example.org' })
    if (own.status !== 101) accepted.push(`the allowed origin got ${own.status}`)
    await server.stop()
    return allOf([
      {
        figure: `${count} silent sockets closed within ${(Math.max(...lives) / 1000).toFixed(1)} s`,
        isHeld: late.length === 0,
        faults: late.length > 0 ? [`${late.length} lived longer`] : [],
      },
      noneOf(accepted, origins.length * 3, 'handshakes of foreign pages accepted'),
    ])
  },
}

/** From the answer to a revocation to the closing of the socket, each round a new session on one instance or the other. */
async function timeRevocations(rounds: number, afterSetUp?: (stopRedis: () => Promise<void>) => Promise<void>) {
  const redis = await startRedis()
  const server = await startServer({}, { instances: 2, redis })
  const user = await server.addUser()
  const [here = '', there = ''] = server.instanceUrls
  const sockets = await Promise.all(
    Array.from({ length: rounds }, async () => {
      const session = await server.addSession(user.id)
      return { session, near: await session.at(here).socket(), far: await session.at(there).socket() }
    }),
  )
  await afterSetUp?.(redis.kill)
  const chat = await server.addGroup(user.at(here))
  const times: number[] = []
  const faults: string[] = []
  for (const { session, near, far } of sockets) {
    const startedAt = performance.now()
    const { status } = await user.at(here).delete(`/auth/sessions/${session.sessionId}`)
    if (status !== 200) faults.push(`revoking answered ${status}`)
    const known = near.frames.length
    await user.at(here).post('/messages', { chat_id: chat, content: 'after the revocation' })
    const isShut = await Promise.race([far.closed.then(() => true), Bun.sleep(35_000).then(() => false)])
    if (!isShut) faults.push('a socket stayed open')
    times.push(performance.now() - startedAt)
    await near.closed
    const leaked = near.frames.slice(known).filter(({ type }) => type === 'new_message')
    if (leaked.length > 0) faults.push('on the acting instance an event came after the answer')
  }
  await server.stop()
  await redis.stop()
  return { times, faults }
}

export const revokeSocket: Scenario = {
  name: 'revoke-socket',
  bar: 'p99 at most 1 s on another instance, 30 s without Redis; on the acting one nothing after the answer',
  withinSeconds: 120,
  async run(size): Promise<Outcome> {
    const joined = await timeRevocations(size === 'long' ? 100 : 10)
    const alone = await timeRevocations(1, async (stopRedis) => {
      await stopRedis()
      await Bun.sleep(500)
    })
    const [with99, without99] = [percentile(joined.times, 0.99), percentile(alone.times, 0.99)]
    const faults = [...joined.faults, ...alone.faults]
    return {
      figure: `p99 ${Math.round(with99)} ms, without Redis ${(without99 / 1000).toFixed(1)} s`,
      isHeld: faults.length === 0 && isWithin(with99, 1000, size) && isWithin(without99, 30_500, size),
      faults,
    }
  },
}
