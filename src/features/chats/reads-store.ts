/** The queries about read marks. A mark only moves forward. */
import { and, eq, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chatMembers, chats, messages } from '../../db/schema/index.ts'

/** Moves a member's mark to `seq` (unset: to the end, as of now), given `from` only if it is exactly there. */
export async function updateReadMark(db: Db | Tx, chatId: string, userId: string, seq?: number, from?: number) {
  const isThere = from === undefined ? undefined : eq(chatMembers.lastReadSeq, from)
  const target = seq === undefined ? sql`${chats.lastSeq}` : sql`least(${seq}::bigint, ${chats.lastSeq})`
  const [row] = await db
    .update(chatMembers)
    .set({ lastReadSeq: sql`greatest(${chatMembers.lastReadSeq}, ${target})`, lastReadAt: sql`now()` })
    .from(chats)
    .where(
      and(eq(chats.id, chatMembers.chatId), eq(chatMembers.chatId, chatId), eq(chatMembers.userId, userId), isThere),
    )
    .returning({
      lastReadSeq: chatMembers.lastReadSeq,
      lastReadAt: sql<Date>`${chatMembers.lastReadAt}`,
      lastSeq: chats.lastSeq,
      messageId: sql<string | null>`(select ${messages.id} from ${messages}
        where ${messages.chatId} = ${chatMembers.chatId} and ${messages.seq} = ${chatMembers.lastReadSeq})`,
    })
  return row
}

export interface SentMark {
  chatId: string
  userId: string
  seq: number
}

/**
 * Whoever wrote has read up to their own message: many marks in one statement. A crash may lose them, so its commit alone
 * does not wait for the disk, nor do the messages wait there behind it.
 */
export async function updateSentMarks(db: Db | Tx, marks: readonly SentMark[]): Promise<void> {
  await db.execute(sql`
    with lazily as materialized (select set_config('synchronous_commit', 'off', true))
    update ${chatMembers} set last_read_seq = greatest(${chatMembers.lastReadSeq}, mark.seq), last_read_at = now()
    from lazily, unnest(
      ${sql.param(marks.map(({ chatId }) => chatId))}::uuid[], ${sql.param(marks.map(({ userId }) => userId))}::uuid[],
      ${sql.param(marks.map(({ seq }) => seq))}::bigint[]
    ) mark (chat_id, user_id, seq)
    where ${chatMembers.chatId} = mark.chat_id and ${chatMembers.userId} = mark.user_id`)
}
