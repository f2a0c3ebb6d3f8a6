/** Getting in, staying in, getting out. */
import type { Db } from '../../db/client.ts'
import { accountDisabled, registrationClosed, sessionNotFound, wrongCredentials } from '../../errors.ts'
import type { Credentials } from '../users/credentials.ts'
import type { Client } from '../users/model.ts'
import type { Users } from '../users/service.ts'
import type { Attempts } from './attempts.ts'
import { type Login, type Refreshed, type Register, type Session, type SignedIn, toSession } from './model.ts'
import type { Passwords } from './passwords.ts'
import type { Sessions } from './sessions.ts'
import type { Tokens } from './tokens.ts'

export interface AuthDeps {
  db: Db
  users: Users
  tokens: Tokens
  passwords: Passwords
  sessions: Sessions
  attempts: Attempts
  registration: 'open' | 'closed'
}

export type Auth = ReturnType<typeof createAuth>

const MAX_TRIES = 3

export function createAuth({ db, users, tokens, passwords, sessions, attempts, registration }: AuthDeps) {
  const signedIn = async (userId: string, opened: { sessionId: string; refreshToken: string }): Promise<SignedIn> => ({
    user_id: userId,
    token: await tokens.issue(userId, opened.sessionId),
    refresh_token: opened.refreshToken,
    expires_in: tokens.ttlSeconds,
  })

  /** Opens a session for whoever knows the password of `account`. */
  const letIn = async (account: Credentials, password: string, client: Client, tries = 1): Promise<SignedIn> => {
    const { id: userId, passwordHash: previousHash } = account
    if (!(await passwords.verify(password, previousHash))) throw wrongCredentials()
    if (account.disabledAt) throw accountDisabled()
    const passwordHash = passwords.needsRehash(previousHash) ? await passwords.hash(password) : undefined

    const opened = await db.transaction(async (tx) => {
      const locked = await users.credentials.lock(tx, userId)
      const isUnchanged = locked?.passwordHash === previousHash && locked.disabledAt === null
      if (!isUnchanged) return undefined
      if (passwordHash) await users.credentials.replace(tx, { userId, previousHash, passwordHash })
      await attempts.succeeded(tx, userId, client.address)
      const session = await sessions.open(tx, userId, client)
      await users.recordAudit(tx, userId, 'login', client, { session_id: session.sessionId })
      return session
    })
    if (opened) return signedIn(userId, opened)

    // The password was changed, or hashed anew, or the account disabled, while ours was checked: check against that.
    const changed = tries < MAX_TRIES ? await users.credentials.findById(userId) : undefined
    if (!changed) throw wrongCredentials()
    return letIn(changed, password, client, tries + 1)
  }

  const end = async (userId: string, which: { only?: string; except?: string }, client: Client): Promise<string[]> => {
    const ended = await db.transaction(async (tx) => {
      const ids = await sessions.endWithin(tx, userId, which)
      if (ids.length > 0) await users.recordAudit(tx, userId, 'logout', client, { session_ids: ids })
      return ids
    })
    sessions.announceEnded(userId, ended)
    return ended
  }

  return {
    /**
     * Makes an account and signs it in.
     * @throws registrationClosed, alreadyTaken naming each taken field, tooManyRequests
     */
    async register(account: Register, client: Client): Promise<SignedIn> {
      if (registration === 'closed') throw registrationClosed()
      await users.refuseTaken(account)
      await attempts.countRegistration(client.address)
      const { password, ...names } = account
      const passwordHash = await passwords.hash(password)
      const { userId, opened } = await users.namingTaken(names, () =>
        db.transaction(async (tx) => {
          const userId = await users.create(tx, { ...names, passwordHash })
          await attempts.succeeded(tx, userId, client.address)
          const opened = await sessions.open(tx, userId, client)
          await users.recordAudit(tx, userId, 'register', client, { session_id: opened.sessionId })
          return { userId, opened }
        }),
      )
      return signedIn(userId, opened)
    },

    /**
     * An account that is not there takes as long and answers the same as a wrong password.
     * @throws wrongCredentials, accountDisabled after the right password only, tooManyLogins
     */
    async login({ phone_or_email: name, password }: Login, client: Client): Promise<SignedIn> {
      const account = await users.credentials.find(name)
      await attempts.countLogin(account ? { userId: account.id } : { unknownName: name }, client.address)
      if (account) return letIn(account, password, client)
      await passwords.verifyNothing(password)
      throw wrongCredentials()
    },

    /** A new access token, and the successor of the refresh token. @throws invalidRefreshToken */
    async refresh(presented: string): Promise<Refreshed> {
      const { userId, sessionId, refreshToken } = await sessions.refresh(presented)
      const token = await tokens.issue(userId, sessionId)
      return { token, refresh_token: refreshToken, expires_in: tokens.ttlSeconds }
    },

    /** Ends this session: its tokens and its sockets. */
    async logout(userId: string, sessionId: string, client: Client): Promise<void> {
      await end(userId, { only: sessionId }, client)
    },

    async listSessions(userId: string, currentId: string): Promise<{ sessions: Session[] }> {
      return { sessions: (await sessions.list(userId)).map((row) => toSession(row, currentId)) }
    },

    /** @throws sessionNotFound for what is no session of this user */
    async endSession(userId: string, sessionId: string, client: Client): Promise<void> {
      const ended = await end(userId, { only: sessionId }, client)
      if (ended.length === 0) throw sessionNotFound()
    },

    /** All but the current one. */
    async endOtherSessions(userId: string, currentId: string, client: Client): Promise<void> {
      await end(userId, { except: currentId }, client)
    },
  }
}
