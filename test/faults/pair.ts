/** Two servers as processes of their own, with a PostgreSQL and a Redis of their own, and all that may befall them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FaultyPostgres, startFaultyPostgres } from '../db/faulty-postgres.ts'
import { request } from '../support/client.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import type { User } from './load.ts'
import { type ServerProcess, startProcess } from './server-process.ts'

export interface Pair {
  postgres: FaultyPostgres
  redis: TestRedis
  /** Those that run now. */
  servers: [ServerProcess, ServerProcess]
  /** SIGKILL, and another process in its place. */
  killAndRestart(index: 0 | 1): Promise<void>
  /** Registered accounts with a token each. */
  addUsers(count: number): Promise<User[]>
  /** Groups of these members, made by the first of each. */
  addGroups(members: readonly User[][]): Promise<{ id: string; members: User[] }[]>
  stop(): Promise<void>
}

let phones = 2_000_000

/** @param ofEach what only the first has, and only the second */
export async function startPair(
  settings: Record<string, string> = {},
  ofEach: readonly [Record<string, string>, Record<string, string>] = [{}, {}],
): Promise<Pair> {
  const dataDir = await mkdtemp(join(tmpdir(), 'messenger-pair-'))
  const [postgres, redis] = await Promise.all([startFaultyPostgres(), startRedis()])
  const { user, database, socketDirectory } = postgres.socket
  const common = {
    DATABASE_URL: `postgres://${user}@/${database}?host=${socketDirectory}`,
    REDIS_URL: redis.url,
    // Hashing is not what is tested.
    PASSWORD_HASH: 'argon2id',
    ...settings,
  }
  const start = (index: 0 | 1) => startProcess(dataDir, { ...common, ...ofEach[index] })
  // The first one migrates.
  const servers: [ServerProcess, ServerProcess] = [await start(0), await start(1)]
  const url = () => servers[0].url

  async function post(path: string, body: unknown, token?: string) {
    const answer = await request(`${url()}/api/v1${path}`, 'POST', token, body)
    if (answer.status !== 201) throw new Error(`${path} answered ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  return {
    postgres,
    redis,
    servers,
    async killAndRestart(index) {
      await servers[index].killServer()
      servers[index] = await start(index)
    },
    addUsers: (count) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const n = ++phones
          const account = { phone: `+1888${n}`, username: `pair${n}`, password: 'Password123' }
          const { user_id, token } = await post('/auth/register', account)
          return { id: user_id, token }
        }),
      ),
    addGroups: (groups) =>
      Promise.all(
        groups.map(async (members) => {
          const body = { name: 'Group', type: 'group', member_ids: members.map(({ id }) => id) }
          return { id: (await post('/chats', body, members[0]?.token)).id, members }
        }),
      ),
    async stop() {
      await Promise.all(servers.map((server) => server.terminate()))
      await redis.stop()
      await postgres.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
