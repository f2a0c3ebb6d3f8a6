/** Who wants nothing to do with whom. A block keeps the blocked one away from the blocker, never the other way round. */
import type { BusMessage } from '../../bus/bus.ts'
import type { Db, Tx } from '../../db/client.ts'
import { blockingOneself, sessionEnded, userNotFound } from '../../errors.ts'
import { type CursorPage, cutPage, decodeCursor } from '../../http/cursor.ts'
import * as store from './blocks-store.ts'
import { type BlockedUsers, toPublicProfile } from './model.ts'
import type { Users } from './service.ts'

/** The blocker, the one who is blocked, and whether they are from now on. */
export type BlockChange = store.Block & { isBlocked: boolean }

export interface BlocksDeps {
  db: Db
  users: Users
  /** Shuts or opens the direct chat of the two for the blocked one, in the transaction that holds both accounts. */
  followInDm(tx: Tx, change: BlockChange): Promise<void>
  /** Told after the commit. */
  onChanged(change: BlockChange): Promise<void>
}

export type Blocks = ReturnType<typeof createBlocks>

export function createBlocks({ db, users, followInDm, onChanged }: BlocksDeps) {
  /**
   * Both accounts are locked first, as a chat of the two is made or joined: of a block and such a chat one always sees
   * the other.
   */
  const change = async ({ blockerId, blockedId, isBlocked }: BlockChange): Promise<void> => {
    const isNew = await db.transaction(async (tx) => {
      const accounts = await store.lockAccounts(tx, [blockerId, blockedId])
      const [blocker, blocked] = [blockerId, blockedId].map((id) => accounts.find((account) => account.id === id))
      if (!blocker || blocker.deletedAt) throw sessionEnded()
      const isThere = blocked && (blocked.deletedAt === null || !isBlocked)
      if (!isThere) throw userNotFound()
      const block = { blockerId, blockedId }
      const isChange = isBlocked ? await store.insertBlock(tx, block) : await store.deleteBlock(tx, block)
      if (isChange) await followInDm(tx, { ...block, isBlocked })
      return isChange
    })
    await users.profiles.forget([blockerId])
    if (isNew) await onChanged({ blockerId, blockedId, isBlocked })
  }

  return {
    /** Again changes nothing. @throws AppError 400 for oneself, 404 for one who is not there (any more) */
    async block(userId: string, blockedId: string): Promise<void> {
      if (userId === blockedId) throw blockingOneself()
      await change({ blockerId: userId, blockedId, isBlocked: true })
    },

    /** Whoever is not blocked stays so. @throws AppError 400 for oneself, 404 for one who never was */
    async unblock(userId: string, blockedId: string): Promise<void> {
      if (userId === blockedId) throw blockingOneself()
      await change({ blockerId: userId, blockedId, isBlocked: false })
    },

    /** Whom the user has blocked, the latest first. @throws AppError 400 for a cursor that is none */
    async list(userId: string, { limit = 50, cursor }: CursorPage): Promise<BlockedUsers> {
      const before = cursor === undefined ? undefined : decodeCursor(cursor)
      const rows = await store.listBlocks(db, userId, { before, limit: limit + 1 })
      const { page, ...rest } = cutPage(rows, limit, ({ user, createdAt }) => ({ at: createdAt, id: user.id }))
      const blockers = await users.listBlockers(
        db,
        userId,
        page.map(({ user }) => user.id),
      )
      const blocks = page.map(({ user, createdAt }) => ({
        user: toPublicProfile(user, blockers.has(user.id)),
        created_at: createdAt.toISOString(),
      }))
      return { blocks, ...rest }
    },

    /** The ids of all whom the user has blocked. */
    listBlockedBy: (userId: string): Promise<string[]> => store.listBlockedIds(db, userId),

    /** A deleted account has blocked nobody and is blocked by nobody. @returns nothing to publish */
    async forgetAccount(tx: Tx, userId: string): Promise<BusMessage[]> {
      await store.deleteBlocksOf(tx, userId)
      return []
    },
  }
}
