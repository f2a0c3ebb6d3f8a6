/** The queries about stored messages. New ones come in by writer-store.ts. */
import { and, asc, desc, eq, gt, gte, isNull, lt, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chats, messages } from '../../db/schema/index.ts'
import type { MessageRow } from './model.ts'
import type { Draft } from './writer-store.ts'

/** A page of a chat by number: downwards from below `beforeSeq`, or upwards from above `afterSeq`. */
export type Span = { beforeSeq: number } | { afterSeq: number }

export const listMessages = (db: Db | Tx, chatId: string, span: Span, limit: number): Promise<MessageRow[]> =>
  selectPage(db, chatId, span, limit).prepare('list_messages').execute()

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
  const page = selectPage(replica, chatId, span, limit).as('page')
  const hasReached = and(eq(chats.id, chatId), gte(chats.lastSeq, lastSeq), gte(chats.lastRev, lastRev))
  const rows = await replica
    .select({ message: page._.selectedFields })
    .from(chats)
    .leftJoinLateral(page, sql`true`)
    .where(and(hasReached, sql`pg_is_in_recovery()`))
    .orderBy('afterSeq' in span ? asc(page.seq) : desc(page.seq))
    .prepare('list_messages_since')
    .execute()
  return rows.length === 0 ? undefined : rows.flatMap(({ message }) => message ?? [])
}

function selectPage(db: Db | Tx, chatId: string, span: Span, limit: number) {
  const isUpwards = 'afterSeq' in span
  const bound: SQL = isUpwards ? gt(messages.seq, span.afterSeq) : lt(messages.seq, span.beforeSeq)
  return db
    .select()
    .from(messages)
    .where(and(eq(messages.chatId, chatId), bound))
    .orderBy(isUpwards ? asc(messages.seq) : desc(messages.seq))
    .limit(limit)
}

/** Of each chat the first `limit` messages after a place, by seq: one query for all. */
export function listMessagesAfter(
  db: Db | Tx,
  places: readonly { chatId: string; afterSeq: number }[],
  limit: number,
): Promise<MessageRow[]> {
  const chatIds = sql.param(places.map(({ chatId }) => chatId))
  const afterSeqs = sql.param(places.map(({ afterSeq }) => afterSeq))
  const found = db
    .select()
    .from(messages)
    .where(and(eq(messages.chatId, sql`place.chat_id`), gt(messages.seq, sql`place.after_seq`)))
    .orderBy(asc(messages.seq))
    .limit(limit)
    .as('found')
  return db
    .select(found._.selectedFields)
    .from(sql`unnest(${chatIds}::uuid[], ${afterSeqs}::bigint[]) place (chat_id, after_seq)`)
    .crossJoinLateral(found)
    .orderBy(asc(found.seq))
    .prepare('list_messages_after')
    .execute()
}

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
