/** The queries about who has blocked whom. */
import { and, asc, desc, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { blocks, publicColumns, users } from '../../db/schema/index.ts'
import { statement } from '../../db/statement.ts'

/** Who has blocked whom. */
export interface Block {
  blockerId: string
  blockedId: string
}

const isThis = ({ blockerId, blockedId }: Block) =>
  and(eq(blocks.blockerId, blockerId), eq(blocks.blockedId, blockedId))

/** Which of `userIds` have blocked the viewer. */
export async function listBlockerIds(db: Db | Tx, viewerId: string, userIds: readonly string[]): Promise<string[]> {
  const rows = await db
    .select({ id: blocks.blockerId })
    .from(blocks)
    .where(and(eq(blocks.blockedId, viewerId), inArray(blocks.blockerId, [...userIds])))
  return rows.map(({ id }) => id)
}

/** Whom the user has blocked. */
export async function listBlockedIds(db: Db, userId: string): Promise<string[]> {
  const rows = await selectBlocked(db, { userId })
  return rows.map(({ id }) => id)
}

const selectBlocked = statement((db) => {
  const fields = { id: blocks.blockedId }
  return {
    fields,
    query: db
      .select(fields)
      .from(blocks)
      .where(eq(blocks.blockerId, sql.placeholder('userId'))),
  }
})

/** Whom the user has blocked, with their profiles, the latest first. */
export function listBlocks(db: Db, userId: string, page: { before?: { at: Date; id: string }; limit: number }) {
  const { before, limit } = page
  const isLater: SQL | undefined =
    before && sql`(${blocks.createdAt}, ${blocks.blockedId}) < (${before.at}::timestamptz, ${before.id}::uuid)`
  return db
    .select({ user: publicColumns, createdAt: blocks.createdAt })
    .from(blocks)
    .innerJoin(users, eq(users.id, blocks.blockedId))
    .where(and(eq(blocks.blockerId, userId), isLater))
    .orderBy(desc(blocks.createdAt), desc(blocks.blockedId))
    .limit(limit)
}

/**
 * The accounts, deleted ones included, locked until the transaction ends: whoever makes a chat of them or adds them to
 * one waits for it.
 */
export function lockAccounts(tx: Tx, userIds: readonly string[]) {
  return tx
    .select({ id: users.id, deletedAt: users.deletedAt })
    .from(users)
    .where(inArray(users.id, [...userIds]))
    .orderBy(asc(users.id))
    .for('no key update')
}

/** @returns false when it was there already */
export async function insertBlock(tx: Tx, block: Block): Promise<boolean> {
  const rows = await tx.insert(blocks).values(block).onConflictDoNothing().returning({ id: blocks.blockedId })
  return rows.length > 0
}

/** @returns false when it was not there */
export async function deleteBlock(tx: Tx, block: Block): Promise<boolean> {
  const rows = await tx.delete(blocks).where(isThis(block)).returning({ id: blocks.blockedId })
  return rows.length > 0
}

/** Whoever the user has blocked, and whoever has blocked the user. */
export async function deleteBlocksOf(tx: Tx, userId: string): Promise<void> {
  await tx.delete(blocks).where(or(eq(blocks.blockerId, userId), eq(blocks.blockedId, userId)))
}
