/**
 * Four uploads of 100 MB at once beside a conversation: `bun test/bench/upload.ts`. By how much the memory of the server and
 * of what it starts grows, and how long messages take beside the uploads and without them, in turns in one run. The uploads
 * come as fast as this machine takes them, over and over; a real line is slower.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../src/db/client.ts'
import { sessionTokens, users } from '../../src/db/schema/index.ts'
import { createTokens } from '../../src/features/auth/tokens.ts'
import { childrenOf, SECRET, startProcess } from '../faults/server-process.ts'
import { request, type TestSocket, TestUser } from '../support/client.ts'
import { createDatabase, stopPostgres } from '../support/postgres.ts'

const MEBIBYTE = 1024 * 1024
const FILE_BYTES = 100 * MEBIBYTE
const AT_ONCE = 4
const ROUNDS = 3
const SECONDS = 8
/** Messages a second, each in one of so many direct chats. */
const RATE = 100
const PAIRS = 20
/** Of the memory, in bytes; of a message beside uploads, in milliseconds at the 99th percentile. */
const MEMORY_GOAL = 150 * MEBIBYTE
const LATENCY_GOAL_MS = 100

const write = (text: string) => void process.stdout.write(`${text}\n`)
const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN
const inMebibytes = (bytes: number) => `${Math.round(bytes / MEBIBYTE)} MiB`

type Way = (user: TestUser, chatId: string, path: string) => Promise<void>

async function curl(user: TestUser, ...args: string[]): Promise<void> {
  const authorization = `authorization: Bearer ${user.token}`
  const child = Bun.spawn(['curl', '-sS', '-f', '-o', '/dev/null', '-H', authorization, ...args], { stderr: 'pipe' })
  const [errors, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (code !== 0) throw new Error(`An upload failed: ${errors}`)
}

const ways: Record<string, Way> = {
  'by a form': (user, chatId, path) =>
    curl(user, '-F', `chat_id=${chatId}`, '-F', `file=@${path}`, `${user.serverUrl}/api/v1/messages/upload`),
  'in pieces': async (user, chatId, path) => {
    const url = `${user.serverUrl}/api/v1/uploads`
    const headers = { 'upload-length': String(FILE_BYTES), 'upload-metadata': `chat_id ${btoa(chatId)}` }
    const { body } = await request(url, 'POST', user.token, undefined, headers)
    const type = ['-H', 'content-type: application/offset+octet-stream', '-H', 'upload-offset: 0']
    await curl(user, '-X', 'PATCH', ...type, '-T', path, `${url}/${body.id}`)
  },
}

/** The process and all that it started, in bytes. */
async function readMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
  const children = await Promise.all(childrenOf(pid).map(readMemory))
  return children.reduce((total, one) => total + one, own)
}

interface Pair {
  sender: TestUser
  sending: TestSocket
  chatId: string
}

/** Sends at an even rate. @returns how long each message took to the other one, in milliseconds */
async function talk(pairs: readonly Pair[], arrivals: Map<string, number>, seconds: number): Promise<number[]> {
  const sentAt = new Map<string, number>()
  const start = performance.now()
  for (let n = 0; performance.now() - start < seconds * 1000; n++) {
    const due = start + (n * 1000) / RATE
    if (due > performance.now()) await Bun.sleep(due - performance.now())
    const pair = pairs[n % pairs.length] as Pair
    const content = crypto.randomUUID()
    sentAt.set(content, performance.now())
    pair.sending.send({ type: 'message', chat_id: pair.chatId, content })
  }
  for (let i = 0; i < 500 && [...sentAt.keys()].some((content) => !arrivals.has(content)); i++) await Bun.sleep(10)
  return [...sentAt].map(([content, at]) => (arrivals.get(content) ?? Number.POSITIVE_INFINITY) - at)
}

