/** Limits that protect accounts. They hold over all instances and restarts, so they are counted in PostgreSQL. */
import type { Db, Tx } from '../../db/client.ts'
import { tooManyLogins, tooManyRequests } from '../../errors.ts'
import { limitUnit } from '../../http/client-address.ts'
import * as store from './attempt-store.ts'

export interface AttemptLimits {
  isOn: boolean
  /** Guesses at one account in 15 minutes: over all addresses it never signed in from, and from each it did. */
  loginPerAccount: number
  /** Logins of one address in 15 minutes, whatever the account. */
  loginPerAddress: number
  /** Registrations of one address in an hour. */
  registerPerAddress: number
}

/** An account by its id, or a name that belongs to none: both are limited alike, so that the limit tells nothing. */
export type Target = { userId: string } | { unknownName: string }

export type Attempts = ReturnType<typeof createAttempts>

const LOGIN_WINDOW_SECONDS = 15 * 60
const REGISTER_WINDOW_SECONDS = 3600
const NOBODY = '00000000-0000-0000-0000-000000000000'

const digest = (name: string) => new Bun.CryptoHasher('sha256').update(name.trim().toLowerCase()).digest('hex')
const strangersKey = (target: Target) =>
  'userId' in target ? `login:account:${target.userId}` : `login:unknown:${digest(target.unknownName)}`
const addressKey = (target: Target, unit: string) => `${strangersKey(target)}:${unit}`

export interface AttemptsOptions {
  db: Db
  limits: AttemptLimits
  /** Told of each refusal. */
  onRefused?: (kind: 'login' | 'register') => void
}

export function createAttempts({ db, limits, onRefused }: AttemptsOptions) {
  return {
    /**
     * Counts one guess at a password; call it before the password is looked at.
     * @throws tooManyLogins beyond a limit
     */
    async countLogin(target: Target, address: string): Promise<void> {
      if (!limits.isOn) return
      const unit = limitUnit(address)
      const isKnown = await store.isKnownAddress(db, 'userId' in target ? target.userId : NOBODY, unit)
      const account = isKnown ? addressKey(target, unit) : strangersKey(target)
      const most = { [account]: limits.loginPerAccount, [`login:address:${unit}`]: limits.loginPerAddress }
      const counted = await store.countAttempts(db, Object.keys(most), LOGIN_WINDOW_SECONDS)
      const broken = counted.filter(({ key, attempts }) => attempts > (most[key] ?? 0))
      if (broken.length === 0) return
      onRefused?.('login')
      throw tooManyLogins(Math.max(...broken.map((limit) => limit.retryAfterSeconds)))
    },

    /** The password was right: the account starts afresh, and the address is one of its own from now on. */
    async succeeded(tx: Tx, userId: string, address: string): Promise<void> {
      const unit = limitUnit(address)
      await store.deleteAttempts(tx, [strangersKey({ userId }), addressKey({ userId }, unit)])
      await store.upsertKnownAddress(tx, userId, unit)
    },

    /** @throws tooManyRequests beyond the limit */
    async countRegistration(address: string): Promise<void> {
      if (!limits.isOn) return
      const [counted] = await store.countAttempts(
        db,
        [`register:address:${limitUnit(address)}`],
        REGISTER_WINDOW_SECONDS,
      )
      if (!counted || counted.attempts <= limits.registerPerAddress) return
      onRefused?.('register')
      throw tooManyRequests(counted.retryAfterSeconds)
    },

    /** The account is deleted: where it was used from is nobody's business. */
    forget: (tx: Tx, userId: string): Promise<void> => store.deleteKnownAddresses(tx, userId),

    /** Deletes what no limit looks at any more. */
    async sweep(): Promise<void> {
      await store.deletePassedAttempts(db)
      await store.deleteForgottenAddresses(db)
    },
  }
}
