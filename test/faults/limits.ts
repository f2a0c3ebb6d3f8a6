/** What runs out: memory for those who do not read, and time, in which memory must not grow. */
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRaw } from '../realtime/raw-client.ts'
import { request, TestUser } from '../support/client.ts'
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

export async function register(url: string): Promise<TestUser> {
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
      // In a few minutes a garbage collection more or less, and caches that fill, are all that one would see.
      const isLongEnough = soakMinutes(size) >= 20
      const slopeHeld = isLongEnough ? perHour <= 1 : size === 'short' || undefined
      const isRight = outcome.isHeld && files <= 2
      return {
        ...outcome,
        figure: `${outcome.figure}, ${files} files more, ${isLongEnough ? `${perHour.toFixed(2)} MB an hour` : 'too short for a slope'}`,
        isHeld: isRight ? slopeHeld : false,
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
