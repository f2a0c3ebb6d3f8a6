/**
 * The queries of the demo. Services write as of now; these move what they wrote to when it is said to have been, in the
 * order in which it was written, so that nothing but its dates is another.
 */
import { sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client.ts'
import { auditLogs, channels, chatMembers, chats, media, messages, searchHeads, users } from '../db/schema/index.ts'

/** Whether anybody has ever had an account. */
export async function hasAccounts(db: Db): Promise<boolean> {
  return (await db.select({ id: users.id }).from(users).limit(1)).length > 0
}

/** Nobody writes, joins or begins to index here until the transaction ends. */
export async function lockChats(tx: Tx, chatIds: readonly string[]): Promise<void> {
  await tx.execute(sql`select from ${chats} where id = any(${sql.param([...chatIds])}::uuid[]) order by id for update`)
}

export interface SaidAt {
  chatId: string
  messageId: string
  at: Date
}

/** An edit or a deletion came three minutes later. */
export async function moveMessages(tx: Tx, said: readonly SaidAt[]): Promise<void> {
  await tx.execute(sql`
    update ${messages} m set created_at = s.at, updated_at = case when m.rev > 0 then s.changed_at else s.at end,
      deleted_at = case when m.deleted_at is not null then s.changed_at end
    from (select *, least(at + interval '3 minutes', now()) as changed_at from unnest(
      ${sql.param(said.map(({ chatId }) => chatId))}::uuid[], ${sql.param(said.map(({ messageId }) => messageId))}::uuid[],
      ${sql.param(said.map(({ at }) => at.toISOString()))}::timestamptz[]
    ) s (chat_id, id, at)) s
    where m.chat_id = s.chat_id and m.id = s.id`)
}

/** Files came with their messages. */
export async function moveMedia(tx: Tx, chatIds: readonly string[]): Promise<void> {
  await tx.execute(sql`
    update ${media} f set created_at = m.created_at, released_at = m.deleted_at from ${messages} m
    where m.chat_id = f.chat_id and m.id = f.message_id and f.chat_id = any(${sql.param([...chatIds])}::uuid[])`)
}

/** Chats began an hour before their first message. */
export async function moveChats(tx: Tx, chatIds: readonly string[]): Promise<void> {
  await tx.execute(sql`
    update ${chats} c set created_at = s.first - interval '1 hour', updated_at = s.first - interval '1 hour',
      last_message_at = s.last
    from (select chat_id, min(created_at) as first, max(created_at) as last from ${messages}
      where chat_id = any(${sql.param([...chatIds])}::uuid[]) group by chat_id) s
    where c.id = s.chat_id`)
  await tx.execute(sql`
    update ${channels} n set created_at = c.created_at from ${chats} c
    where c.id = n.id and c.id = any(${sql.param([...chatIds])}::uuid[])`)
}

/** Everybody was there from the beginning, and read a message a little after it was said. */
export async function moveMembers(tx: Tx, chatIds: readonly string[]): Promise<void> {
  await tx.execute(sql`
    update ${chatMembers} m set joined_at = c.created_at, last_read_at = (
      select least(r.created_at + interval '2 minutes', now()) from ${messages} r
      where r.chat_id = m.chat_id and r.seq = m.last_read_seq)
    from ${chats} c where c.id = m.chat_id and c.id = any(${sql.param([...chatIds])}::uuid[])`)
}

export interface Presence {
  userId: string
  joinedAt: Date
  seenAt: Date
}

/** When people came, and when they were last here; what they did to their profiles they did when they came. */
export async function movePeople(tx: Tx, people: readonly Presence[]): Promise<void> {
  const userIds = sql.param(people.map(({ userId }) => userId))
  await tx.execute(sql`
    update ${users} u set created_at = p.joined_at, updated_at = p.joined_at, last_seen_at = p.seen_at from unnest(
      ${userIds}::uuid[], ${sql.param(people.map(({ joinedAt }) => joinedAt.toISOString()))}::timestamptz[],
      ${sql.param(people.map(({ seenAt }) => seenAt.toISOString()))}::timestamptz[]
    ) p (id, joined_at, seen_at) where u.id = p.id`)
  await tx.execute(sql`
    update ${auditLogs} a set created_at = u.created_at from ${users} u
    where u.id = a.user_id and u.id = any(${userIds}::uuid[])`)
}

/**
 * A running server may have indexed messages by the dates they had: with its head a chat's index goes, and is made anew.
 * Under the lock of the chats: whoever is making heads or indexing is waited for.
 */
export async function forgetIndex(tx: Tx, chatIds: readonly string[]): Promise<void> {
  await tx.execute(sql`delete from ${searchHeads} where chat_id = any(${sql.param([...chatIds])}::uuid[])`)
}
