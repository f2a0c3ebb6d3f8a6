/** What one can do with profiles. Accounts are opened, locked and closed by the auth feature. */
import { type Db, isUniqueViolation, type Tx } from '../../db/client.ts'
import { alreadyTaken, sessionEnded, validationFailed } from '../../errors.ts'
import type { Avatars } from './avatars.ts'
import { listBlockerIds } from './blocks-store.ts'
import { createCredentials } from './credentials.ts'
import {
  type Client,
  type OwnProfile,
  type PublicProfile,
  toPublicProfile,
  type UpdatedProfile,
  type UpdateProfile,
} from './model.ts'
import type { Profiles } from './profiles.ts'
import * as store from './store.ts'

const SEARCH_LIMIT = 20

export type Users = ReturnType<typeof createUsers>

/** Names that only one living account can hold. */
export interface Names {
  phone?: string
  email?: string | null
  username?: string
}

export interface UsersDeps {
  db: Db
  profiles: Profiles
  avatars: Avatars
  /** By the account's tier. */
  uploadMaxBytesOf(userId: string): number | Promise<number>
}

export function createUsers({ db, profiles, avatars, uploadMaxBytesOf }: UsersDeps) {
  const service = {
    /** @throws sessionEnded when the account was deleted meanwhile */
    getMe(userId: string): OwnProfile | Promise<OwnProfile> {
      const uploadMaxBytes = uploadMaxBytesOf(userId)
      const known = typeof uploadMaxBytes === 'number' ? profiles.recallOwn(userId, uploadMaxBytes) : undefined
      return known ?? askMe(userId, uploadMaxBytes)
    },

    /** As others see them. */
    profiles,

    /** Which of these accounts have blocked the viewer: they show them no presence. No query for oneself alone. */
    async listBlockers(on: Db | Tx, viewerId: string, userIds: readonly string[]): Promise<ReadonlySet<string>> {
      const others = userIds.filter((id) => id !== viewerId)
      return new Set(others.length === 0 ? [] : await listBlockerIds(on, viewerId, others))
    },

    /**
     * Which of these accounts are there, and stay there until the transaction ends; in no order. Until then nobody
     * blocks them or is blocked by them either. Ask for all at once, before any chat is locked: that is the order of
     * locking.
     */
    listExistingIds: (on: Tx, userIds: readonly string[]): Promise<string[]> =>
      userIds.length === 0 ? Promise.resolve([]) : store.listLivingIds(on, userIds),

    /**
     * Up to 20 others by username prefix, exact phone or exact e-mail; neither deleted nor disabled ones, nor those who
     * have blocked the user.
     */
    async search(userId: string, text: string): Promise<{ users: PublicProfile[] }> {
      // A plus sign that a client did not encode arrives as a space.
      const wanted = text.replace(/^ (?=\d)/, '+').trim()
      if ([...wanted].length < 2) throw validationFailed({ q: 'must be at least 2 characters' })
      const found = await store.listMatching(db, wanted, userId, SEARCH_LIMIT)
      return { users: found.map((row) => toPublicProfile(row)) }
    },

    /**
     * @throws alreadyTaken when another living account has the username; sessionEnded when this one was deleted meanwhile;
     *   AppError 400, 415, 429, 503 for an avatar that cannot be made
     */
    async updateProfile(userId: string, changes: UpdateProfile, client: Client): Promise<UpdatedProfile> {
      const { username, bio, avatar } = changes
      const findAvatar = () => store.findAvatar(db, userId)
      const write = (avatarUrl: string | null | undefined) =>
        db.transaction(async (tx) => {
          const replaced = avatarUrl === undefined ? null : await store.lockAvatar(tx, userId)
          const updated = await store.updateProfile(tx, userId, { username, bio, avatarUrl })
          if (!updated) throw sessionEnded()
          await service.recordAudit(tx, userId, 'profile_update', client, { fields: Object.keys(changes) })
          return { done: updated, replaced }
        })
      const row = await avatars.exchange(userId, avatar, findAvatar, async (avatarUrl) => {
        const outcome = await service.namingTaken({ username }, () => write(avatarUrl))
        // Before the picture goes that the profiles still show.
        await profiles.forget([userId])
        return outcome
      })
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

    /**
     * Makes the account a deleted one. @returns what removes its picture, after the commit
     * @throws sessionEnded when it was already: only its owner deletes it
     */
    async scrub(tx: Tx, userId: string): Promise<() => Promise<void>> {
      const avatarUrl = await store.lockAvatar(tx, userId)
      if (!(await store.scrubUser(tx, userId))) throw sessionEnded()
      return () => avatars.drop(avatarUrl)
    },

    credentials: createCredentials({ db }),

    /** For the operator. */
    listAccounts: (): Promise<store.AccountRow[]> => store.listAccounts(db),
    /** For the operator: by id, phone, e-mail or username. */
    findAccount: (name: string): Promise<store.AccountRow | undefined> => store.findAccount(db, name),
  }

  async function askMe(userId: string, uploadMaxBytes: number | Promise<number>): Promise<OwnProfile> {
    const [profile, upload_max_bytes] = await Promise.all([profiles.getOwn(userId), uploadMaxBytes])
    return { ...profile, upload_max_bytes }
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
