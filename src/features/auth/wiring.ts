/** The parts of signing in, wired: tokens, sessions, passwords, and what counts attempts. */
import type { Bus } from '../../bus/bus.ts'
import type { Config } from '../../config.ts'
import type { Db } from '../../db/client.ts'
import type { Log } from '../../observability/log.ts'
import type { Metrics } from '../../observability/metrics.ts'
import type { Users } from '../users/service.ts'
import { createAttempts } from './attempts.ts'
import { createAuthenticator } from './authenticator.ts'
import { createPasswords } from './passwords.ts'
import { createRefreshTokens } from './refresh-tokens.ts'
import { createAuth } from './service.ts'
import { createSessions } from './sessions.ts'
import { createTokens } from './tokens.ts'

export interface AuthWiringDeps {
  db: Db
  bus: Bus
  log: Log
  users: Users
  config: Config
  keys: { secret: string; previousSecret?: string }
  isLimited: boolean
  metrics: Metrics
  /** Milliseconds, the same for all instances. */
  now: () => number
  onRefused: (kind: 'login' | 'register') => void
}

export function wireAuth(deps: AuthWiringDeps) {
  const { db, bus, log, users, config, keys, isLimited, metrics, now, onRefused } = deps
  const tokens = createTokens({ ...keys, ttlSeconds: config.ACCESS_TOKEN_TTL, now })
  const refreshTokens = createRefreshTokens(keys)
  const sessions = createSessions({ db, bus, log, refreshTokens, ttlSeconds: config.REFRESH_TOKEN_TTL })
  const passwords = createPasswords({ algorithm: config.PASSWORD_HASH, metrics })
  const attempts = createAttempts({
    db,
    onRefused,
    limits: {
      isOn: isLimited,
      loginPerAccount: config.RATE_LIMIT_LOGIN_ACCOUNT,
      loginPerAddress: config.RATE_LIMIT_LOGIN_ADDRESS,
      registerPerAddress: config.RATE_LIMIT_REGISTER,
    },
  })
  const auth = createAuth({ db, users, tokens, passwords, sessions, attempts, registration: config.REGISTRATION })
  return { sessions, passwords, attempts, auth, authenticate: createAuthenticator({ tokens, sessions }) }
}
