/** What runs out: memory, for those who do not read. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRaw } from '../realtime/raw-client.ts'
import { request, TestUser } from '../support/client.ts'
import type { Outcome, Scenario } from '../support/scenario.ts'
import { type ServerProcess, startProcess } from './server-process.ts'

/** Resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1024
}

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
