/** A server of the account features alone, on a database of its own. */
import { Elysia } from 'elysia'
import type { BusMessage } from '../../../src/bus/bus.ts'
import { createMemoryBus } from '../../../src/bus/memory.ts'
import { createMemoryCache } from '../../../src/cache/memory-cache.ts'
import { createMemoryLimiter } from '../../../src/cache/memory-limiter.ts'
import { connectDatabase } from '../../../src/db/client.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { createAccountRoutes } from '../../../src/features/auth/account-routes.ts'
import { createAccounts, type DeletionStep } from '../../../src/features/auth/accounts.ts'
import { type AttemptLimits, createAttempts } from '../../../src/features/auth/attempts.ts'
import { createAuthenticator } from '../../../src/features/auth/authenticator.ts'
import { createGuard, type GuardDeps } from '../../../src/features/auth/guard.ts'
import { createPasswords, type Passwords } from '../../../src/features/auth/passwords.ts'
import { createRefreshTokens } from '../../../src/features/auth/refresh-tokens.ts'
import { createAuthRoutes } from '../../../src/features/auth/routes.ts'
import { createAuth } from '../../../src/features/auth/service.ts'
import { createSessions } from '../../../src/features/auth/sessions.ts'
import { createTokens } from '../../../src/features/auth/tokens.ts'
import { createLastSeen } from '../../../src/features/users/last-seen.ts'
import { createProfiles } from '../../../src/features/users/profiles.ts'
import { createUserRoutes } from '../../../src/features/users/routes.ts'
import { createUsers } from '../../../src/features/users/service.ts'
import { createClientAddress } from '../../../src/http/client-address.ts'
import { toAppError } from '../../../src/http/errors.ts'
import { createLog } from '../../../src/observability/log.ts'
import { noAvatars, noTier } from '../../support/no-avatars.ts'
import { createDatabase } from '../../support/postgres.ts'

export const SECRET = 'the secret of the account tests, long enough'
export const PASSWORD = 'SecurePass123!'

export const log = createLog('error')

/** A new, migrated database of its own for a test file. */
export async function openDatabase() {
  const own = connectDatabase({ url: await createDatabase(), poolMax: 10, name: 'test' })
  await migrate(own.sql, log)
  return own
}

export interface Options {
  secret?: string
  previousSecret?: string
  registration?: 'open' | 'closed'
  passwords?: Passwords
  limits?: Partial<AttemptLimits>
  guard?: Partial<GuardDeps>
  steps?: DeletionStep[]
  refreshTtlSeconds?: number
}

/** Every hash of the suite is real; two at a time. */
export const bcrypt = createPasswords({ algorithm: 'bcrypt', concurrency: 2 })

/** Several on one database are several instances. */
export function startApp(database: Awaited<ReturnType<typeof openDatabase>>, options: Options = {}) {
  const { secret = SECRET, previousSecret, registration = 'open', passwords = bcrypt, steps = [] } = options
  const { db, sql } = database
  const bus = createMemoryBus(log)
  const published: BusMessage[] = []
  bus.onMessage((message) => published.push(message))

  const profiles = createProfiles({ db, cache: createMemoryCache() })
  const users = createUsers({ db, profiles, avatars: noAvatars, uploadMaxBytesOf: noTier })
  const tokens = createTokens({ secret, previousSecret, ttlSeconds: 3600 })
  const refreshTokens = createRefreshTokens({ secret, previousSecret })
  const sessions = createSessions({ db, bus, log, refreshTokens, ttlSeconds: options.refreshTtlSeconds ?? 3600 })
  const limits = { isOn: true, loginPerAccount: 5, loginPerAddress: 50, registerPerAddress: 10, ...options.limits }
  const attempts = createAttempts({ db, limits })
  const auth = createAuth({ db, users, tokens, passwords, sessions, attempts, registration })
  const accounts = createAccounts({ db, bus, users, passwords, sessions, attempts, steps })
  const authenticate = createAuthenticator({ tokens, sessions })
  const lastSeen = createLastSeen({ db, log, profiles })
  const guard = createGuard({
    authenticate,
    limiter: createMemoryLimiter(),
    limits: { isOn: true, anonymous: 1000 },
    apiLimitOf: () => 100,
    // Tests call from where they say.
    clientAddress: createClientAddress(['0.0.0.0'], log),
    lastSeen,
    ...options.guard,
  })

  const app = new Elysia({ prefix: '/api/v1' })
    .onError({ as: 'global' }, ({ error, set }) => {
      const known = toAppError(error)
      set.status = known?.status ?? 500
      return known?.toJSON() ?? { error: String(error), details: { stack: error instanceof Error ? error.stack : '' } }
    })
    .use(createAuthRoutes({ auth, guard }))
    .use(createAccountRoutes({ accounts, guard }))
    .use(createUserRoutes({ users, guard }))

  const call = async (method: string, path: string, { body, token, address = '198.51.100.1', agent }: Call = {}) => {
    const headers: Record<string, string> = { 'x-forwarded-for': address }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (token !== undefined) headers.authorization = `Bearer ${token}`
    if (agent !== undefined) headers['user-agent'] = agent
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await app.handle(new Request(`http://localhost/api/v1${path}`, { method, headers, body: text }))
    return { status: response.status, body: JSON.parse(await response.text()), headers: response.headers }
  }

  /** A new account, signed in. */
  const register = async (fields: Record<string, string> = {}, address?: string) => {
    const body = { ...newNames(), password: PASSWORD, ...fields }
    const answer = await call('POST', '/auth/register', { body, address: address ?? newAddress() })
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    const { user_id: userId, token, refresh_token: refreshToken } = answer.body
    return { userId, token, refreshToken, ...body } as {
      userId: string
      token: string
      refreshToken: string
      phone: string
      username: string
    }
  }
  const login = (phone_or_email: string, password = PASSWORD, address?: string) =>
    call('POST', '/auth/login', { body: { phone_or_email, password }, address })
  const refresh = (refresh_token: string) => call('POST', '/auth/refresh', { body: { refresh_token } })

  return {
    ...{ app, db, sql, bus, published, users, tokens, refreshTokens, sessions, attempts, auth, accounts, authenticate },
    ...{ lastSeen, call, register, login, refresh },
  }
}

interface Call {
  body?: unknown
  token?: string
  address?: string
  agent?: string
}

let count = 0
export const newNames = () => {
  count += 1
  return { phone: `+1202555${String(count).padStart(4, '0')}`, username: `user_${count}` }
}
/** An address that nobody called from. */
export const newAddress = () => {
  count += 1
  return `10.1.${count >> 8}.${count & 255}`
}

/** Passwords that cost nothing and count what was asked of them, for tests of what happens around them. */
export function fakePasswords() {
  const asked = { hash: 0, verify: 0, verifyNothing: 0 }
  const passwords: Passwords = {
    hash: async (password) => {
      asked.hash += 1
      return `fake:${password}`
    },
    verify: async (password, hash) => {
      asked.verify += 1
      return hash === `fake:${password}`
    },
    needsRehash: () => false,
    verifyNothing: async () => {
      asked.verifyNothing += 1
    },
  }
  return { passwords, asked }
}
