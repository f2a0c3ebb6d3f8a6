/** The queries of catching up. */
import { and, asc, eq, gt, lte, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chats, messages } from '../../db/schema/index.ts'
import type { MessageRow } from '../messages/model.ts'

export async function findHead(db: Db | Tx, chatId: string): Promise<{ seq: number; rev: number }> {
  const [row] = await db.select({ seq: chats.lastSeq, rev: chats.lastRev }).from(chats).where(eq(chats.id, chatId))
  return row ?? { seq: 0, rev: 0 }
}

/** Messages up to `afterSeq` that were changed after `afterRev`, in the order of their last change. */
export function listChanged(
  db: Db | Tx,
  chatId: string,
  { afterSeq, afterRev, limit }: { afterSeq: number; afterRev: number; limit: number },
): Promise<MessageRow[]> {
  return db
    .select()
    .from(messages)
    .where(
      // "rev > 0" lets the partial index serve this.
      and(
        eq(messages.chatId, chatId),
        sql`${messages.rev} > 0`,
        gt(messages.rev, afterRev),
        lte(messages.seq, afterSeq),
      ),
    )
    .orderBy(asc(messages.rev))
    .limit(limit)
}

/** One snapshot for all that `read` reads. */
export function inSnapshot<T>(db: Db, read: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction(read, { isolationLevel: 'repeatable read', accessMode: 'read only' })
}
