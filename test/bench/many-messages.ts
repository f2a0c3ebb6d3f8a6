/** Messages by the million, made inside PostgreSQL: the same in every run. */
import type postgres from 'postgres'
import type { Database } from '../../src/db/client.ts'
import { createSearchIndexer } from '../../src/features/messages/search-indexer.ts'
import { createLog } from '../../src/observability/log.ts'

export interface Corpus {
  /** The member of every chat who writes. */
  userId: string
  chatIds: readonly string[]
  /** A member of the first `SEARCHED_CHATS` chats alone. */
  searcherId: string
  /** Messages of each chat. */
  perChat: number
}

export const SEARCHED_CHATS = 50
/** Every so many messages were edited once. */
const EDITED_EVERY = 100
/** Words are numbered by how common they are (Zipf's law). */
const WORDS = 50_000
const STEP = 1_000_000
/** Different texts there are: making them takes longer than storing them. */
const TEXTS = 50_000

export const wordAt = (rank: number): string => `w${rank}`

/**
 * Fills an empty database whose messages are one table: `rows` messages in `chats` chats, one chat after the other, as
 * they come in. The indexes are made when the rows are there.
 */
export async function fill(sql: postgres.Sql, rows: number, chats: number): Promise<Corpus> {
  const [userId, searcherId] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
  const chatIds = Array.from({ length: chats }, () => Bun.randomUUIDv7())
  const perChat = Math.floor(rows / chats)
  await sql`
    insert into users (id, phone, username, password_hash)
    values (${userId}, '+1000000001', 'bench_1', 'none'), (${searcherId}, '+1000000002', 'bench_2', 'none')`
  await sql`
    insert into chats (id, type, member_count, last_seq, last_rev)
    select id, 'group', 1, ${perChat}::int, ${Math.floor(perChat / EDITED_EVERY)}::int from unnest(${chatIds}::uuid[]) id`
  await sql`insert into chat_members (chat_id, user_id) select id, ${userId} from unnest(${chatIds}::uuid[]) id`
  await sql`
    insert into chat_members (chat_id, user_id)
    select id, ${searcherId} from unnest(${chatIds.slice(0, SEARCHED_CHATS)}::uuid[]) id`

  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
    where indrelid = 'messages'::regclass and not indisprimary`
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`)
  await sql`alter table messages drop constraint messages_chat_id_id_pk`
  await sql`
    create unlogged table texts as
    select n as text, string_agg('w' || floor(${WORDS}::int ^ ((hashint8extended(n, word) & 1048575) / 1048576.0::float8)), ' ') as content
    from generate_series(0, ${TEXTS - 1}::int) n, generate_series(1, 9) word group by n`
  for (let from = 0; from < perChat * chats; from += STEP) {
    const to = Math.min(from + STEP, perChat * chats) - 1
    await sql`
      insert into messages (chat_id, id, seq, rev, sender_id, client_id, content, created_at, updated_at)
      select (${chatIds}::uuid[])[n % ${chats}::int + 1], id, seq,
        case when seq % ${EDITED_EVERY}::int = 0 then seq / ${EDITED_EVERY}::int else 0 end,
        ${userId}, id::text, content, at, at
      from (
        select n, n / ${chats}::int + 1 as seq, timestamptz '2026-01-01' + n * interval '1 second' as at,
          (lpad(to_hex(1767225600000 + n * 1000), 12, '0') || '7' || substr(md5(n::text), 1, 19))::uuid as id,
          content
        from generate_series(${from}::bigint, ${to}::bigint) n join texts on texts.text = n % ${TEXTS}::int
      ) made`
  }
  await sql`drop table texts`
  await sql`alter table messages add constraint messages_chat_id_id_pk primary key (chat_id, id)`
  for (const { definition } of indexes) await sql.unsafe(definition)
  // Only what is searched is indexed for search.
  await sql`
    insert into search_heads (chat_id, seq, rev)
    select id, last_seq, last_rev from chats where id <> all(${chatIds.slice(0, SEARCHED_CHATS)}::uuid[])`
  return { userId, searcherId, chatIds, perChat }
}

/** Indexes for search all that is not, without resting. */
export async function indexForSearch({ db, sql }: Database): Promise<void> {
  const indexer = createSearchIndexer({ db, log: createLog('error'), everyMs: 1, share: 1 })
  const isBehind = async () =>
    (
      await sql`select from chats c left join search_heads h on h.chat_id = c.id where h.seq is distinct from c.last_seq`
    ).length > 0
  await indexer.catchUp()
  while (await isBehind()) await Bun.sleep(100)
  await indexer.stop()
}
