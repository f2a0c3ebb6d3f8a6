/** The chat list: one query for everything a client shows of its chats. */
import { and, desc, eq, getTableColumns, gte, inArray, isNull, lt, ne, type SQL, sql } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/pg-core'
import type { Db, Tx } from '../../db/client.ts'
import { blocks, chatMembers, chats, messages, publicColumns, users } from '../../db/schema/index.ts'
import { type Given, type Selection, statement } from '../../db/statement.ts'
import type { Head } from './model.ts'

export type OverviewRow = ReturnType<typeof selectOverviews> extends Selection<infer Row> ? Row : never

/** Which of the user's chats: those with an activity before this one, some by id, or all. */
export interface OverviewFilter {
  before?: { at: Date; id: string }
  chatIds?: readonly string[]
  limit?: number
}

/** The user's chats, the one with the newest message first. */
export function listOverviews(db: Db | Tx, userId: string, { before, chatIds, limit = NO_LIMIT }: OverviewFilter) {
  if (chatIds) return listSome(db, { userId, limit, chatIds })
  return before ? listBefore(db, { userId, limit, ...before }) : listAll(db, { userId, limit })
}

const NO_LIMIT = 1_000_000
const { placeholder } = sql
const asked = { userId: placeholder('userId'), limit: placeholder('limit') }

const listAll = statement((db) => selectOverviews(db, asked))
const listBefore = statement((db) =>
  selectOverviews(db, { ...asked, before: { at: placeholder('at'), id: placeholder('id') } }),
)
const listSome = statement((db) => selectOverviews(db, { ...asked, chatIds: placeholder('chatIds') }))

interface Asked {
  userId: Given<string>
  before?: { at: Given<Date>; id: Given<string> }
  chatIds?: Given<readonly string[]>
  limit: Given<number>
}

/**
 * The statement of `listOverviews`. What belongs to a chat is looked up for each chat (a lateral with a limit cannot be
 * planned otherwise): a join would read whole tables as soon as somebody has many chats.
 */
export function selectOverviews(db: Db | Tx, { userId, before, chatIds, limit }: Asked) {
  const chat = db
    .select({
      id: chats.id,
      name: chats.name,
      avatarUrl: chats.avatarUrl,
      type: chats.type,
      ownerId: chats.ownerId,
      memberCount: chats.memberCount,
      createdAt: chats.createdAt,
      isReadOnly: chats.isReadOnly,
      lastSeq: chats.lastSeq,
      lastRev: chats.lastRev,
      lastMessageAt: chats.lastMessageAt,
    })
    .from(chats)
    .where(eq(chats.id, chatMembers.chatId))
    .limit(1)
    .as('chat')

  const conditions: (SQL | undefined)[] = [eq(chatMembers.userId, userId)]
  if (before)
    conditions.push(sql`(${chat.lastMessageAt}, ${chat.id}) < (${before.at}::timestamptz, ${before.id}::uuid)`)
  // One text, however many they are.
  if (chatIds) conditions.push(sql`${chatMembers.chatId} = any(${sql.param(chatIds)}::uuid[])`)

  const page = db
    .select({
      ...chat._.selectedFields,
      role: chatMembers.role,
      lastReadSeq: chatMembers.lastReadSeq,
    })
    .from(chatMembers)
    .innerJoinLateral(chat, sql`true`)
    .where(and(...conditions))
    .orderBy(desc(chat.lastMessageAt), desc(chat.id))
    .limit(limit)
    .as('page')

  // Nearly always the newest of all: looking for the last living one from the end of a chat, whatever its number, reads a
  // page of the index. PostgreSQL asks the second only where the first has none: they come in this order. Both say an
  // order, or another index would do for them that leads to all messages of the chat.
  const { chatId, deletedAt, ...columns } = getTableColumns(messages)
  const last = (place: SQL) =>
    db
      .select(columns)
      .from(messages)
      .where(and(eq(chatId, page.id), isNull(deletedAt), place))
      .orderBy(desc(columns.seq))
      .limit(1)
  const lastMessage = unionAll(last(gte(columns.seq, page.lastSeq)), last(lt(columns.seq, page.lastSeq)))
    .limit(1)
    .as('last_message')

  // The other one of a direct chat, whose two members stay its members for ever.
  const other = db
    .select({ userId: chatMembers.userId, lastReadSeq: chatMembers.lastReadSeq })
    .from(chatMembers)
    .where(and(eq(page.type, 'dm'), eq(chatMembers.chatId, page.id), ne(chatMembers.userId, userId)))
    .limit(1)
    .as('other')

  // Whoever has blocked the user does not let them see whether they are there.
  const isConcealed = sql<boolean>`exists (
    select from ${blocks} where ${blocks.blockerId} = ${users.id} and ${blocks.blockedId} = ${userId})`

  const peer = db
    .select({ ...publicColumns, isConcealed: isConcealed.as('is_concealed') })
    .from(users)
    .where(eq(users.id, other.userId))
    .limit(1)
    .as('peer')

  // Null where it says nothing: in channels and in chats of more than 200.
  const peerReadSeq = sql<number | null>`case when ${page.type} = 'dm' then ${other.lastReadSeq}::float8
    when ${page.type} = 'group' and ${page.memberCount} <= 200 then (
      select max(${chatMembers.lastReadSeq})::float8 from ${chatMembers}
      where ${chatMembers.chatId} = ${page.id} and ${chatMembers.userId} <> ${userId}) end`

  const fields = {
    id: page.id,
    name: page.name,
    avatarUrl: page.avatarUrl,
    type: page.type,
    ownerId: page.ownerId,
    memberCount: page.memberCount,
    createdAt: page.createdAt,
    isReadOnly: page.isReadOnly,
    lastSeq: page.lastSeq,
    lastRev: page.lastRev,
    lastMessageAt: page.lastMessageAt,
    role: page.role,
    lastReadSeq: page.lastReadSeq,
    peerReadSeq,
    lastMessage: lastMessage._.selectedFields,
    peer: peer._.selectedFields,
  }
  const query = db
    .select(fields)
    .from(page)
    .leftJoinLateral(lastMessage, sql`true`)
    .leftJoinLateral(other, sql`true`)
    .leftJoinLateral(peer, sql`true`)
    .orderBy(desc(page.lastMessageAt), desc(page.id))
  return { fields, query }
}

