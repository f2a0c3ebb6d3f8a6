/** The queries of catching up. */
import { and, asc, eq, getTableColumns, gt, lte, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chats, messages } from '../../db/schema/index.ts'
import { statement } from '../../db/statement.ts'
import type { MessageRow } from '../messages/model.ts'

export async function findHead(db: Db | Tx, chatId: string): Promise<{ seq: number; rev: number }> {
  const [row] = await db
    .select({ seq: chats.lastSeq, rev: chats.lastRev })
    .from(chats)
    .where(eq(chats.id, chatId))
    .prepare('find_head')
    .execute()
  return row ?? { seq: 0, rev: 0 }
}

/** What a client holds of a chat. */
export interface Place {
  chatId: string
  afterSeq: number
  afterRev: number
}

/**
 * Of each chat the first `limit` messages up to `afterSeq` that were changed after `afterRev`, by their last change: one
 * query for all.
 */
export const listChanged = (db: Db | Tx, places: readonly Place[], limit: number): Promise<MessageRow[]> =>
  listChangedAfter(db, {
    chatIds: places.map(({ chatId }) => chatId),
    afterSeqs: places.map(({ afterSeq }) => afterSeq),
    afterRevs: places.map(({ afterRev }) => afterRev),
    limit,
  })

const listChangedAfter = statement((db) => {
  const { placeholder } = sql
  const found = db
    .select()
    .from(messages)
    .where(
      and(
        eq(messages.chatId, sql`place.chat_id`),
        // Lets the partial index serve this.
        sql`${messages.rev} > 0`,
        gt(messages.rev, sql`place.after_rev`),
        lte(messages.seq, sql`place.after_seq`),
      ),
    )
    .orderBy(asc(messages.rev))
    .limit(placeholder('limit'))
    .as('found')
  const places = sql`unnest(
    ${placeholder('chatIds')}::uuid[], ${placeholder('afterSeqs')}::bigint[], ${placeholder('afterRevs')}::bigint[])`
  const query = db
    .select(found._.selectedFields)
    .from(sql`${places} place (chat_id, after_seq, after_rev)`)
    .crossJoinLateral(found)
    .orderBy(asc(found.rev))
  return { fields: getTableColumns(messages), query }
})

/**
 * One snapshot for all that `read` reads. What was read stands whatever becomes of the transaction then, which changes
 * nothing: nobody waits for its end.
 */
export function inSnapshot<T>(db: Db, read: (tx: Tx) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const reading = db.transaction(async (tx) => {
      // On its way with the first query: Drizzle's own option would wait for its answer. It comes before that query, or
      // PostgreSQL refuses it, and where it is refused so is all that follows.
      const beginning = tx.setTransaction({ isolationLevel: 'repeatable read', accessMode: 'read only' })
      const [found] = await Promise.all([read(tx), beginning])
      resolve(found)
    })
    reading.catch(reject)
  })
}
