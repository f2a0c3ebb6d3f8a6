/** The search's own parts on a database of their own, without the server around them. */
import { connectDatabase } from '../../../src/db/client.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { createSearch } from '../../../src/features/messages/search.ts'
import { createSearchIndexer, type IndexerOptions } from '../../../src/features/messages/search-indexer.ts'
import { createLog } from '../../../src/observability/log.ts'
import { createDatabase } from '../../support/postgres.ts'

/** Each indexer has connections of its own, as each instance has. */
export async function startSearch() {
  const url = await createDatabase()
  const logs: string[] = []
  const log = createLog('warn', (line) => logs.push(line))
  const database = connectDatabase({ url, poolMax: 3, name: 'tests' })
  await migrate(database.sql, log)
  const stops: (() => Promise<void>)[] = []
  const { sql } = database

  return {
    url,
    database,
    sql,
    logs,
    search: createSearch({ db: database.db }).search,
    startIndexer(options: Partial<IndexerOptions> = {}) {
      const own = connectDatabase({ url, poolMax: 2, name: 'indexer' })
      const indexer = createSearchIndexer({ db: own.db, log, everyMs: 5, share: 1, ...options })
      const stop = async () => {
        await indexer.stop()
        await own.close()
      }
      stops.push(stop)
      return { ...indexer, stop }
    },
    async addUser(): Promise<string> {
      const id = Bun.randomUUIDv7()
      await sql`insert into users (id, phone, username, password_hash) values (${id}, ${id.slice(-12)}, ${id.slice(-12)}, 'none')`
      return id
    },
    async addChat(userId: string): Promise<string> {
      const id = Bun.randomUUIDv7()
      await sql`insert into chats (id, type, member_count) values (${id}, 'group', 1)`
      await sql`insert into chat_members (chat_id, user_id) values (${id}, ${userId})`
      return id
    },
    /** As the writer stores them. @returns their ids */
    async addMessages(chatId: string, contents: readonly string[]): Promise<string[]> {
      const ids = contents.map(() => Bun.randomUUIDv7())
      await sql`
        with bumped as (
          update chats set last_seq = last_seq + ${contents.length} where id = ${chatId} returning last_seq - ${contents.length} as base
        )
        insert into messages (chat_id, id, seq, client_id, content)
        select ${chatId}, id, base + place, id::text, content
        from bumped, unnest(${ids}::uuid[], ${[...contents]}::text[]) with ordinality m (id, content, place)`
      return ids
    },
    /** As an edit is stored. */
    async edit(chatId: string, id: string, content: string): Promise<void> {
      await sql`
        with bumped as (update chats set last_rev = last_rev + 1 where id = ${chatId} returning last_rev)
        update messages set content = ${content}, rev = last_rev from bumped where chat_id = ${chatId} and id = ${id}`
    },
    async countIndexed(chatId: string): Promise<number> {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from message_search where chat_id = ${chatId}`
      return row?.count ?? 0
    },
    async stop(): Promise<void> {
      for (const stop of stops) await stop()
      await database.close()
    },
  }
}

export type SearchSetup = Awaited<ReturnType<typeof startSearch>>
