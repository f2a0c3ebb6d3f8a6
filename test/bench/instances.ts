/**
 * How long a message takes to a socket on the same instance and to one on another, with Redis between them:
 * `bun test/bench/instances.ts`. Both wait for the very same message, so that what else the machine does meets both.
 */
import { cpus, totalmem } from 'node:os'
import { connectDatabase } from '../../src/db/client.ts'
import { sessionTokens, users } from '../../src/db/schema/index.ts'
import { createTokens } from '../../src/features/auth/tokens.ts'
import { SECRET, startProcess } from '../faults/server-process.ts'
import { type TestSocket, TestUser } from '../support/client.ts'
import { createDatabase, stopPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'

/** Messages a second. At the first nothing waits for anything. */
const RATES = [20, 500]
const SECONDS = 15
const ROUNDS = 3
/** Across, compared with the same instance. */
const GOAL = 1.5

const write = (text: string) => void process.stdout.write(`${text}\n`)
const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN

/** When each message came, by its content, in milliseconds of performance.now(). */
function noteArrivals(socket: TestSocket): Map<string, number> {
  const arrivals = new Map<string, number>()
  socket.ws.onmessage = ({ data }) => {
    const text = String(data)
    if (!text.startsWith('{"type":"new_message"')) return
    arrivals.set(/"content":"(\d+)"/.exec(text)?.[1] ?? '', performance.now())
  }
  return arrivals
}

async function bench(): Promise<number> {
  const url = await createDatabase()
  const redis = await startRedis()
  const { db, close } = connectDatabase({ url, poolMax: 1, name: 'bench' })
  const tokens = createTokens({ secret: SECRET, ttlSeconds: 3600 })
  const settings = { DATABASE_URL: url, REDIS_URL: redis.url }
  const instances = [await startProcess('', settings), await startProcess('', settings)]
  const [here = '', there = ''] = instances.map((instance) => instance.url)

  async function addUser(n: number): Promise<TestUser> {
    const [id, sessionId] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
    await db.insert(users).values({ id, phone: `+1200000000${n}`, username: `bench_${n}`, passwordHash: 'none' })
    const expiresAt = new Date(Date.now() + 86_400_000)
    await db.insert(sessionTokens).values({ id: sessionId, userId: id, tokenHash: id, nextTokenHash: id, expiresAt })
    return new TestUser(here, id, sessionId, await tokens.issue(id, sessionId), '')
  }

  const [sender, reader] = [await addUser(1), await addUser(2)]
  const chatId = String((await sender.get(`/chats/dm/${reader.id}`)).body.id)
  const sending = await sender.socket()
  sending.ws.onmessage = null
  const same = noteArrivals(await reader.socket())
  const across = noteArrivals(await reader.at(there).socket())

  let sent = 0
  async function measure(rate: number): Promise<{ same: number[]; across: number[] }> {
    const sentAt = new Map<string, number>()
    const startedAt = performance.now()
    for (let n = 0; n < rate * SECONDS; n++) {
      // By the clock, not by the answer: what is slow does not slow the load.
      await Bun.sleep(Math.max(0, startedAt + (n * 1000) / rate - performance.now()))
      const content = `${++sent}`
      sentAt.set(content, performance.now())
      sending.ws.send(JSON.stringify({ type: 'message', chat_id: chatId, content }))
    }
    await Bun.sleep(500)
    const latencies = (arrivals: Map<string, number>) =>
      [...sentAt].map(([content, at]) => (arrivals.get(content) ?? Number.POSITIVE_INFINITY) - at)
    return { same: latencies(same), across: latencies(across) }
  }

  let isReached = true
  try {
    write(
      `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Bun ${Bun.version}`,
    )
    await measure(RATES[0] ?? 1)
    write('| messages/s | same instance p50, p99 ms | other instance p50, p99 ms | ratio of p50 |')
    write('|-----------:|--------------------------:|---------------------------:|-------------:|')
    for (const rate of RATES) {
      const rounds = []
      for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(rate))
      const all = { same: rounds.flatMap((r) => r.same), across: rounds.flatMap((r) => r.across) }
      const lost = [...all.same, ...all.across].filter((ms) => ms === Number.POSITIVE_INFINITY).length
      const show = (values: number[]) => `${quantile(values, 0.5).toFixed(2)}, ${quantile(values, 0.99).toFixed(2)}`
      const ratio = quantile(all.across, 0.5) / quantile(all.same, 0.5)
      write(`| ${rate} | ${show(all.same)} | ${show(all.across)} | ${ratio.toFixed(2)} |`)
      if (lost > 0) write(`${lost} events never came.`)
      isReached &&= ratio <= GOAL && lost === 0
    }
  } finally {
    for (const instance of instances) await instance.terminate()
    await close()
    await redis.stop()
    await stopPostgres()
  }
  write(isReached ? `The goal of ${GOAL} is reached.` : `The goal of ${GOAL} is missed.`)
  return isReached ? 0 : 1
}

process.exit(await bench())
