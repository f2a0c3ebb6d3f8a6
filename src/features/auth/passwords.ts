/** Hashing passwords without stalling the chat: one hash for each spare core, the rest waits in a bounded queue. */
import { availableParallelism } from 'node:os'
import { unavailable } from '../../errors.ts'
import { createTurns } from '../../http/turns.ts'
import type { Metrics } from '../../observability/metrics.ts'

export type PasswordAlgorithm = 'bcrypt' | 'argon2id'

export interface Passwords {
  /** @throws unavailable when too many wait already */
  hash(password: string): Promise<string>
  /** @throws unavailable when too many wait already */
  verify(password: string, hash: string): Promise<boolean>
  /** Whether the hash was made otherwise than new ones are. */
  needsRehash(hash: string): boolean
  /** Takes the time of `verify`, for accounts that are not there. */
  verifyNothing(password: string): Promise<void>
}

interface Method {
  options: Bun.Password.BCryptAlgorithm | Bun.Password.Argon2Algorithm
  /** How its hashes start. */
  prefix: string
  /** A hash of nothing, for accounts that are not there. */
  decoy: string
}

const BCRYPT_COST = 12
// OWASP's least for argon2id: 19 MiB and two passes.
const ARGON2_KIB = 19_456
const ARGON2_PASSES = 2

const methods: Record<PasswordAlgorithm, Method> = {
  bcrypt: {
    options: { algorithm: 'bcrypt', cost: BCRYPT_COST },
    prefix: `$2b$${BCRYPT_COST}$`,
    decoy: `$2b$${BCRYPT_COST}$${'.'.repeat(53)}`,
  },
  argon2id: {
    options: { algorithm: 'argon2id', memoryCost: ARGON2_KIB, timeCost: ARGON2_PASSES },
    prefix: `$argon2id$v=19$m=${ARGON2_KIB},t=${ARGON2_PASSES},p=1$`,
    decoy: `$argon2id$v=19$m=${ARGON2_KIB},t=${ARGON2_PASSES},p=1$${'A'.repeat(43)}$${'A'.repeat(43)}`,
  },
}

// Argon2 with any other parameters, and bcrypt of any cost: what an earlier setting may have left.
const KNOWN_HASH = /^\$(?:2[aby]\$\d{2}\$[./A-Za-z0-9]{53}|argon2id\$)/

const tooManyWait = () => unavailable('Too many people are signing in; try again in a moment', 2)

export function createPasswords(options: {
  algorithm: PasswordAlgorithm
  concurrency?: number
  queueLimit?: number
  metrics?: Metrics
}): Passwords {
  const { algorithm, concurrency = Math.max(1, availableParallelism() - 1), queueLimit = 32 * concurrency } = options
  const method = methods[algorithm]
  const inTurn = createTurns(concurrency, queueLimit, tooManyWait)
  options.metrics?.gauge('messenger_password_queue', 'Passwords that wait to be hashed.', inTurn.waiting)

  const verify = (password: string, hash: string) =>
    // Anything else is no hash: the mark of a deleted account.
    KNOWN_HASH.test(hash) ? inTurn(() => Bun.password.verify(normalize(password), hash)) : Promise.resolve(false)

  return {
    hash: (password) => inTurn(() => Bun.password.hash(normalize(password), method.options)),
    verify,
    needsRehash: (hash) => !hash.startsWith(method.prefix),
    async verifyNothing(password) {
      await verify(password, method.decoy)
    },
  }
}

/**
 * Keyboards differ in how they compose accents (RFC 8265, 4.2.2). Length is no matter: bcrypt sees 72 bytes only, but
 * Bun gives it the SHA-512 of whatever is longer.
 */
const normalize = (password: string) => password.normalize('NFC')
