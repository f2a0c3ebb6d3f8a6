/** What runs out: memory for those who do not read, the disk, and time, in which memory must not grow. */
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRaw } from '../realtime/raw-client.ts'
import { type Json, request, TestUser } from '../support/client.ts'
import { noneOf, type Outcome, type Scenario, type Size } from '../support/scenario.ts'
import { listFaults, readHistory, startLoad, type User } from './load.ts'
import { type ServerProcess, startProcess } from './server-process.ts'

/** Resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1024
}

const countFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length

async function inProcess<T>(act: (server: ServerProcess) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'messenger-faults-'))
  const server = await startProcess(dataDir, {
    PASSWORD_HASH: 'argon2id',
    // Those who do not read may all be one.
    WS_MAX_CONNECTIONS_PER_USER: '1000',
  })
  try {
    return await act(server)
  } finally {
    await server.terminate()
    await rm(dataDir, { recursive: true, force: true })
  }
}

let phones = 3_000_000

async function register(url: string): Promise<TestUser> {
  const n = ++phones
  const account = { phone: `+1666${n}`, username: `limits${n}`, password: 'Password123' }
  const { body } = await request(`${url}/api/v1/auth/register`, 'POST', undefined, account)
  return new TestUser(url, body.user_id, '', body.token, body.refresh_token)
}

const MAX_GROWTH_MB = 150

export const slowReader: Scenario = {
  name: 'slow-reader',
  bar: `sockets that never read: at most ${MAX_GROWTH_MB} MB more, each that missed something is closed`,
  withinSeconds: 120,
  run: (size) =>
    inProcess(async (server): Promise<Outcome> => {
      const [writer, slow] = [await register(server.url), await register(server.url)]
      const chatId = String((await writer.get(`/chats/dm/${slow.id}`)).body.id)
      const [count, events] = size === 'long' ? [500, 60_000] : [60, 9000]
      const deaf = await Promise.all(Array.from({ length: count }, () => openRaw(server.url, slow.token)))
      for (const raw of deaf) while (raw.frames.length === 0) await Bun.sleep(5)
      for (const raw of deaf) raw.pause()
      const healthy = await slow.socket()
      const before = residentMb(server.pid)
      let most = before
      const content = 'x'.repeat(1500)
      let sent = 0
      const write = async () => {
        while (sent < events) {
          sent++
          await writer.post('/messages', { chat_id: chatId, content })
          if (sent % 200 === 0) most = Math.max(most, residentMb(server.pid))
        }
      }
      await Promise.all(Array.from({ length: 32 }, write))
      let isOver = false
      const ends = Promise.all(deaf.map((raw) => raw.closed)).then(() => {
        isOver = true
      })
      for (const raw of deaf) raw.resume()
      await Promise.race([ends, Bun.sleep(30_000)])
      // Whoever is still open has to hold everything.
      const open: string[] = []
      if (!isOver) {
        for (const raw of deaf) {
          const isClosed = await Promise.race([raw.closed.then(() => true), Bun.sleep(0).then(() => false)])
          const got = raw.frames.filter(({ payload }) => payload.includes('"new_message"')).length
          if (!isClosed && got < events) open.push(`one that is open has ${got} of ${events}`)
        }
      }
      await healthy.settle()
      const heard = healthy.all('new_message').length
      await healthy.close()
      for (const raw of deaf) raw.destroy()
      const faults = [...open, ...(heard === events ? [] : [`the one who reads has ${heard} of ${events}`])]
      return {
        figure: `${count} sockets, ${events} events: +${Math.round(most - before)} MB, ${faults.length} who missed something unknowingly`,
        isHeld: faults.length === 0 && most - before <= MAX_GROWTH_MB,
        faults: faults.slice(0, 10),
      }
    }),
}

const mount = (...args: string[]) => Bun.spawnSync(args, { stdout: 'ignore', stderr: 'pipe' })

/** Of the disk that is filled; the database alone takes 70 MB. */
const DISK_MB = 160
const BALLAST_MB = 48

