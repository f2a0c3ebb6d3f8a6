/** The whole server on one screen: the services, what they need of each other, and the routes on top. */
import { cors } from '@elysiajs/cors'
import { Elysia } from 'elysia'
import type { Bus } from './bus/bus.ts'
import { createMemoryLimiter } from './cache/memory-limiter.ts'
import type { Config } from './config.ts'
import type { Database } from './db/client.ts'
import { createAccountRoutes } from './features/auth/account-routes.ts'
import { createAccounts } from './features/auth/accounts.ts'
import { createAttempts } from './features/auth/attempts.ts'
import { createAuthenticator } from './features/auth/authenticator.ts'
import { createGuard } from './features/auth/guard.ts'
import { createPasswords } from './features/auth/passwords.ts'
import { createRefreshTokens } from './features/auth/refresh-tokens.ts'
import { createAuthRoutes } from './features/auth/routes.ts'
import { createAuth } from './features/auth/service.ts'
import { createSessions } from './features/auth/sessions.ts'
import { createTokens } from './features/auth/tokens.ts'
import { createMembers } from './features/chats/members.ts'
import { createReads } from './features/chats/reads.ts'
import { chatRoutes } from './features/chats/routes.ts'
import { createChats } from './features/chats/service.ts'
import { messageRoutes } from './features/messages/routes.ts'
import { createMessages } from './features/messages/service.ts'
import { createMessageWriter } from './features/messages/writer.ts'
import { createPresence } from './features/presence/service.ts'
import { syncRoutes } from './features/sync/routes.ts'
import { createSync } from './features/sync/service.ts'
import { createLastSeen } from './features/users/last-seen.ts'
import { createUserRoutes } from './features/users/routes.ts'
import { createUsers } from './features/users/service.ts'
import { MAX_JSON_BYTES, readJson } from './http/body.ts'
import { createClientAddress } from './http/client-address.ts'
import { docs } from './http/docs.ts'
import { healthRoutes } from './http/health.ts'
import { createOriginPolicy } from './http/origins.ts'
import { createPlumbing } from './http/plumbing.ts'
import { startJobs } from './jobs/scheduler.ts'
import type { Log } from './observability/log.ts'
import { createFanout } from './realtime/fanout.ts'
import { createGateway } from './realtime/gateway.ts'
import { socketRoutes } from './realtime/routes.ts'

export interface AppOptions {
  config: Config
  /** Signs tokens. */
  secret: string
  /** The pool of everything but new messages. */
  database: Database
  /** The message writer's own connection, with enable_seqscan off. */
  writerDatabase: Database
  bus: Bus
  log: Log
}

export type App = ReturnType<typeof createApp>

/** Members of a group, whoever owns it. */
const GROUP_LIMIT = 200

export function createApp({ config, secret, database: { db, sql }, writerDatabase, bus, log }: AppOptions) {
  const isLimited = config.RATE_LIMITS === 'on'
  const limiter = createMemoryLimiter()
  const clientAddress = createClientAddress(config.TRUSTED_PROXIES, log)
  const origins = createOriginPolicy(config.CORS_ORIGINS, config.PUBLIC_URL)

  const users = createUsers({ db })
  const lastSeen = createLastSeen({ db, log })
  const keys = { secret, previousSecret: config.JWT_SECRET_PREVIOUS }
  const tokens = createTokens({ ...keys, ttlSeconds: config.ACCESS_TOKEN_TTL })
  const refreshTokens = createRefreshTokens(keys)
  const sessions = createSessions({ db, bus, log, refreshTokens, ttlSeconds: config.REFRESH_TOKEN_TTL })
  const passwords = createPasswords({ algorithm: config.PASSWORD_HASH })
  const attempts = createAttempts({
    db,
    limits: {
      isOn: isLimited,
      loginPerAccount: config.RATE_LIMIT_LOGIN_ACCOUNT,
      loginPerAddress: config.RATE_LIMIT_LOGIN_ADDRESS,
      registerPerAddress: config.RATE_LIMIT_REGISTER,
    },
  })
  const auth = createAuth({ db, users, tokens, passwords, sessions, attempts, registration: config.REGISTRATION })
  const authenticate = createAuthenticator({ tokens, sessions })
  const guard = createGuard({
    authenticate,
    limiter,
    limits: {
      isOn: isLimited,
      free: config.RATE_LIMIT_API_FREE,
      premium: config.RATE_LIMIT_API_PREMIUM,
      anonymous: config.RATE_LIMIT_ANONYMOUS,
    },
    isPremium: () => false,
    clientAddress,
    lastSeen,
    readBody: (request) => readJson(request, MAX_JSON_BYTES),
  })

  const listHeads = (userId: string) => chats.listHeads(userId)
  const presence = createPresence({ db, bus, log, listHeads, lastSeen })
  const ofChats = { db, bus, users, listOnline: presence.listOnline, groupLimitOf: async () => GROUP_LIMIT }
  const chats = createChats(ofChats)
  const members = createMembers(ofChats)
  const reads = createReads({ db, bus, log })
  const steps = [members.releaseAccount]
  const accounts = createAccounts({ db, bus, users, passwords, sessions, attempts, steps })

  const writer = createMessageWriter({ sql: writerDatabase.sql, bus, log, onStored: reads.noteSent })
  const sendLimit = isLimited ? { count: config.RATE_LIMIT_MESSAGES, periodSeconds: 10 } : undefined
  const messages = createMessages({ db, bus, writer, limiter, sendLimit })
  const sync = createSync({ db, chats, messages })

  const fanout = createFanout({ bus, log, listHeads, getChat: chats.get, onLostChat: presence.leaveChat })
  const gateway = createGateway({
    messages,
    reads,
    presence,
    log,
    frameLimit: isLimited ? config.RATE_LIMIT_FRAMES : undefined,
    fanout,
    authenticate,
    listAliveSessions: sessions.listAlive,
    isSessionAlive: sessions.isAlive,
    lastSeen,
    clientAddress,
    isOriginAllowed: origins.isAllowed,
    limiter,
    anonymousLimit: isLimited ? config.RATE_LIMIT_ANONYMOUS : undefined,
    maxConnections: config.WS_MAX_CONNECTIONS,
  })

  const probes = { database: () => sql`select 1`, writer: () => writerDatabase.sql`select 1` }
  const api = new Elysia({ prefix: '/api/v1' })
    .use(createAuthRoutes({ auth, guard }))
    .use(createAccountRoutes({ accounts, guard }))
    .use(createUserRoutes({ users, guard }))
    .use(chatRoutes({ guard, chats, members, reads }))
    .use(messageRoutes({ guard, messages }))
    .use(syncRoutes({ guard, sync }))
    .use(socketRoutes(gateway))
  const http = new Elysia()
    .use(createPlumbing(log))
    .use(cors(origins.cors))
    .use(healthRoutes({ probes, isDraining: gateway.isDraining, log }))
    .use(docs())
    .use(socketRoutes(gateway))
    .use(api)

  const stopJobs = startJobs(
    [
      { name: 'forget ended sessions', everySeconds: 3600, run: sessions.sweep },
      { name: 'forget old attempts', everySeconds: 3600, run: attempts.sweep },
    ],
    log,
  )

  return {
    http,
    fanout,
    gateway,
    users,
    accounts,
    /** Stores what waits in memory: after the last request, before the database goes. */
    async settle(): Promise<void> {
      await writer.drained()
      await reads.flush()
      await lastSeen.stop()
    },
    /** Ends every timer. */
    stop(): void {
      stopJobs()
      gateway.stop()
      presence.close()
    },
  }
}
