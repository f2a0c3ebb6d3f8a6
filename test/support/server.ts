/**
 * The real server in this process, on a real port and a database of its own; or several instances of it, with a real
 * Redis between them and a real Caddy in front that sends each request to the next one.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { type Serving, serve } from '../../src/commands/serve.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { chats, sessionTokens, users } from '../../src/db/schema/index.ts'
import { createRefreshTokens } from '../../src/features/auth/refresh-tokens.ts'
import { createTokens } from '../../src/features/auth/tokens.ts'
import { createLog } from '../../src/observability/log.ts'
import { startCaddy } from './caddy.ts'
import { TestUser } from './client.ts'
import { partition } from './partition.ts'
import { createDatabase } from './postgres.ts'
import { startRedis, type TestRedis } from './redis.ts'

export const TEST_SECRET = 'a secret of the tests, long enough to be one'
/** The password of every user that `addUser` makes. */
export const PASSWORD = 'Password123'
// bcrypt of it at cost 12, made once: hashing it for each user would take most of the tests' time.
const PASSWORD_HASH = await Bun.password.hash(PASSWORD, { algorithm: 'bcrypt', cost: 12 })

export interface TestServer {
  url: string
  /** The address of each instance; the one of `url` when there is only one. */
  instanceUrls: readonly string[]
  config: Config
  database: Database
  /** The lines of the log so far, parsed. */
  logs: Record<string, unknown>[]
  /** A user with an open session, put into the database directly: no password is hashed. */
  addUser(name?: string): Promise<TestUser>
  /** Another session of the user. */
  addSession(userId: string): Promise<TestUser>
  /** Makes the user the owner of a group with these members, by REST. @returns its id */
  addGroup(owner: TestUser, ...members: TestUser[]): Promise<string>
  addDm(user: TestUser, peer: TestUser): Promise<string>
  stop(): Promise<void>
}

let counter = 0

export interface StartOptions {
  /** How many instances; suites of one are run again with several by test/instances/conversation.test.ts. */
  instances?: number
  /** For several instances; without it they get one of their own. */
  redis?: TestRedis
}

/** Limits are off unless `settings` says otherwise. */
export async function startServer(
  settings: Record<string, string> = {},
  { instances = Number(process.env.TEST_INSTANCES ?? 1), redis: givenRedis }: StartOptions = {},
): Promise<TestServer> {
  const url = settings.DATABASE_URL ?? (await makeDatabase())
  const redis = givenRedis ?? (instances > 1 ? await startRedis() : undefined)
  const dataDir = settings.DATA_DIR ?? (await mkdtemp(join(tmpdir(), 'messenger-data-')))
  const environment = {
    DATA_DIR: dataDir,
    PORT: '0',
    HOST: '127.0.0.1',
    RATE_LIMITS: 'off',
    // A machine with other work is slow now and then.
    SLOW_QUERY_MS: '0',
    JWT_SECRET: TEST_SECRET,
    ...(redis && { REDIS_URL: redis.url, TRUSTED_PROXIES: '127.0.0.1' }),
    ...settings,
    DATABASE_URL: url,
  }
  const config = loadConfig(environment)
  const logs: Record<string, unknown>[] = []
  const log = createLog('debug', (line) => logs.push(JSON.parse(line) as Record<string, unknown>))
  const serving: Serving[] = []
  for (let i = 0; i < instances; i++) {
    serving.push(await serve(config, log, (reason) => log.error('fatal', { reason })))
  }
  const caddy = instances > 1 ? await startCaddy(serving.map(({ port }) => port)) : undefined
  const instanceUrls = serving.map(({ port }) => `http://127.0.0.1:${port}`)
  const base = caddy?.url ?? String(instanceUrls[0])
  const database = connectDatabase({ url, poolMax: 4, name: 'tests' })
  const tokens = createTokens({ secret: config.JWT_SECRET ?? '', ttlSeconds: config.ACCESS_TOKEN_TTL })
  const refreshTokens = createRefreshTokens({ secret: config.JWT_SECRET ?? '' })

  async function addSession(userId: string): Promise<TestUser> {
    const sessionId = Bun.randomUUIDv7()
    const { token: refreshToken, state } = refreshTokens.start(sessionId)
    await database.db
      .insert(sessionTokens)
      .values({ ...state, id: sessionId, userId, expiresAt: new Date(Date.now() + 86_400_000) })
    return new TestUser(base, userId, sessionId, await tokens.issue(userId, sessionId), refreshToken)
  }

  return {
    url: base,
    instanceUrls,
    config,
    database,
    logs,
    addSession,
    async addUser(name = `user_${++counter}`) {
      const id = Bun.randomUUIDv7()
      const phone = `+1${String(1_000_000_000 + ++counter)}`
      await database.db.insert(users).values({ id, phone, username: name, passwordHash: PASSWORD_HASH })
      return addSession(id)
    },
    async addGroup(owner, ...members) {
      const body = { name: 'Group', type: 'group', member_ids: members.map(({ id }) => id) }
      return String((await owner.post('/chats', body)).body.id)
    },
    async addDm(user, peer) {
      return String((await user.get(`/chats/dm/${peer.id}`)).body.id)
    },
    async stop() {
      await database.close()
      await Promise.all(serving.map((instance) => instance.stop()))
      await caddy?.stop()
      if (!givenRedis) await redis?.stop()
      if (!settings.DATA_DIR) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** With `messages` in partitions, where suites are run again that way by test/partitions. */
async function makeDatabase(): Promise<string> {
  const url = await createDatabase()
  const { TEST_PARTITIONS: count } = process.env
  if (count) {
    const { sql, close } = connectDatabase({ url, poolMax: 2, name: 'tests' })
    await migrate(sql, createLog('error'))
    await partition(sql, count)
    await close()
  }
  return url
}

/** Where a chat stands in the database. */
export async function readHead({ database: { db } }: TestServer, chatId: string) {
  const [row] = await db.select({ seq: chats.lastSeq, rev: chats.lastRev }).from(chats).where(eq(chats.id, chatId))
  if (!row) throw new Error(`No chat ${chatId}`)
  return row
}
