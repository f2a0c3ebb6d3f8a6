/** The chat list without what a cache could hold: names and the other user's profile. What may not be old is read. */
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../../src/db/client.ts'
import { chatMembers, chats, messages } from '../../src/db/schema/index.ts'

export function listLiveOverviews(db: Db, userId: string, limit: number) {
  const chat = db
    .select({
      id: chats.id,
      type: chats.type,
      memberCount: chats.memberCount,
      isReadOnly: chats.isReadOnly,
      lastSeq: chats.lastSeq,
      lastRev: chats.lastRev,
      lastMessageAt: chats.lastMessageAt,
      dmKey: chats.dmKey,
    })
    .from(chats)
    .where(eq(chats.id, chatMembers.chatId))
    .limit(1)
    .as('chat')
  const page = db
    .select({ ...chat._.selectedFields, role: chatMembers.role, lastReadSeq: chatMembers.lastReadSeq })
    .from(chatMembers)
    .innerJoinLateral(chat, sql`true`)
    .where(eq(chatMembers.userId, userId))
    .orderBy(desc(chat.lastMessageAt), desc(chat.id))
    .limit(limit)
    .as('page')
  const lastMessage = db
    .select()
    .from(messages)
    .where(and(eq(messages.chatId, page.id), isNull(messages.deletedAt)))
    .orderBy(desc(messages.seq))
    .limit(1)
    .as('last_message')
  const peerId = sql<string | null>`trim(':' from replace(${page.dmKey}, ${userId}, ''))`
  const peerReadSeq = sql<number | null>`(
    select max(${chatMembers.lastReadSeq})::float8 from ${chatMembers}
    where ${chatMembers.chatId} = ${page.id} and ${chatMembers.userId} <> ${userId})`
  return db
    .select({
      id: page.id,
      type: page.type,
      memberCount: page.memberCount,
      isReadOnly: page.isReadOnly,
      lastSeq: page.lastSeq,
      lastRev: page.lastRev,
      lastMessageAt: page.lastMessageAt,
      role: page.role,
      lastReadSeq: page.lastReadSeq,
      peerId,
      peerReadSeq,
      lastMessage: lastMessage._.selectedFields,
    })
    .from(page)
    .leftJoinLateral(lastMessage, sql`true`)
    .orderBy(desc(page.lastMessageAt), desc(page.id))
}
