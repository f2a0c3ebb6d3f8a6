/** The index of search, filled as the server fills it, but without resting. */
import type { Database } from '../../src/db/client.ts'
import { createSearchIndexer } from '../../src/features/messages/search-indexer.ts'
import { createLog } from '../../src/observability/log.ts'

/** Resolves when every message there is has been indexed. */
export async function indexAll({ db, sql }: Database): Promise<void> {
  const indexer = createSearchIndexer({ db, log: createLog('warn'), everyMs: 1, share: 1 })
  const isBehind = async () => {
    const rows = await sql`
      select from chats c left join search_heads h on h.chat_id = c.id where c.last_seq > coalesce(h.seq, 0) limit 1`
    return rows.length > 0
  }
  while (await isBehind()) await indexer.catchUp()
  await indexer.stop()
}
