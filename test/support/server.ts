/** The real server in this process, on a real port and a database of its own. */

import { eq } from 'drizzle-orm'
import { serve } from '../../src/commands/serve.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { chats, sessionTokens, users } from '../../src/db/schema/index.ts'
import { createRefreshTokens } from '../../src/features/auth/refresh-tokens.ts'
import { createTokens } from '../../src/features/auth/tokens.ts'
import { createLog } from '../../src/observability/log.ts'
import { TestUser } from './client.ts'
import { createDatabase } from './postgres.ts'

export const TEST_SECRET = 'a secret of the tests, long enough to be one'
/** The password of every user that `addUser` makes. */
export const PASSWORD = 'Password123'
// bcrypt of it at cost 12, made once: hashing it for each user would take most of the tests' time.
const PASSWORD_HASH = await Bun.password.hash(PASSWORD, { algorithm: 'bcrypt', cost: 12 })

export interface TestServer {
  url: string
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

/** Limits are off unless `settings` says otherwise. */
export async function startServer(settings: Record<string, string> = {}): Promise<TestServer> {
  const url = settings.DATABASE_URL ?? (await createDatabase())
  const environment = {
    PORT: '0',
    HOST: '127.0.0.1',
    RATE_LIMITS: 'off',
    JWT_SECRET: TEST_SECRET,
    ...settings,
    DATABASE_URL: url,
  }
  const config = loadConfig(environment)
  const logs: Record<string, unknown>[] = []
  const log = createLog('debug', (line) => logs.push(JSON.parse(line) as Record<string, unknown>))
  const serving = await serve(config, log, (reason) => log.error('fatal', { reason }))
  const database = connectDatabase({ url, poolMax: 4, name: 'tests' })
  const tokens = createTokens({ secret: config.JWT_SECRET ?? '', ttlSeconds: config.ACCESS_TOKEN_TTL })
  const refreshTokens = createRefreshTokens({ secret: config.JWT_SECRET ?? '' })
  const base = `http://127.0.0.1:${serving.port}`

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
      await serving.stop()
    },
  }
}

/** Where a chat stands in the database. */
export async function readHead({ database: { db } }: TestServer, chatId: string) {
  const [row] = await db.select({ seq: chats.lastSeq, rev: chats.lastRev }).from(chats).where(eq(chats.id, chatId))
  if (!row) throw new Error(`No chat ${chatId}`)
  return row
}
