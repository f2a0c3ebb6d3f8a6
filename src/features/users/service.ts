/** What one can do with profiles. Accounts are opened, locked and closed by the auth feature. */
import { type Db, isUniqueViolation, type Tx } from '../../db/client.ts'
import { alreadyTaken, userNotFound, validationFailed } from '../../errors.ts'
import { createCredentials } from './credentials.ts'
import {
  type Client,
  type OwnProfile,
  type PublicProfile,
  toOwnProfile,
  toPublicProfile,
  type UpdatedProfile,
  type UpdateProfile,
} from './model.ts'
import * as store from './store.ts'

const SEARCH_LIMIT = 20

export type Users = ReturnType<typeof createUsers>

/** Names that only one living account can hold. */
export interface Names {
  phone?: string
  email?: string | null
  username?: string
}

export function createUsers({ db }: { db: Db }) {
  const service = {
    /** @throws userNotFound when the account was deleted meanwhile */
    async getMe(userId: string): Promise<OwnProfile> {
      const row = await store.findOwn(db, userId)
      if (!row) throw userNotFound()
      return toOwnProfile(row)
    },

    /** A deleted account is answered too: nulls and `is_deleted`. @throws userNotFound */
    async getProfile(userId: string): Promise<PublicProfile> {
      const [profile] = await service.listProfiles(db, [userId])
      if (!profile) throw userNotFound()
      return profile
    },

    /** Profiles of those that exist or existed, deleted ones included, in no order. */
    async listProfiles(on: Db | Tx, userIds: readonly string[]): Promise<PublicProfile[]> {
      if (userIds.length === 0) return []
      return (await store.listPublic(on, userIds)).map(toPublicProfile)
    },

    /** Which of these accounts are there, and stay there until the transaction ends; in no order. */
    listExistingIds: (on: Tx, userIds: readonly string[]): Promise<string[]> =>
      userIds.length === 0 ? Promise.resolve([]) : store.listLivingIds(on, userIds),

    /** Up to 20 others by username prefix, exact phone or exact e-mail; neither deleted nor disabled ones. */
    async search(userId: string, text: string): Promise<{ users: PublicProfile[] }> {
      // A plus sign that a client did not encode arrives as a space.
      const wanted = text.replace(/^ (?=\d)/, '+').trim()
      if ([...wanted].length < 2) throw validationFailed({ q: 'must be at least 2 characters' })
      return { users: (await store.listMatching(db, wanted, userId, SEARCH_LIMIT)).map(toPublicProfile) }
    },

    /** @throws alreadyTaken when another living account has the username */
    async updateProfile(userId: string, changes: UpdateProfile, client: Client): Promise<UpdatedProfile> {
      const { username, bio, avatar } = changes
      if (typeof avatar === 'string') throw validationFailed({ avatar: 'uploading avatars is not available yet' })
      const row = await service.namingTaken({ username }, () =>
        db.transaction(async (tx) => {
          const updated = await store.updateProfile(tx, userId, { username, bio, avatarUrl: avatar })
          if (!updated) throw userNotFound()
          await service.recordAudit(tx, userId, 'profile_update', client, { fields: Object.keys(changes) })
          return updated
        }),
      )
      const { id, avatar_url } = toPublicProfile(row)
      return { id, username: row.username, bio: row.bio, avatar_url, updated_at: row.updatedAt.toISOString() }
    },

    /** @throws alreadyTaken naming each of `names` that a living account holds */
    async refuseTaken(names: Names): Promise<void> {
      const taken = await listTaken(names)
      if (Object.keys(taken).length > 0) throw alreadyTaken(taken)
    },

    /** Runs `write`, which may lose a race for one of `names`: that is `alreadyTaken` too, naming all that are taken. */
    async namingTaken<T>(names: Names, write: () => Promise<T>): Promise<T> {
      try {
        return await write()
      } catch (error) {
        const lost = describeViolation(error)
        if (Object.keys(lost).length === 0) throw error
        throw alreadyTaken({ ...lost, ...(await listTaken(names)) })
      }
    },

    /** Notes that `userId` did something of consequence. Put it into the transaction that does it. */
    recordAudit: (
      on: Db | Tx,
      userId: string,
      action: store.AuditAction,
      client: Client | undefined,
      details: Record<string, unknown> = {},
    ): Promise<void> =>
      store.insertAuditLog(on, {
        id: Bun.randomUUIDv7(),
        userId,
        action,
        ipAddress: client?.address ?? null,
        userAgent: client?.userAgent ?? null,
        details,
      }),

    /** @throws a unique violation: run it within `namingTaken` */
    async create(
      tx: Tx,
      account: { phone: string; email?: string | null; username: string; passwordHash: string },
    ): Promise<string> {
      const id = Bun.randomUUIDv7()
      await store.insertUser(tx, { ...account, id, email: account.email?.trim() ?? null })
      return id
    },

    /** Makes the account a deleted one. @throws userNotFound when it was already */
    async scrub(tx: Tx, userId: string): Promise<void> {
      if (!(await store.scrubUser(tx, userId))) throw userNotFound()
    },

    credentials: createCredentials({ db }),

    /** For the operator. */
    listAccounts: (): Promise<store.AccountRow[]> => store.listAccounts(db),
    /** For the operator: by id, phone, e-mail or username. */
    findAccount: (name: string): Promise<store.AccountRow | undefined> => store.findAccount(db, name),
  }

  async function listTaken({ phone, email, username }: Names): Promise<Record<string, string>> {
    if (phone === undefined && !email && username === undefined) return {}
    const holders = await store.listHolders(db, { phone, email, username })
    return {
      ...(holders.some((holder) => holder.hasPhone) && TAKEN.idx_users_phone),
      ...(holders.some((holder) => holder.hasEmail) && TAKEN.idx_users_email),
      ...(holders.some((holder) => holder.hasUsername) && TAKEN.idx_users_username),
    }
  }

  return service
}

/** By the unique index that refuses it. */
const TAKEN = {
  idx_users_phone: { phone: 'is already registered' },
  idx_users_email: { email: 'is already registered' },
  idx_users_username: { username: 'is already taken' },
}

function describeViolation(error: unknown): Record<string, string> {
  const found = Object.entries(TAKEN).find(([index]) => isUniqueViolation(error, index))
  return found?.[1] ?? {}
}
