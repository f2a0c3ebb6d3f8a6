/** The chat list: one query for everything a client shows of its chats. */
import { and, desc, eq, inArray, isNull, ne, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chatMembers, chats, messages, publicColumns, users } from '../../db/schema/index.ts'
import type { Head } from './model.ts'

export type OverviewRow = Awaited<ReturnType<typeof listOverviews>>[number]

/** Which of the user's chats: those with an activity before this one, some by id, or all. */
export interface OverviewFilter {
  before?: { at: Date; chatId: string }
  chatIds?: readonly string[]
  limit?: number
}

/** The user's chats, the one with the newest message first. */
export function listOverviews(db: Db | Tx, userId: string, { before, chatIds, limit }: OverviewFilter) {
  const conditions: (SQL | undefined)[] = [eq(chatMembers.userId, userId)]
  if (before)
    conditions.push(sql`(${chats.lastMessageAt}, ${chats.id}) < (${before.at}::timestamptz, ${before.chatId}::uuid)`)
  if (chatIds) conditions.push(inArray(chats.id, [...chatIds]))

  const page = db
    .select({
      id: chats.id,
      name: chats.name,
      type: chats.type,
      ownerId: chats.ownerId,
      memberCount: chats.memberCount,
      createdAt: chats.createdAt,
      isReadOnly: chats.isReadOnly,
      lastSeq: chats.lastSeq,
      lastRev: chats.lastRev,
      lastMessageAt: chats.lastMessageAt,
      userId: chatMembers.userId,
      role: chatMembers.role,
      lastReadSeq: chatMembers.lastReadSeq,
    })
    .from(chatMembers)
    .innerJoin(chats, eq(chats.id, chatMembers.chatId))
    .where(and(...conditions))
    .orderBy(desc(chats.lastMessageAt), desc(chats.id))
    .limit(limit ?? 1_000_000)
    .as('page')

  const lastMessage = db
    .select()
    .from(messages)
    .where(and(eq(messages.chatId, page.id), isNull(messages.deletedAt)))
    .orderBy(desc(messages.seq))
    .limit(1)
    .as('last_message')

  const peer = db
    .select(publicColumns)
    .from(chatMembers)
    .innerJoin(users, eq(users.id, chatMembers.userId))
    .where(and(sql`${page.type} = 'dm'`, eq(chatMembers.chatId, page.id), ne(chatMembers.userId, userId)))
    .limit(1)
    .as('peer')

  // Null where it says nothing: in channels and in chats of more than 200.
  const peerReadSeq = sql<number | null>`case when ${page.type} <> 'channel' and ${page.memberCount} <= 200 then (
    select max(${chatMembers.lastReadSeq})::float8 from ${chatMembers}
    where ${chatMembers.chatId} = ${page.id} and ${chatMembers.userId} <> ${userId}) end`

  return db
    .select({
      id: page.id,
      name: page.name,
      type: page.type,
      ownerId: page.ownerId,
      memberCount: page.memberCount,
      createdAt: page.createdAt,
      isReadOnly: page.isReadOnly,
      lastSeq: page.lastSeq,
      lastRev: page.lastRev,
      lastMessageAt: page.lastMessageAt,
      userId: page.userId,
      role: page.role,
      lastReadSeq: page.lastReadSeq,
      peerReadSeq,
      lastMessage: lastMessage._.selectedFields,
      peer: peer._.selectedFields,
    })
    .from(page)
    .leftJoinLateral(lastMessage, sql`true`)
    .leftJoinLateral(peer, sql`true`)
    .orderBy(desc(page.lastMessageAt), desc(page.id))
}

/** Where each of the user's chats stands. */
export function listHeads(db: Db, userId: string): Promise<Head[]> {
  return db
    .select({
      chatId: chats.id,
      type: chats.type,
      memberCount: chats.memberCount,
      seq: chats.lastSeq,
      rev: chats.lastRev,
    })
    .from(chatMembers)
    .innerJoin(chats, eq(chats.id, chatMembers.chatId))
    .where(eq(chatMembers.userId, userId))
}