/** Where each of the user's chats stands. */
export async function listHeads(db: Db, userId: string): Promise<Head[]> {
  const [row] = await readHeads(db, { userId })
  const heads = JSON.parse(row?.heads ?? '[]') as [string, Head['type'], number, number, number][]
  return heads.map(([chatId, type, memberCount, seq, rev]) => ({ chatId, type, memberCount, seq, rev }))
}

/** As one text: many users who come at once have hundreds of chats each, and every row would leave a lot behind. */
const readHeads = statement((db) => {
  const { id, type, memberCount, lastSeq, lastRev } = chats
  const head = sql`json_build_array(${id}, ${type}, ${memberCount}, ${lastSeq}, ${lastRev})`.as('head')
  // One by one: a plan for a join could read all chats.
  const chat = db.select({ head }).from(chats).where(eq(id, chatMembers.chatId)).limit(1).as('chat')
  const fields = { heads: sql<string | null>`json_agg(${chat.head})::text` }
  const query = db
    .select(fields)
    .from(chatMembers)
    .innerJoinLateral(chat, sql`true`)
    .where(eq(chatMembers.userId, asked.userId))
  return { fields, query }
})

/** The ids of the user's chats. */
export async function listOwnIds(db: Db, userId: string): Promise<string[]> {
  const [row] = await readOwnIds(db, { userId })
  return JSON.parse(row?.chatIds ?? '[]')
}

/** Not as an array, whose elements the driver cuts from the text, so that one that is kept keeps all of it. */
const readOwnIds = statement((db) => {
  const fields = { chatIds: sql<string | null>`json_agg(${chatMembers.chatId})::text` }
  const query = db.select(fields).from(chatMembers).where(eq(chatMembers.userId, asked.userId))
  return { fields, query }
})

/** The ids of the chats of each of these users. */
export async function listChatIds(db: Db, userIds: readonly string[]): Promise<Map<string, Set<string>>> {
  const rows = await db
    .select({ userId: chatMembers.userId, chatIds: sql<string[]>`array_agg(${chatMembers.chatId})` })
    .from(chatMembers)
    .where(inArray(chatMembers.userId, [...userIds]))
    .groupBy(chatMembers.userId)
  return new Map(rows.map(({ userId, chatIds }) => [userId, new Set(chatIds)]))
}