async function bench(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'messenger-bench-'))
  const url = await createDatabase()
  const { db, close } = connectDatabase({ url, poolMax: 1, name: 'bench' })
  const tokens = createTokens({ secret: SECRET, ttlSeconds: 3600 })
  const limits = { MEDIA_MAX_BYTES_FREE: String(FILE_BYTES) }
  const server = await startProcess(join(folder, 'data'), { DATABASE_URL: url, ...limits })
  let added = 0
  async function addUser(): Promise<TestUser> {
    const [id, sessionId, n] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), ++added]
    await db.insert(users).values({ id, phone: `+1200000${1000 + n}`, username: `bench_${n}`, passwordHash: 'none' })
    const expiresAt = new Date(Date.now() + 86_400_000)
    await db.insert(sessionTokens).values({ id: sessionId, userId: id, tokenHash: id, nextTokenHash: id, expiresAt })
    return new TestUser(server.url, id, sessionId, await tokens.issue(id, sessionId), '')
  }

  const arrivals = new Map<string, number>()
  const pairs: Pair[] = []
  for (let n = 0; n < PAIRS; n++) {
    const [sender, reader] = [await addUser(), await addUser()]
    const chatId = String((await sender.get(`/chats/dm/${reader.id}`)).body.id)
    const [sending, reading] = [await sender.socket(), await reader.socket()]
    sending.ws.onmessage = null
    reading.ws.onmessage = ({ data }) => {
      const content = /"content":"([^"]+)"/.exec(String(data))?.[1]
      if (content) arrivals.set(content, performance.now())
    }
    pairs.push({ sender, sending, chatId })
  }
  const uploader = await addUser()
  const album = String((await uploader.post('/chats', { name: 'Album', type: 'group', member_ids: [] })).body.id)
  const path = join(folder, 'file')
  const block = crypto.getRandomValues(new Uint8Array(65_536))
  await Bun.write(path, Buffer.concat(Array.from({ length: FILE_BYTES / block.byteLength }, () => block)))

  let isReached = true
  try {
    write(
      `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ` +
        `${Math.round(totalmem() / 2 ** 30)} GiB, Bun ${Bun.version}; ${AT_ONCE} uploads of ${inMebibytes(FILE_BYTES)} at once, ` +
        `${RATE} messages a second, everything on this machine`,
    )
    // Everything is compiled and every plan is made.
    await talk(pairs, arrivals, 3)
    for (const [name, way] of Object.entries(ways)) {
      const latencies = { without: [] as number[], beside: [] as number[] }
      let [growth, bytes, uploadSeconds] = [0, 0, 0]
      for (let round = 0; round < ROUNDS; round++) {
        latencies.without.push(...(await talk(pairs, arrivals, SECONDS)))
        const before = await readMemory(server.pid)
        let peak = before
        let isOver = false
        const watch = async () => {
          for (; !isOver; await Bun.sleep(20)) peak = Math.max(peak, await readMemory(server.pid))
        }
        const upload = async () => {
          for (; !isOver; bytes += FILE_BYTES) await way(uploader, album, path)
        }
        const startedAt = performance.now()
        const work = [watch(), ...Array.from({ length: AT_ONCE }, upload)]
        latencies.beside.push(...(await talk(pairs, arrivals, SECONDS)))
        isOver = true
        await Promise.all(work)
        uploadSeconds += (performance.now() - startedAt) / 1000
        growth = Math.max(growth, peak - before)
        await rm(join(folder, 'data/media/uploads'), { recursive: true, force: true })
      }
      const show = (values: readonly number[]) =>
        `p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms`
      const ratio = (share: number) =>
        (quantile(latencies.beside, share) / quantile(latencies.without, share)).toFixed(1)
      write(`${name}: ${inMebibytes(bytes / uploadSeconds)} a second`)
      write(`  the memory grows by at most ${inMebibytes(growth)} (goal: ${inMebibytes(MEMORY_GOAL)})`)
      write(`  a message without uploads: ${show(latencies.without)}`)
      write(`  a message beside them:     ${show(latencies.beside)} (goal: p99 ${LATENCY_GOAL_MS} ms)`)
      write(`  ratio: p50 ${ratio(0.5)}, p99 ${ratio(0.99)}`)
      isReached &&= growth <= MEMORY_GOAL && quantile(latencies.beside, 0.99) <= LATENCY_GOAL_MS
    }
    write(isReached ? 'The goals are reached.' : 'A goal is missed.')
  } finally {
    await server.terminate()
    await close()
    await stopPostgres()
    await rm(folder, { recursive: true, force: true })
  }
  return isReached ? 0 : 1
}

process.exit(await bench())
