/** The queries about chats and their members. */
import { and, asc, eq, inArray, ne, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { channels, chatMembers, chats, messages, publicColumns, users } from '../../db/schema/index.ts'
import type { ChatAccess } from './access.ts'
import { roleOf } from './model.ts'

export async function findAccess(db: Db | Tx, chatId: string, userId: string): Promise<ChatAccess | undefined> {
  const [row] = await db
    .select({
      chatId: chats.id,
      type: chats.type,
      ownerId: chats.ownerId,
      isReadOnly: chats.isReadOnly,
      memberCount: chats.memberCount,
      lastSeq: chats.lastSeq,
      lastRev: chats.lastRev,
      userId: chatMembers.userId,
      role: chatMembers.role,
      isBlocked: chatMembers.isBlocked,
      lastReadSeq: chatMembers.lastReadSeq,
    })
    .from(chats)
    .innerJoin(chatMembers, eq(chatMembers.chatId, chats.id))
    .where(and(eq(chats.id, chatId), eq(chatMembers.userId, userId)))
    .prepare('find_access')
    .execute()
  return row && { ...row, role: roleOf(row, row.ownerId) }
}

/** Locks the chat's row until the transaction ends. Do it before reading what the lock is to protect. */
export async function lockChat(tx: Tx, chatId: string): Promise<void> {
  await tx.select({ id: chats.id }).from(chats).where(eq(chats.id, chatId)).for('update')
}

export async function findAvatar(db: Db | Tx, chatId: string): Promise<string | null> {
  const [row] = await db.select({ avatarUrl: chats.avatarUrl }).from(chats).where(eq(chats.id, chatId))
  return row?.avatarUrl ?? null
}

export async function insertGroup(tx: Tx, group: { id: string; name: string; ownerId: string; memberCount: number }) {
  const [row] = await tx
    .insert(chats)
    .values({ ...group, type: 'group' })
    .returning({ createdAt: chats.createdAt })
  return row
}

/** @returns false when the pair has its chat already */
export async function insertDm(tx: Tx, dm: { id: string; dmKey: string }): Promise<boolean> {
  const rows = await tx
    .insert(chats)
    .values({ ...dm, type: 'dm', memberCount: 2 })
    .onConflictDoNothing({ target: chats.dmKey })
    .returning({ id: chats.id })
  return rows.length > 0
}

export async function findDmId(db: Db | Tx, dmKey: string): Promise<string | undefined> {
  const [row] = await db.select({ id: chats.id }).from(chats).where(eq(chats.dmKey, dmKey))
  return row?.id
}

/**
 * Members join having read everything so far.
 * @param options.blockedId whom the other one of this direct chat has blocked
 * @returns who was not a member before
 */
export async function insertMembers(
  tx: Tx,
  chatId: string,
  userIds: readonly string[],
  { adminId, blockedId, lastReadSeq = 0 }: { adminId?: string; blockedId?: string; lastReadSeq?: number } = {},
): Promise<string[]> {
  const rows = await tx
    .insert(chatMembers)
    .values(
      userIds.map((userId) => ({
        chatId,
        userId,
        lastReadSeq,
        role: userId === adminId ? ('admin' as const) : ('member' as const),
        isBlocked: userId === blockedId,
      })),
    )
    .onConflictDoNothing()
    .returning({ userId: chatMembers.userId })
  return rows.map(({ userId }) => userId)
}

/** @returns false when the user was no member */
export async function deleteMember(tx: Tx, chatId: string, userId: string): Promise<boolean> {
  const rows = await tx
    .delete(chatMembers)
    .where(and(eq(chatMembers.chatId, chatId), eq(chatMembers.userId, userId)))
    .returning({ userId: chatMembers.userId })
  return rows.length > 0
}

/** @returns the new count */
export async function addToMemberCount(tx: Tx, chatId: string, change: number): Promise<number> {
  const [row] = await changeChat(tx, chatId, { memberCount: sql`${chats.memberCount} + ${change}` })
  return row?.memberCount ?? 0
}

export async function updateChat(
  tx: Db | Tx,
  chatId: string,
  changes: { name?: string; avatarUrl?: string | null; ownerId?: string | null; isReadOnly?: boolean },
): Promise<void> {
  await changeChat(tx, chatId, { ...changes, updatedAt: sql`now()` })
}

/**
 * Every change of a chat, its members and their roles ends here: `access_rev` tells the message writer of it. A channel repeats its chat's name, owner and count: one
 * statement changes both, so that they are always equal.
 */
function changeChat(
  tx: Db | Tx,
  chatId: string,
  changes: {
    name?: string
    avatarUrl?: string | null
    ownerId?: string | null
    isReadOnly?: boolean
    memberCount?: SQL
    updatedAt?: SQL
  },
) {
  const { id, name, ownerId, memberCount } = chats
  const chat = tx.$with('chat').as(
    tx
      .update(chats)
      .set({ ...changes, accessRev: sql`${chats.accessRev} + 1` })
      .where(eq(id, chatId))
      .returning({ id, name, ownerId, memberCount }),
  )
  const repeated = {
    name: sql`${chat.name}`,
    ownerId: sql`${chat.ownerId}`,
    subscriberCount: sql`${chat.memberCount}`,
  }
  const channel = tx.$with('channel').as(tx.update(channels).set(repeated).from(chat).where(eq(channels.id, chat.id)))
  return tx.with(chat, channel).select({ memberCount: chat.memberCount }).from(chat)
}

export async function updateRole(tx: Tx, chatId: string, userId: string, role: 'admin' | 'member'): Promise<void> {
  await tx
    .update(chatMembers)
    .set({ role })
    .where(and(eq(chatMembers.chatId, chatId), eq(chatMembers.userId, userId)))
}

/** Whether the other one of a direct chat has blocked this member. */
export async function updateBlocked(tx: Tx, chatId: string, userId: string, isBlocked: boolean): Promise<void> {
  await tx
    .update(chatMembers)
    .set({ isBlocked })
    .where(and(eq(chatMembers.chatId, chatId), eq(chatMembers.userId, userId)))
}

/** Messages have no foreign key to go by: delete them with their chat. */
export async function deleteMessages(tx: Tx, chatId: string): Promise<void> {
  await tx.delete(messages).where(eq(messages.chatId, chatId))
}

export async function deleteChat(tx: Tx, chatId: string): Promise<void> {
  await tx.delete(chats).where(eq(chats.id, chatId))
}

export async function findMember(db: Db | Tx, chatId: string, userId: string) {
  const [row] = await db
    .select({ userId: chatMembers.userId, role: chatMembers.role })
    .from(chatMembers)
    .where(and(eq(chatMembers.chatId, chatId), eq(chatMembers.userId, userId)))
  return row
}

export async function listMemberIds(db: Db | Tx, chatId: string): Promise<string[]> {
  const rows = await db.select({ userId: chatMembers.userId }).from(chatMembers).where(eq(chatMembers.chatId, chatId))
  return rows.map(({ userId }) => userId)
}

/** In the order of joining. */
export function listMembers(db: Db, chatId: string, page: { limit: number; offset: number }) {
  return db
    .select({
      userId: chatMembers.userId,
      role: chatMembers.role,
      joinedAt: chatMembers.joinedAt,
      lastReadSeq: chatMembers.lastReadSeq,
      user: publicColumns,
    })
    .from(chatMembers)
    .innerJoin(users, eq(users.id, chatMembers.userId))
    .where(eq(chatMembers.chatId, chatId))
    .orderBy(asc(chatMembers.joinedAt), asc(chatMembers.userId))
    .limit(page.limit)
    .offset(page.offset)
}

/** Who of the others takes over: the oldest admin, else (groups) the oldest member. */
export async function findHeir(
  tx: Tx,
  chatId: string,
  leavingId: string,
  adminsOnly: boolean,
): Promise<string | undefined> {
  const [row] = await tx
    .select({ userId: chatMembers.userId })
    .from(chatMembers)
    .where(
      and(
        eq(chatMembers.chatId, chatId),
        ne(chatMembers.userId, leavingId),
        adminsOnly ? eq(chatMembers.role, 'admin') : undefined,
      ),
    )
    .orderBy(asc(chatMembers.role), asc(chatMembers.joinedAt), asc(chatMembers.userId))
    .limit(1)
  return row?.userId
}

/** The user's chats in the order of their ids, which is the order of locking, with their rows locked. */
export function lockChatsOf(tx: Tx, userId: string) {
  const own = tx.select({ id: chatMembers.chatId }).from(chatMembers).where(eq(chatMembers.userId, userId))
  return tx
    .select({ id: chats.id, type: chats.type, ownerId: chats.ownerId })
    .from(chats)
    .where(inArray(chats.id, own))
    .orderBy(asc(chats.id))
    .for('update')
}