export const diskFull: Scenario = {
  name: 'disk-full',
  bar: 'nothing acknowledged is lost; with room again it goes on by itself',
  withinSeconds: 120,
  needsRoot: true,
  async run(): Promise<Outcome> {
    const directory = await mkdtemp(join(tmpdir(), 'messenger-disk-'))
    const mounted = mount('mount', '-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', directory)
    if (!mounted.success) throw new Error(`no small disk can be had: ${mounted.stderr}`)
    const ballast = join(directory, 'ballast')
    await writeFile(ballast, Buffer.alloc(BALLAST_MB * 1024 * 1024))
    const server = await startProcess(join(directory, 'data'), { PASSWORD_HASH: 'argon2id' })
    try {
      const [ann, ben] = [await register(server.url), await register(server.url)]
      const chatId = String((await ann.get(`/chats/dm/${ben.id}`)).body.id)
      const acknowledged: Json[] = []
      const refusals = new Map<string, number>()
      let refusedInARow = 0
      // What does not compress.
      const text = () => Buffer.from(crypto.getRandomValues(new Uint8Array(3000))).toString('base64')
      const write = async () => {
        while (refusedInARow < 40) {
          const { status, body } = await ann.post('/messages', { chat_id: chatId, content: text() })
          if (status === 201) {
            acknowledged.push(body)
            refusedInARow = 0
          } else {
            refusals.set(String(status), (refusals.get(String(status)) ?? 0) + 1)
            refusedInARow++
            await Bun.sleep(50)
          }
        }
      }
      await Promise.all(Array.from({ length: 8 }, write))
      await rm(ballast)
      const startedAt = performance.now()
      let isStored = false
      while (!isStored && performance.now() - startedAt < 40_000) {
        const { status, body } = await ann.post('/messages', { chat_id: chatId, content: 'there is room again' })
        isStored = status === 201
        if (isStored) acknowledged.push(body)
        else await Bun.sleep(50)
      }
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      const faults = isStored ? [] : ['it does not store again']
      const history = await readHistory(server.url, { id: ann.id, token: ann.token }, chatId).catch(() => [])
      const stored = new Map(history.map(({ id, seq }) => [id, seq]))
      for (const { id, seq } of acknowledged) if (stored.get(id) !== seq) faults.push(`${seq} is lost`)
      const odd = [...refusals.keys()].filter((status) => status !== '503')
      const said = [...refusals].map(([status, n]) => `${n} of ${status}`).join(', ')
      return {
        figure: `${acknowledged.length} acknowledged, ${faults.length} wrong, refused: ${said}; again after ${seconds} s`,
        isHeld: faults.length === 0 && odd.length === 0 && refusals.size > 0,
        faults: faults.slice(0, 10),
      }
    } finally {
      await server.terminate()
      mount('umount', '-l', directory)
      await rm(directory, { recursive: true, force: true })
    }
  },
}

const soakMinutes = (size: Size) => (size === 'long' ? Number(process.env.SOAK_MINUTES ?? 30) : 0.2)

export const soak: Scenario = {
  name: 'soak',
  bar: 'under steady load no more files open, memory at most 1 MB an hour more after warming up (SOAK_MINUTES, 30)',
  withinSeconds: 90,
  run: (size) =>
    inProcess(async (server): Promise<Outcome> => {
      const users: User[] = await Promise.all(Array.from({ length: 6 }, () => register(server.url)))
      const [owner] = users
      const group = await request(`${server.url}/api/v1/chats`, 'POST', owner?.token, {
        name: 'Group',
        type: 'group',
        member_ids: users.map(({ id }) => id),
      })
      const load = startLoad(server.url, [{ id: group.body.id, members: users }])
      const totalMs = soakMinutes(size) * 60_000
      await Bun.sleep(totalMs / 3)
      const filesBefore = countFiles(server.pid)
      const samples: { hours: number; mb: number }[] = []
      const startedAt = performance.now()
      while (performance.now() - startedAt < (2 * totalMs) / 3) {
        samples.push({ hours: (performance.now() - startedAt) / 3_600_000, mb: residentMb(server.pid) })
        await Bun.sleep(Math.min(5000, totalMs / 60))
      }
      const files = countFiles(server.pid) - filesBefore
      await load.stop()
      const history = await readHistory(server.url, users[0] as User, group.body.id)
      const faults = listFaults(history, load.acknowledged)
      const outcome = noneOf(faults, load.acknowledged.length, 'messages wrong')
      const perHour = slope(samples)
      // In a few seconds a garbage collection more or less is all that one would see.
      const isFlat = size === 'short' || perHour <= 1
      return {
        ...outcome,
        figure: `${outcome.figure}, ${files} files more, ${size === 'short' ? 'too short for a slope' : `${perHour.toFixed(2)} MB an hour`}`,
        isHeld: outcome.isHeld && files <= 2 && isFlat,
      }
    }),
}

/** Least squares. */
function slope(samples: readonly { hours: number; mb: number }[]): number {
  const mean = (pick: (one: { hours: number; mb: number }) => number) =>
    samples.reduce((sum, one) => sum + pick(one), 0) / samples.length
  const [meanHours, meanMb] = [mean(({ hours }) => hours), mean(({ mb }) => mb)]
  const above = samples.reduce((sum, { hours, mb }) => sum + (hours - meanHours) * (mb - meanMb), 0)
  const below = samples.reduce((sum, { hours }) => sum + (hours - meanHours) ** 2, 0)
  return above / below
}
