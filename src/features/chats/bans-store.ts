/** The queries about whom a chat's staff has removed. */
import { and, eq, inArray } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import { bans } from '../../db/schema/index.ts'

export async function insertBan(tx: Tx, chatId: string, userId: string): Promise<void> {
  await tx.insert(bans).values({ chatId, userId }).onConflictDoNothing()
}

export async function deleteBans(tx: Tx, chatId: string, userIds: readonly string[]): Promise<void> {
  await tx.delete(bans).where(and(eq(bans.chatId, chatId), inArray(bans.userId, [...userIds])))
}

export async function isBanned(tx: Tx, chatId: string, userId: string): Promise<boolean> {
  const rows = await tx
    .select({ userId: bans.userId })
    .from(bans)
    .where(and(eq(bans.chatId, chatId), eq(bans.userId, userId)))
  return rows.length > 0
}
