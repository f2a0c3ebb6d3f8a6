/** The queries about stored messages. New ones come in by writer-store.ts. */
import { and, asc, desc, eq, getTableColumns, gt, gte, isNull, lt, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chats, messages } from '../../db/schema/index.ts'
import { type Given, statement } from '../../db/statement.ts'
import type { MessageRow } from './model.ts'
import type { Draft } from './writer-store.ts'

/** A page of a chat by number: downwards from below `beforeSeq`, or upwards from above `afterSeq`. */
export type Span = { beforeSeq: number } | { afterSeq: number }

export const listMessages = (db: Db | Tx, chatId: string, span: Span, limit: number): Promise<MessageRow[]> =>
  'afterSeq' in span
    ? listUpwards(db, { chatId, limit, seq: span.afterSeq })
    : listDownwards(db, { chatId, limit, seq: span.beforeSeq })

const { placeholder } = sql
const asked = { chatId: placeholder('chatId'), seq: placeholder('seq'), limit: placeholder('limit') }
const fields = getTableColumns(messages)

const listUpwards = statement((db) => ({ fields, query: selectPage(db, { ...asked, isUpwards: true }) }))
const listDownwards = statement((db) => ({ fields, query: selectPage(db, { ...asked, isUpwards: false }) }))

/** Where a chat stands. */
export interface Head {
  chatId: string
  lastSeq: number
  lastRev: number
}

/**
 * The same of a replica that has at least what the primary had when the chat stood at `head`: in one statement, which sees
 * one moment of one replica. Undefined where it has not, or has become something else than a replica.
 */
export async function listMessagesSince(
  replica: Db,
  { chatId, lastSeq, lastRev }: Head,
  span: Span,
  limit: number,
): Promise<MessageRow[] | undefined> {
  const isUpwards = 'afterSeq' in span
  const seq = isUpwards ? span.afterSeq : span.beforeSeq
  const page = selectPage(replica, { chatId, seq, limit, isUpwards }).as('page')
  const hasReached = and(eq(chats.id, chatId), gte(chats.lastSeq, lastSeq), gte(chats.lastRev, lastRev))
  const rows = await replica
    .select({ message: page._.selectedFields })
    .from(chats)
    .leftJoinLateral(page, sql`true`)
    .where(and(hasReached, sql`pg_is_in_recovery()`))
    .orderBy(isUpwards ? asc(page.seq) : desc(page.seq))
    .prepare('list_messages_since')
    .execute()
  return rows.length === 0 ? undefined : rows.flatMap(({ message }) => message ?? [])
}

interface Page {
  chatId: Given<string>
  /** The page begins beside this one. */
  seq: Given<number>
  limit: Given<number>
  isUpwards: boolean
}

const selectPage = (db: Db | Tx, { chatId, seq, limit, isUpwards }: Page) =>
  db
    .select()
    .from(messages)
    .where(and(eq(messages.chatId, chatId), isUpwards ? gt(messages.seq, seq) : lt(messages.seq, seq)))
    .orderBy(isUpwards ? asc(messages.seq) : desc(messages.seq))
    .limit(limit)

/** Of each chat the first `limit` messages after a place, by seq: one query for all. */
export const listMessagesAfter = (
  db: Db | Tx,
  places: readonly { chatId: string; afterSeq: number }[],
  limit: number,
): Promise<MessageRow[]> =>
  listAfter(db, {
    chatIds: places.map(({ chatId }) => chatId),
    afterSeqs: places.map(({ afterSeq }) => afterSeq),
    limit,
  })

const listAfter = statement((db) => {
  const found = db
    .select()
    .from(messages)
    .where(and(eq(messages.chatId, sql`place.chat_id`), gt(messages.seq, sql`place.after_seq`)))
    .orderBy(asc(messages.seq))
    .limit(placeholder('limit'))
    .as('found')
  const places = sql`unnest(${placeholder('chatIds')}::uuid[], ${placeholder('afterSeqs')}::bigint[])`
  const query = db
    .select(found._.selectedFields)
    .from(sql`${places} place (chat_id, after_seq)`)
    .crossJoinLateral(found)
    .orderBy(asc(found.seq))
  return { fields, query }
})

export async function findMessage(db: Db | Tx, chatId: string, id: string): Promise<MessageRow | undefined> {
  const [row] = await db
    .select()
    .from(messages)
    .where(and(eq(messages.chatId, chatId), eq(messages.id, id)))
    .prepare('find_message')
    .execute()
  return row
}

/** The sender's message of this key in the chat. */
export async function findByKey(
  db: Db | Tx,
  { senderId, chatId, clientId }: Pick<Draft, 'senderId' | 'chatId' | 'clientId'>,
): Promise<MessageRow | undefined> {
  const [row] = await db
    .select()
    .from(messages)
    .where(and(eq(messages.senderId, senderId), eq(messages.chatId, chatId), eq(messages.clientId, clientId)))
  return row
}

/** Counts a change of the chat's messages. @returns its number */
export async function takeRev(tx: Tx, chatId: string): Promise<number> {
  const [row] = await tx
    .update(chats)
    .set({ lastRev: sql`${chats.lastRev} + 1` })
    .where(eq(chats.id, chatId))
    .returning({ rev: chats.lastRev })
  return row?.rev ?? 0
}

/** Changes the text of a living message. @returns it as it is now; undefined when it is deleted */
export const updateContent = (tx: Tx, chatId: string, id: string, rev: number, content: string) =>
  updateLiving(tx, chatId, id, { rev, content })

/** Changes the file of a living message. @returns it as it is now; undefined when it is deleted */
export const updateMedia = (tx: Tx, chatId: string, id: string, changes: FileChange & { rev: number }) =>
  updateLiving(tx, chatId, id, changes)

/** Empties a living message: what stays is its place. @returns the tombstone; undefined when it was deleted before */
export const emptyMessage = (tx: Tx, chatId: string, id: string, rev: number) =>
  updateLiving(tx, chatId, id, { rev, content: '', mediaUrl: null, media: null, call: null, deletedAt: sql`now()` })

type FileChange = Pick<MessageRow, 'messageType' | 'mediaUrl' | 'media'>

async function updateLiving(
  tx: Tx,
  chatId: string,
  id: string,
  changes: { rev: number; content?: string; call?: null; deletedAt?: SQL } & Partial<FileChange>,
): Promise<MessageRow | undefined> {
  const [row] = await tx
    .update(messages)
    .set({ ...changes, updatedAt: sql`now()` })
    .where(and(eq(messages.chatId, chatId), eq(messages.id, id), isNull(messages.deletedAt)))
    .returning()
  return row
}
