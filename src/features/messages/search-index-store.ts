/** The queries that fill the index of search: each for many chats at once. */
import { sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chats, messageSearch, messages, searchHeads, searchWords } from '../../db/schema/index.ts'
import { inChat } from './search-store.ts'

/** How far a chat is indexed, and how far it has come. */
export interface Backlog {
  chatId: string
  /** False when somebody else indexes it now. */
  isLocked: boolean
  seq: number
  rev: number
  lastSeq: number
  lastRev: number
}

/**
 * Makes heads for chats that have none. Chats that are locked or gone get none now. A head locks its chat until it is
 * committed, so it is made before the round and by itself: whoever needs the chat, the writer of messages with files above
 * all, does not wait for what the round writes. A crash may lose it: then it is made again.
 */
export async function insertHeads(db: Db, chatIds: readonly string[]): Promise<void> {
  await db.execute(sql`
    with lazily as materialized (select set_config('synchronous_commit', 'off', true))
    insert into ${searchHeads} (chat_id)
    select c.id from lazily, ${chats} c where c.id = any(${sql.param([...chatIds])}::uuid[])
      and not exists (select from ${searchHeads} h where h.chat_id = c.id)
    order by c.id for key share of c skip locked
    on conflict do nothing`)
}

/**
 * Locks the heads of those chats that nobody else has locked, until the transaction ends. Chats that are gone don't come
 * back. Losing the transaction in a crash loses nothing: the heads stand where they stood, so it need not wait for the disk.
 */
export async function lockBacklogs(tx: Tx, chatIds: readonly string[]): Promise<Backlog[]> {
  const rows = await tx.execute<Record<'seq' | 'rev' | 'last_seq' | 'last_rev', number> & Locked>(sql`
    select c.id as chat_id, h.seq is not null as is_locked, coalesce(h.seq, 0)::float8 as seq,
      coalesce(h.rev, 0)::float8 as rev, c.last_seq::float8 as last_seq, c.last_rev::float8 as last_rev,
      set_config('synchronous_commit', 'off', true)
    from ${chats} c left join lateral (
      select h.seq, h.rev from ${searchHeads} h where h.chat_id = c.id for update skip locked
    ) h on true
    where c.id = any(${sql.param([...chatIds])}::uuid[])`)
  return rows.map((row) => ({
    chatId: row.chat_id,
    isLocked: row.is_locked,
    seq: row.seq,
    rev: row.rev,
    lastSeq: row.last_seq,
    lastRev: row.last_rev,
  }))
}

type Locked = { chat_id: string; is_locked: boolean }

export interface Changed {
  chat_id: string
  id: string
  seq: number
  rev: number
  content: string
  created_at: Date
  is_deleted: boolean
  /** It came after the head's seq; else it was changed after the head's rev. */
  is_new: boolean
}

/** Of each chat the first `limit` messages after its head, and as many changed ones before it. */
export async function listChanged(tx: Tx, backlogs: readonly Backlog[], limit: number): Promise<Changed[]> {
  const columns = sql`m.chat_id, m.id, m.seq::float8 as seq, m.rev::float8 as rev, m.content, m.created_at,
    m.deleted_at is not null as is_deleted`
  const rows = await tx.execute<Changed & Record<string, unknown>>(sql`
    select m.* from unnest(
      ${sql.param(backlogs.map(({ chatId }) => chatId))}::uuid[], ${sql.param(backlogs.map(({ seq }) => seq))}::bigint[],
      ${sql.param(backlogs.map(({ rev }) => rev))}::bigint[], ${sql.param(backlogs.map(({ lastSeq }) => lastSeq))}::bigint[],
      ${sql.param(backlogs.map(({ lastRev }) => lastRev))}::bigint[]
    ) head (chat_id, seq, rev, last_seq, last_rev)
    cross join lateral (
      (select ${columns}, true as is_new from ${messages} m
        where m.chat_id = head.chat_id and m.seq > head.seq and m.seq <= head.last_seq order by m.seq limit ${limit})
      union all
      (select ${columns}, false from ${messages} m
        where m.chat_id = head.chat_id and m.rev > 0 and m.rev > head.rev and m.rev <= head.last_rev
          and m.seq <= head.seq order by m.rev limit ${limit})
    ) m`)
  return [...rows]
}

/** What is indexed of a message: `tokens` is a tsvector as a template. */
export interface Entry {
  chatId: string
  id: string
  createdAt: Date
  rev: number
  tokens: string
}

export async function upsertEntries(tx: Tx, entries: readonly Entry[]): Promise<void> {
  await tx.execute(sql`
    insert into ${messageSearch} (chat_id, created_at, message_id, rev, tokens)
    select e.chat_id, e.created_at, e.id, e.rev, ${inChat(sql`e.tokens`, sql`e.chat_id`)}::tsvector from unnest(
      ${sql.param(entries.map(({ chatId }) => chatId))}::uuid[], ${sql.param(entries.map(({ id }) => id))}::uuid[],
      ${sql.param(entries.map(({ createdAt }) => createdAt.toISOString()))}::timestamptz[],
      ${sql.param(entries.map(({ rev }) => rev))}::bigint[], ${sql.param(entries.map(({ tokens }) => tokens))}::text[]
    ) e (chat_id, id, created_at, rev, tokens)
    on conflict (chat_id, created_at, message_id) do update set rev = excluded.rev, tokens = excluded.tokens`)
}

export async function deleteEntries(
  tx: Tx,
  gone: readonly Pick<Entry, 'chatId' | 'createdAt' | 'id'>[],
): Promise<void> {
  await tx.execute(sql`
    delete from ${messageSearch} s using unnest(
      ${sql.param(gone.map(({ chatId }) => chatId))}::uuid[], ${sql.param(gone.map(({ id }) => id))}::uuid[],
      ${sql.param(gone.map(({ createdAt }) => createdAt.toISOString()))}::timestamptz[]
    ) g (chat_id, id, created_at)
    where s.chat_id = g.chat_id and s.created_at = g.created_at and s.message_id = g.id`)
}

/** `words` come sorted, so that two instances that add the same cannot wait for each other. */
export async function insertWords(tx: Tx, words: readonly string[]): Promise<void> {
  await tx.execute(sql`
    insert into ${searchWords} (word) select word from unnest(${sql.param([...words])}::text[]) word
    on conflict do nothing`)
}

export async function updateHeads(
  tx: Tx,
  heads: readonly { chatId: string; seq: number; rev: number }[],
): Promise<void> {
  await tx.execute(sql`
    update ${searchHeads} h set seq = n.seq, rev = n.rev from unnest(
      ${sql.param(heads.map(({ chatId }) => chatId))}::uuid[], ${sql.param(heads.map(({ seq }) => seq))}::bigint[],
      ${sql.param(heads.map(({ rev }) => rev))}::bigint[]
    ) n (chat_id, seq, rev)
    where h.chat_id = n.chat_id`)
}

/** Chats in which something is not indexed yet, by id, after one of them. */
export async function listBehind(db: Db, afterId: string, limit: number): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(sql`
    select c.id from ${chats} c left join ${searchHeads} h on h.chat_id = c.id
    where c.id > ${afterId}::uuid and (c.last_seq > coalesce(h.seq, 0) or c.last_rev > coalesce(h.rev, 0))
    order by c.id limit ${limit}`)
  return rows.map(({ id }) => id)
}
