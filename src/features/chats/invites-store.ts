/** The queries about invites. */
import { and, desc, eq, gt, isNull, lte, or, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chats, invites } from '../../db/schema/index.ts'

const columns = {
  code: invites.code,
  chatId: invites.chatId,
  createdBy: invites.createdBy,
  expiresAt: invites.expiresAt,
  maxUses: invites.maxUses,
  uses: invites.uses,
  createdAt: invites.createdAt,
}
export type InviteRow = Pick<typeof invites.$inferSelect, keyof typeof columns>

const isUnexpired = or(isNull(invites.expiresAt), gt(invites.expiresAt, sql`now()`))
const hasUses = or(isNull(invites.maxUses), gt(invites.maxUses, invites.uses))
const isLiving = and(isUnexpired, hasUses)

/** `expiresInSeconds` null: never; `maxUses` null: any number. */
export async function insertInvite(
  tx: Tx,
  invite: { code: string; chatId: string; createdBy: string; expiresInSeconds: number | null; maxUses: number | null },
): Promise<InviteRow> {
  const { expiresInSeconds, ...values } = invite
  const expiresAt = expiresInSeconds === null ? null : sql`now() + make_interval(secs => ${expiresInSeconds})`
  const [row] = await tx
    .insert(invites)
    .values({ ...values, expiresAt })
    .returning(columns)
  if (!row) throw new Error('An insert returned no row')
  return row
}

/** Those that somebody can still join by, the latest first. */
export function listLiving(db: Db | Tx, chatId: string): Promise<InviteRow[]> {
  return db
    .select(columns)
    .from(invites)
    .where(and(eq(invites.chatId, chatId), isLiving))
    .orderBy(desc(invites.createdAt), desc(invites.code))
}

export async function countLiving(tx: Tx, chatId: string): Promise<number> {
  return tx.$count(invites, and(eq(invites.chatId, chatId), isLiving))
}

/** The chat that an unexpired code leads to, and whether others have used it up. A chat without members is nobody's. */
export async function findInvited(db: Db | Tx, code: string) {
  const [row] = await db
    .select({
      chatId: chats.id,
      name: chats.name,
      avatarUrl: chats.avatarUrl,
      type: chats.type,
      ownerId: chats.ownerId,
      memberCount: chats.memberCount,
      lastSeq: chats.lastSeq,
      isUsedUp: sql<boolean>`not (${hasUses})`,
    })
    .from(invites)
    .innerJoin(chats, eq(chats.id, invites.chatId))
    .where(and(eq(invites.code, code), isUnexpired, gt(chats.memberCount, 0)))
  return row
}

/** Counts one who joins. @returns false when nobody can by this code any more */
export async function useInvite(tx: Tx, code: string): Promise<boolean> {
  const rows = await tx
    .update(invites)
    .set({ uses: sql`${invites.uses} + 1` })
    .where(and(eq(invites.code, code), isLiving))
    .returning({ code: invites.code })
  return rows.length > 0
}

/** @returns false when the chat has no such invite */
export async function deleteInvite(tx: Tx, chatId: string, code: string): Promise<boolean> {
  const rows = await tx
    .delete(invites)
    .where(and(eq(invites.chatId, chatId), eq(invites.code, code)))
    .returning({ code: invites.code })
  return rows.length > 0
}

/** Those that the user made. */
export async function deleteInvitesOf(tx: Tx, chatId: string, userId: string): Promise<void> {
  await tx.delete(invites).where(and(eq(invites.chatId, chatId), eq(invites.createdBy, userId)))
}

export async function deleteExpired(db: Db): Promise<void> {
  await db.delete(invites).where(lte(invites.expiresAt, sql`now()`))
}
