/** The queries of search. */
import { and, desc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chatMembers, chats, messageSearch, messages, searchHeads, searchWords } from '../../db/schema/index.ts'
import type { MessageRow } from './model.ts'

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
  /** Search in one chat goes deeper before it asks the index. */
  chatId?: string
  /** Only what comes after this place. */
  before?: { at: Date; id: string }
  limit: number
}

export interface FoundRow {
  at: Date
  id: string
  /** Null for one that was edited or deleted and is not indexed anew yet. */
  message: MessageRow | null
}

/** How far a chat has been changed, and how far it is indexed. */
export interface SearchedHead {
  chatId: string
  rev: number
  indexedSeq: number
  indexedRev: number
}

/** So many of the newest messages of each chat are looked through at most, before the index is asked. */
const LOOKED_THROUGH = { inEach: 200, inOne: 1000 }
/** At first fewer where there are many chats: so many in all, but no fewer in each than tell a common word from a rare one. */
const FIRST_LOOK = { inAll: 2000, inEach: 10 }

const memberships = (userId: string, chatId: string | undefined) =>
  and(eq(chatMembers.userId, userId), chatId === undefined ? undefined : eq(chatMembers.chatId, chatId))

/** The user's chats, or the one of them that is named, as a search of theirs finds them now. */
export function listSearchedHeads(db: Db, userId: string, chatId: string | undefined): Promise<SearchedHead[]> {
  const indexed = (column: typeof searchHeads.seq | typeof searchHeads.rev) =>
    sql<number>`coalesce(${column}, 0)::float8`
  return db
    .select({
      chatId: chats.id,
      rev: chats.lastRev,
      indexedSeq: indexed(searchHeads.seq),
      indexedRev: indexed(searchHeads.rev),
    })
    .from(chatMembers)
    .innerJoin(chats, eq(chats.id, chatMembers.chatId))
    .leftJoin(searchHeads, eq(searchHeads.chatId, chatMembers.chatId))
    .where(memberships(userId, chatId))
}

/**
 * Reads as the index has it. PostgreSQL thinks all chats alike: in one much larger than most it would take the whole chat
 * for as few rows as it wants anyway, and sort them, and a search would grow with the chat.
 */
