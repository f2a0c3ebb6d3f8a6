/** The query of presence: who must not see it. */
import { inArray, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { chatMembers } from '../../db/schema/index.ts'

/** Of these chats those where any of `shunnedIds` is, with their other members. */
export async function listOthersThan(
  db: Db,
  shunnedIds: readonly string[],
  chatIds: readonly string[],
): Promise<Map<string, string[]>> {
  const isShunned = inArray(chatMembers.userId, [...shunnedIds])
  const rows = await db
    .select({
      chatId: chatMembers.chatId,
      others: sql<string[]>`coalesce(array_agg(${chatMembers.userId}) filter (where not ${isShunned}), '{}')`,
    })
    .from(chatMembers)
    .where(inArray(chatMembers.chatId, [...chatIds]))
    .groupBy(chatMembers.chatId)
    .having(sql`bool_or(${isShunned})`)
  return new Map(rows.map(({ chatId, others }) => [chatId, others]))
}
