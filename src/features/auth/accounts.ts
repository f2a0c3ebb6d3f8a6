/** What changes or closes an account, by its owner or by the operator. */
import type { Bus, BusMessage } from '../../bus/bus.ts'
import type { Db, Tx } from '../../db/client.ts'
import { sessionEnded, validationFailed, wrongOldPassword } from '../../errors.ts'
import type { Client } from '../users/model.ts'
import { listFaults } from '../users/rules.ts'
import type { Users } from '../users/service.ts'
import type { Attempts } from './attempts.ts'
import type { ChangePassword } from './model.ts'
import type { Passwords } from './passwords.ts'
import type { Sessions } from './sessions.ts'

/** What another feature does when an account is deleted, in the same transaction; its messages go out after the commit. */
export type DeletionStep = (tx: Tx, userId: string) => Promise<BusMessage[]>

export interface AccountsDeps {
  db: Db
  bus: Bus
  users: Users
  passwords: Passwords
  sessions: Sessions
  attempts: Attempts
  /** In this order. */
  steps: readonly DeletionStep[]
}

export type Accounts = ReturnType<typeof createAccounts>

const BY_OPERATOR = { by: 'operator' }

export function createAccounts({ db, bus, users, passwords, sessions, attempts, steps }: AccountsDeps) {
  /** Runs `change` and ends sessions with it, if it says which. */
  const endingSessions = async (userId: string, change: (tx: Tx) => Promise<string[]>): Promise<void> => {
    sessions.announceEnded(userId, await db.transaction(change))
  }

  return {
    /**
     * Ends all other sessions. Guesses at the old password count like logins.
     * @throws wrongOldPassword, tooManyLogins; sessionEnded when the account was deleted meanwhile
     */
    async changePassword(
      { userId, sessionId }: { userId: string; sessionId: string },
      { old_password, new_password }: ChangePassword,
      client: Client,
    ): Promise<void> {
      await attempts.countLogin({ userId }, client.address)
      const found = await users.credentials.findById(userId)
      if (!found) throw sessionEnded()
      const previousHash = found.passwordHash
      if (!(await passwords.verify(old_password, previousHash))) throw wrongOldPassword()
      const passwordHash = await passwords.hash(new_password)
      await endingSessions(userId, async (tx) => {
        // Another change may have been faster.
        if (!(await users.credentials.replace(tx, { userId, previousHash, passwordHash }))) throw wrongOldPassword()
        await attempts.succeeded(tx, userId, client.address)
        await users.recordAudit(tx, userId, 'password_change', client)
        return sessions.endWithin(tx, userId, { except: sessionId })
      })
    },

    /**
     * For ever: the name and the phone are free again, messages stay, from a deleted account.
     * @throws sessionEnded when it was deleted already
     */
    async deleteAccount(userId: string, client: Client): Promise<void> {
      const messages: BusMessage[] = []
      let dropPicture: (() => Promise<void>) | undefined
      await endingSessions(userId, async (tx) => {
        if (!(await users.credentials.lock(tx, userId))) throw sessionEnded()
        for (const step of steps) messages.push(...(await step(tx, userId)))
        dropPicture = await users.scrub(tx, userId)
        await attempts.forget(tx, userId)
        await users.recordAudit(tx, userId, 'account_delete', client)
        return sessions.endWithin(tx, userId)
      })
      bus.publish(messages)
      await users.profiles.forget([userId])
      await dropPicture?.()
    },

    /** For the operator, whatever REGISTRATION says. @returns the id; @throws validationFailed, alreadyTaken */
    async create(account: { phone: string; email?: string; username: string; password: string }): Promise<string> {
      refuseFaults(account)
      await users.refuseTaken(account)
      const { password, ...names } = account
      const passwordHash = await passwords.hash(password)
      return users.namingTaken(names, () =>
        db.transaction(async (tx) => {
          const userId = await users.create(tx, { ...names, passwordHash })
          await users.recordAudit(tx, userId, 'register', undefined, BY_OPERATOR)
          return userId
        }),
      )
    },

    /** For the operator; ends all sessions. @throws validationFailed, userNotFound */
    async resetPassword(userId: string, password: string): Promise<void> {
      refuseFaults({ password })
      const passwordHash = await passwords.hash(password)
      await endingSessions(userId, async (tx) => {
        await users.credentials.reset(tx, userId, passwordHash)
        await users.recordAudit(tx, userId, 'password_change', undefined, BY_OPERATOR)
        return sessions.endWithin(tx, userId)
      })
    },

    /** For the operator: nobody signs in to the account any more, and all its sessions end. @throws userNotFound */
    disable: (userId: string): Promise<void> =>
      endingSessions(userId, async (tx) => {
        await users.credentials.setDisabled(tx, userId, true)
        return sessions.endWithin(tx, userId)
      }),

    /** @throws userNotFound */
    enable: (userId: string): Promise<void> => db.transaction((tx) => users.credentials.setDisabled(tx, userId, false)),
  }
}

function refuseFaults(fields: Parameters<typeof listFaults>[0]): void {
  const faults = listFaults(fields)
  if (Object.keys(faults).length > 0) throw validationFailed(faults)
}
