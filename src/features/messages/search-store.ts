/** The queries of search. */
import { and, desc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chatMembers, messageSearch, messages, searchWords } from '../../db/schema/index.ts'

/** What stands before each word in a template, and is replaced by the key of a chat. */
export const CHAT_KEY_MARK = '%'

/**
 * A template with the key of a chat put in. The key is the random end of the chat's id, short because it stands before
 * each word; where two chats have the same, the chat's id tells them apart.
 */
export const inChat = (template: SQL, chatId: SQL): SQL =>
  sql`replace(${template}, ${CHAT_KEY_MARK}, right(${chatId}::text, 6))`

export interface SearchFilter {
  /** A tsquery as a template. */
  query: string
  chatId?: string
  /** Only what comes after this place. */
  before?: { at: Date; id: string }
  limit: number
}

export type FoundRow = Awaited<ReturnType<typeof listFound>>[number]

/** So many of the newest messages of each chat are looked through, before the index is asked. */
const LOOKED_THROUGH = { inEach: 200, inOne: 1000 }

/**
 * The user's messages that a query finds, newest first. Membership is that of the statement's own moment. `message` is
 * null for one that was edited or deleted and is not indexed anew yet.
 *
 * A common word is found among the newest messages, by their order, without collecting all that have it. The index of
 * words is asked only for chats where something newer than the last row of the page may lie deeper; what it costs there
 * is bounded by how rare the words turned out to be.
 */
export function listFound(db: Db | Tx, userId: string, { query, chatId, before, limit }: SearchFilter) {
  const isWanted = and(
    eq(chatMembers.userId, userId),
    chatId === undefined ? undefined : eq(chatMembers.chatId, chatId),
  )
  const isAfter = before
    ? sql`(s.created_at, s.message_id) < (${before.at}::timestamptz, ${before.id}::uuid)`
    : sql`true`
  const depth = chatId === undefined ? LOOKED_THROUGH.inEach : LOOKED_THROUGH.inOne
  // `offset 0` keeps the conditions apart, so that no plan walks a whole chat in the hope of a common word.
  const found = sql`(
    with mine as materialized (
      select ${chatMembers.chatId}, ${inChat(sql`${query}::text`, sql`${chatMembers.chatId}`)}::tsquery as query
      from ${chatMembers} where ${isWanted}
    ), recent as materialized (
      select r.* from mine cross join lateral (
        select s.chat_id, s.created_at, s.message_id, s.rev, s.tokens @@ mine.query as is_hit
        from ${messageSearch} s where s.chat_id = mine.chat_id and ${isAfter}
        order by s.created_at desc, s.message_id desc limit ${depth}
      ) r
    ), last_of_page as (
      select created_at from recent where is_hit order by created_at desc offset ${limit - 1} limit 1
    ), unsettled as (
      select chat_id from recent group by chat_id
      having count(*) = ${depth} and min(created_at) >= coalesce((select created_at from last_of_page), '-infinity')
    ), deeper as (
      select d.* from unsettled join mine using (chat_id) cross join lateral (
        select s.chat_id, s.created_at, s.message_id, s.rev
        from (select * from ${messageSearch} t where t.tokens @@ mine.query offset 0) s
        where s.chat_id = mine.chat_id and ${isAfter}
        order by s.created_at desc, s.message_id desc limit ${limit}
      ) d
    )
    select chat_id, created_at, message_id, rev from recent
    where is_hit and chat_id not in (select chat_id from unsettled)
    union all select chat_id, created_at, message_id, rev from deeper
    order by created_at desc, message_id desc limit ${limit}
  ) found`
  return db
    .select({ at: sql<Date>`found.created_at`, id: sql<string>`found.message_id`, message: messages })
    .from(found)
    .leftJoin(
      messages,
      and(
        eq(messages.chatId, sql`found.chat_id`),
        eq(messages.id, sql`found.message_id`),
        eq(messages.rev, sql`found.rev`),
        isNull(messages.deletedAt),
      ),
    )
    .orderBy(desc(sql`found.created_at`), desc(sql`found.message_id`))
}

/**
 * The same, read as the index has it. PostgreSQL thinks all chats alike: in one much larger than most it would take the
 * whole chat for as few rows as it wants anyway, and sort them, and a search would grow with the chat.
 */
export const listFoundInOrder = (db: Db, userId: string, filter: SearchFilter): Promise<FoundRow[]> =>
  db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('enable_sort', 'off', true)`)
    return await listFound(tx, userId, filter)
  })

/** Of 1: below PostgreSQL's usual 0.3, at which two letters of six in the wrong order are no resemblance any more. */
const MIN_SIMILARITY = 0.25
const MAX_RESEMBLING = 200

/**
 * Of each word those of the dictionary that share enough trigrams with it, the most similar first. Trigrams are made of
 * what the database's LC_CTYPE takes for letters: with `C` (not `C.UTF-8`) only ASCII words resemble each other.
 */
export function listResembling(db: Db, words: readonly string[]): Promise<{ word: string; similar: string }[]> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('pg_trgm.similarity_threshold', ${String(MIN_SIMILARITY)}, true)`)
    const rows = await tx.execute<{ word: string; similar: string }>(sql`
      select asked.word, known.word as similar from unnest(${sql.param([...words])}::text[]) asked (word)
      cross join lateral (
        select w.word from ${searchWords} w where w.word % asked.word
        order by similarity(w.word, asked.word) desc, w.word limit ${MAX_RESEMBLING}
      ) known`)
    return [...rows]
  })
}