const inOrder = <T>(db: Db, read: (tx: Tx) => PromiseLike<T>): Promise<T> =>
  db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('enable_sort', 'off', true)`)
    return await read(tx)
  })

/** The user's messages that a query finds, newest first. Membership is that of the statement's own moment. */
export const listFound = async (db: Db, userId: string, filter: SearchFilter): Promise<FoundRow[]> =>
  toFound(await inOrder(db, (tx) => selectOwn(tx, userId, filter)))

/** The query of `listFound`. */
export const selectOwn = (db: Db | Tx, userId: string, filter: SearchFilter) =>
  selectFound(db, sql`select chat_id from ${chatMembers} where ${memberships(userId, filter.chatId)}`, filter)

/**
 * The same of a replica, in the chats of `heads`, which the primary has just told: whoever was removed from a chat must
 * not find anything there because the replica does not know yet. Undefined where the replica lacks something that the
 * primary had then, or has become something else than a replica.
 */
export async function listFoundSince(
  replica: Db,
  heads: readonly SearchedHead[],
  filter: SearchFilter,
): Promise<FoundRow[] | undefined> {
  const column = (of: (head: SearchedHead) => string | number) => sql.param(heads.map(of))
  const hasReached = sql`
    select pg_is_in_recovery() and not exists (
      select from unnest(
        ${column(({ chatId }) => chatId)}::uuid[], ${column(({ rev }) => rev)}::bigint[],
        ${column(({ indexedSeq }) => indexedSeq)}::bigint[], ${column(({ indexedRev }) => indexedRev)}::bigint[]
      ) head (chat_id, rev, indexed_seq, indexed_rev)
      left join ${chats} c on c.id = head.chat_id left join ${searchHeads} h on h.chat_id = head.chat_id
      where coalesce(c.last_rev, -1) < head.rev or coalesce(h.seq, 0) < head.indexed_seq
        or coalesce(h.rev, 0) < head.indexed_rev)`
  const mine = sql`select chat_id from unnest(${column(({ chatId }) => chatId)}::uuid[]) mine (chat_id)`
  const rows = await inOrder(replica, (tx) => selectFound(tx, mine, filter, hasReached))
  return rows.some(({ hasReached }) => !hasReached) ? undefined : toFound(rows)
}

const toFound = (rows: Awaited<ReturnType<typeof selectFound>>): FoundRow[] =>
  rows.flatMap(({ at, id, message }) => (at === null || id === null ? [] : { at, id, message }))

/**
 * What a query finds in the chats that `mine` selects. Where nothing is found one row says whether it was looked for:
 * `hasReached` comes first, and without it nothing is.
 *
 * A common word is found among the newest messages, by their order, without collecting all that have it. The index of
 * words is asked only for chats where something newer than the last row of the page may lie deeper; what it costs there
 * is bounded by how rare the words turned out to be.
 *
 * Of many chats a first look takes a few messages each. Only where they have the words is the look as long as it may be:
 * there the words are common, and the index would name a good part of the chat. Where none has them the index is asked.
 */
function selectFound(
  db: Db | Tx,
  mine: SQL,
  { query, chatId, before, limit }: SearchFilter,
  hasReached: SQL = sql`select true`,
) {
  const isAfter = before
    ? sql`(s.created_at, s.message_id) < (${before.at}::timestamptz, ${before.id}::uuid)`
    : sql`true`
  const depth = chatId === undefined ? LOOKED_THROUGH.inEach : LOOKED_THROUGH.inOne
  const newest = (most: SQL) => sql`
    select s.chat_id, s.created_at, s.message_id, s.rev, s.tokens @@ mine.query as is_hit
    from ${messageSearch} s where s.chat_id = mine.chat_id and ${isAfter}
    order by s.created_at desc, s.message_id desc limit ${most}`
  const lastOfPage = (rows: SQL) => sql`
    select created_at from ${rows} where is_hit order by created_at desc offset ${limit - 1} limit 1`
  // `offset 0` keeps the conditions apart, so that no plan walks a whole chat in the hope of a common word.
  const found = sql`(
    with state (has_reached) as materialized (${hasReached}), mine as materialized (
      select chat_id, ${inChat(sql`${query}::text`, sql`chat_id`)}::tsquery as query from (${mine}) mine
      where (select has_reached from state)
    ), first_look (depth) as materialized (
      select least(${depth}::bigint, greatest(${FIRST_LOOK.inEach}::bigint, ${FIRST_LOOK.inAll}::bigint / greatest(count(*), 1)))
      from mine
    ), recent as materialized (
      select r.* from mine cross join lateral (${newest(sql`(select depth from first_look)`)}) r
    ), last_of_recent as (${lastOfPage(sql`recent`)}), common as materialized (
      select chat_id from recent group by chat_id
      having bool_or(is_hit) and count(*) = (select depth from first_look where depth < ${depth}::bigint)
        and min(created_at) >= coalesce((select created_at from last_of_recent), '-infinity')
    ), looked as materialized (
      select r.*, depth from recent r, first_look where chat_id not in (select chat_id from common)
      union all select r.*, ${depth}::bigint from common join mine using (chat_id)
      cross join lateral (${newest(sql`${depth}::bigint`)}) r
    ), last_of_page as (${lastOfPage(sql`looked`)}), unsettled as (
      select chat_id from looked group by chat_id, depth
      having count(*) = depth and min(created_at) >= coalesce((select created_at from last_of_page), '-infinity')
    ), deeper as (
      select d.* from unsettled join mine using (chat_id) cross join lateral (
        select s.chat_id, s.created_at, s.message_id, s.rev
        from (select * from ${messageSearch} t where t.tokens @@ mine.query offset 0) s
        where s.chat_id = mine.chat_id and ${isAfter}
        order by s.created_at desc, s.message_id desc limit ${limit}
      ) d
    )
    select has_reached, hit.* from state left join (
      select chat_id, created_at, message_id, rev from looked
      where is_hit and chat_id not in (select chat_id from unsettled)
      union all select chat_id, created_at, message_id, rev from deeper
      order by created_at desc, message_id desc limit ${limit}
    ) hit on true
  ) found`
  return db
    .select({
      hasReached: sql<boolean>`found.has_reached`,
      at: sql<Date | null>`found.created_at`,
      id: sql<string | null>`found.message_id`,
      message: messages,
    })
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
