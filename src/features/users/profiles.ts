/** Profiles by id: one's own, and as members of groups and channels see whoever writes there. */
import { type Cache, remember } from '../../cache/cache.ts'
import { ownProfileKey, PROFILE_SECONDS, profileKey } from '../../cache/keys.ts'
import type { Db } from '../../db/client.ts'
import { sessionEnded, userNotFound } from '../../errors.ts'
import { type OwnProfile, type PublicProfile, toOwnProfile, toPublicProfile } from './model.ts'
import { findOwn, findPublic, listPublic } from './store.ts'

export type Profiles = ReturnType<typeof createProfiles>

/** Whoever has blocked more is read from the database each time. */
const MAX_BLOCKED = 1000
const MAX_MADE = 1000

type WithoutTier = Omit<OwnProfile, 'upload_max_bytes'>

/** Depends on nobody's looking: from whom it is concealed is decided when it is shown. */
interface Kept {
  profile: PublicProfile
  blockedIds: string[]
}

export function createProfiles({ db, cache, maxBlocked = MAX_BLOCKED }: { db: Db; cache: Cache; maxBlocked?: number }) {
  /** Of those who ask over and over: what the text in the cache says, made once. */
  const made = new Map<string, { key: string; text: string; profile: OwnProfile }>()

  return {
    /** One's own, where it is in this very process; undefined where `getOwn` has to ask. Not to be changed. */
    recallOwn(userId: string, uploadMaxBytes: number): Readonly<OwnProfile> | undefined {
      const known = made.get(userId)
      const key = known?.key ?? ownProfileKey(userId)
      const text = cache.recall(key)
      if (text === undefined) return undefined
      if (known?.text === text && known.profile.upload_max_bytes === uploadMaxBytes) return known.profile
      const profile = { ...(JSON.parse(text) as WithoutTier), upload_max_bytes: uploadMaxBytes }
      made.delete(userId)
      if (made.size >= MAX_MADE) for (const oldest of made.keys().take(1)) made.delete(oldest)
      made.set(userId, { key, text, profile })
      return profile
    },

    /** One's own, but for what the tier says. @throws sessionEnded when the account was deleted meanwhile */
    async getOwn(userId: string): Promise<WithoutTier> {
      const text = await remember(cache, ownProfileKey(userId), PROFILE_SECONDS, async () => {
        const row = await findOwn(db, userId)
        return row && JSON.stringify(toOwnProfile(row))
      })
      if (text === undefined) throw sessionEnded()
      return JSON.parse(text) as WithoutTier
    },

    /** As the viewer sees it. A deleted account is answered too: nulls and `is_deleted`. @throws userNotFound */
    async get(viewerId: string, userId: string): Promise<PublicProfile> {
      const key = profileKey(userId)
      const { value, permit } = await cache.get(key)
      if (value !== undefined) return show(JSON.parse(value) as Kept, viewerId)
      const found = await findPublic(db, { userId, viewerId, maxBlocked: maxBlocked + 1 })
      if (!found) throw userNotFound()
      const { blockedIds, isConcealed, ...row } = found
      if (blockedIds.length <= maxBlocked) {
        const kept: Kept = { profile: toPublicProfile(row), blockedIds }
        await cache.set(key, JSON.stringify(kept), PROFILE_SECONDS, permit)
      }
      return toPublicProfile(row, isConcealed)
    },

    /** Several of them in one query, in no order; those that do not exist are left out. */
    async list(viewerId: string, userIds: readonly string[]): Promise<{ users: PublicProfile[] }> {
      const rows = await listPublic(db, userIds, viewerId)
      return { users: rows.map(({ isConcealed, ...row }) => toPublicProfile(row, isConcealed)) }
    },

    /**
     * For whoever has changed what these users or others see of them, or whom these have blocked: after the commit. When it
     * has resolved no instance shows what was before.
     */
    async forget(userIds: readonly string[]): Promise<void> {
      for (const userId of userIds) made.delete(userId)
      const keys = userIds.flatMap((userId) => [profileKey(userId), ownProfileKey(userId)])
      await Promise.all(keys.map(cache.forget))
    },
  }
}

const show = ({ profile, blockedIds }: Kept, viewerId: string): PublicProfile =>
  blockedIds.includes(viewerId) ? { ...profile, last_seen: null } : profile
