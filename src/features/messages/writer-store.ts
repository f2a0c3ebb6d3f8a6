/**
 * The writer's statements, on postgres.js itself: the one place where the shape of the SQL is the speed of the server.
 * Its plans are kept: see `writerStartup`.
 */
import type postgres from 'postgres'
import { numberArray, textArray } from '../../db/array-literal.ts'
import type { MessageRow } from './model.ts'

/** What a message is beyond its text. */
export type Attachment = Pick<MessageRow, 'messageType' | 'mediaUrl' | 'media' | 'call'>

/** A message on its way in. */
export interface Draft {
  id: string
  chatId: string
  senderId: string
  content: string
  /** The sender's key, or the message's own id. */
  clientId: string
  replyToId: string | null
  /** Of uploads and calls. */
  attachment?: Attachment
}

/** Drafts of one chat, in the order in which they will be numbered. */
export interface ChatBatch {
  chatId: string
  drafts: Draft[]
}

export interface Numbered {
  /** Of each batch, the number before its first draft. */
  bases: readonly number[]
  storedAt: Date
}

/**
 * Not every draft could be stored, so none was: a sender is no member, may not post or is blocked, a chat is gone, closed
 * or changed.
 */
export const ALL_OR_NOTHING = '22012'

/**
 * Numbers and stores every draft in one statement, or none. `batches` come sorted by chat id, which is the order in
 * which the chats' rows are locked, the same on every instance.
 *
 * Members are seen as of the statement's start, so one removed while it waited for the chat's lock would still slip in.
 * Therefore a chat whose `access_rev` is another one than at the start counts as changed: whatever takes away
 * the right to post must update the chat's row.
 *
 * Where `=` would leave a choice, rows are looked up by a range of one key: for that there is the primary key's index and
 * nothing else. By `=` PostgreSQL could also go through all chats, or all of a user's, and on tables of a few rows it does.
 *
 * @throws an error of the code `ALL_OR_NOTHING`; a unique violation for a repeated key
 */
export function insertDrafts(sql: postgres.ISql, batches: readonly ChatBatch[]): Promise<Numbered> {
  const [draft, second] = batches.length === 1 ? (batches[0]?.drafts ?? []) : []
  return draft && !second ? insertOne(sql, draft) : insertMany(sql, batches)
}

/**
 * A missing member or a chat that is gone or closed makes the division by zero that takes the statement back.
 *
 * A draft names its poster, and a poster its chat, by their places in the arrays: nothing is joined to the drafts, since a
 * plan that was made for a few rows would go through all chats for each of them. A poster is looked for once, by a
 * subquery, which no plan turns into reading all members.
 */
async function insertMany(sql: postgres.ISql, batches: readonly ChatBatch[]): Promise<Numbered> {
  const { drafts, places, posterPlaces, posters, chatPlaces } = columnsOf(batches)
  const posterChats = numberArray(chatPlaces)
  const posterIds = textArray(posters)
  const [numbered] = await sql<{ bases: string; stored_at: Date }[]>`
    with bumped as (
      update chats c
      set last_seq = c.last_seq + b.drafts, last_message_at = now()
      from unnest(${textArray(batches.map((b) => b.chatId))}::uuid[], ${numberArray(batches.map((b) => b.drafts.length))}::int[])
        with ordinality b (id, drafts, place)
      where c.id between b.id and b.id and not c.is_read_only
        and c.access_rev = (select seen.access_rev from chats seen where seen.id = b.id)
      returning c.id, c.type, c.last_seq - b.drafts as base, b.place
    ), heads as materialized (
      select count(*) as chats, array_agg(id order by place) as ids, array_agg(base order by place) as bases,
        array_agg(type = 'channel' order by place) as are_channels
      from bumped
    ), allowed as materialized (
      select 1 / (case when chats = ${batches.length} and ${posters.length} = (
        select count(*)
        from unnest(${posterChats}::int[], ${posterIds}::uuid[]) p (chat, user_id)
        where (
          select not m.is_blocked and (m.role = 'admin' or not heads.are_channels[p.chat])
          from chat_members m
          where (m.chat_id, m.user_id) >= (heads.ids[p.chat], p.user_id)
            and (m.chat_id, m.user_id) <= (heads.ids[p.chat], p.user_id)
        )
      ) then 1 else 0 end) as everything, ids, bases
      from heads
    ), stored as (
      insert into messages (chat_id, id, seq, sender_id, client_id, content, reply_to_id, created_at, updated_at)
      select ids[chats[poster]], id, bases[chats[poster]] + place, posters[poster], client_id, content, reply_to_id,
        now(), now()
      from allowed, (select ${posterChats}::int[] as chats, ${posterIds}::uuid[] as posters) given, (
        select unnest(${numberArray(posterPlaces)}::int[]) as poster, unnest(${numberArray(places)}::int[]) as place,
          unnest(${textArray(drafts.map((d) => d.id))}::uuid[]) as id, unnest(${textArray(drafts.map((d) => d.clientId))}::text[]) as client_id,
          unnest(${textArray(drafts.map((d) => d.content))}::text[]) as content,
          unnest(${textArray(drafts.map((d) => d.replyToId))}::uuid[]) as reply_to_id
      ) d
      where everything = 1
    )
    select array_to_string(bases, ',') as bases, now()::timestamptz(3) as stored_at from allowed where everything = 1`
  if (!numbered) throw new Error('The writer was given no numbers')
  return { bases: numbered.bases.split(',').map(Number), storedAt: numbered.stored_at }
}

/**
 * The same of one draft, as most are where there is time: beginning and ending a statement is most of what a message costs
 * PostgreSQL, and this one is short.
 */
async function insertOne(sql: postgres.ISql, draft: Draft): Promise<Numbered> {
  const { id, chatId, senderId, clientId, content, replyToId } = draft
  const [stored] = await sql<{ seq: string; stored_at: Date }[]>`
    with bumped as (
      update chats c
      set last_seq = c.last_seq + 1, last_message_at = now()
      from chat_members m
      where c.id = ${chatId} and not c.is_read_only
        and c.access_rev = (select seen.access_rev from chats seen where seen.id = ${chatId})
        and (m.chat_id, m.user_id) >= (${chatId}, ${senderId}) and (m.chat_id, m.user_id) <= (${chatId}, ${senderId})
        and not m.is_blocked and (m.role = 'admin' or c.type <> 'channel')
      returning c.last_seq
    )
    insert into messages (chat_id, id, seq, sender_id, client_id, content, reply_to_id, created_at, updated_at)
    select ${chatId}, ${id}, last_seq, ${senderId}, ${clientId}, ${content}, ${replyToId}, now(), now()
    from bumped
    returning seq, created_at as stored_at`
  if (!stored) throw Object.assign(new Error('The draft could not be stored'), { code: ALL_OR_NOTHING })
  return { bases: [Number(stored.seq) - 1], storedAt: stored.stored_at }
}

export interface LockedChat {
  id: string
  type: 'dm' | 'group' | 'channel'
  isReadOnly: boolean
}

/** Locks the chats' rows: until the transaction ends nobody joins, leaves or posts there. */
export const lockChats = (tx: postgres.ISql, sortedIds: string[]) =>
  tx<
    LockedChat[]
  >`select id, type, is_read_only as "isReadOnly" from chats where id = any(${sortedIds}::uuid[]) order by id for update`

export interface Poster {
  chatId: string
  userId: string
  role: 'admin' | 'member'
  isBlocked: boolean
}

/**
 * Gives messages that were inserted in this transaction what they are beyond their text. They are few: so the statement
 * that inserts, the path of every text, knows nothing of it.
 */
export const attach = (tx: postgres.ISql, drafts: readonly (Draft & { attachment: Attachment })[]) =>
  tx`
    update messages m
    set message_type = a.message_type::message_type, media_url = a.media_url, media = a.media::jsonb, call = a.call::jsonb
    from unnest(
      ${drafts.map((d) => d.chatId)}::uuid[], ${drafts.map((d) => d.id)}::uuid[],
      ${drafts.map((d) => d.attachment.messageType)}::text[], ${drafts.map((d) => d.attachment.mediaUrl)}::text[],
      ${drafts.map((d) => toJson(d.attachment.media))}::text[], ${drafts.map((d) => toJson(d.attachment.call))}::text[]
    ) a (chat_id, id, message_type, media_url, media, call)
    where m.chat_id = a.chat_id and m.id = a.id`

const toJson = (value: object | null) => value && JSON.stringify(value)

/** Which of the drafts' senders are members of the drafts' chats. */
export const listPosters = (tx: postgres.ISql, drafts: readonly Draft[]) =>
  tx<Poster[]>`
    select m.chat_id as "chatId", m.user_id as "userId", m.role, m.is_blocked as "isBlocked"
    from unnest(${drafts.map((d) => d.chatId)}::uuid[], ${drafts.map((d) => d.senderId)}::uuid[]) d (chat_id, sender_id)
    join chat_members m on m.chat_id = d.chat_id and m.user_id = d.sender_id`

/** The messages stored before under the drafts' keys. */
export const listRepeats = (tx: postgres.ISql, drafts: readonly Draft[]) =>
  tx<MessageRow[]>`
    select m.id, m.chat_id as "chatId", m.seq::float8 as seq, m.rev::float8 as rev, m.sender_id as "senderId",
      m.client_id as "clientId", m.content, m.message_type as "messageType", m.media_url as "mediaUrl", m.media, m.call,
      m.reply_to_id as "replyToId", m.created_at as "createdAt", m.updated_at as "updatedAt", m.deleted_at as "deletedAt"
    from unnest(
      ${drafts.map((d) => d.senderId)}::uuid[], ${drafts.map((d) => d.chatId)}::uuid[], ${drafts.map((d) => d.clientId)}::text[]
    ) d (sender_id, chat_id, client_id)
    join messages m on m.sender_id = d.sender_id and m.chat_id = d.chat_id and m.client_id = d.client_id`

/** The drafts in their order with their places; places count from 1, as those of PostgreSQL's arrays. */
function columnsOf(batches: readonly ChatBatch[]) {
  const drafts: Draft[] = []
  const [places, posterPlaces, chatPlaces]: [number[], number[], number[]] = [[], [], []]
  /** Of each chat its senders, once. */
  const posters: string[] = []
  for (const [chat, batch] of batches.entries()) {
    const known = new Map<string, number>()
    for (const [index, draft] of batch.drafts.entries()) {
      let poster = known.get(draft.senderId)
      if (poster === undefined) {
        poster = posters.push(draft.senderId)
        chatPlaces.push(chat + 1)
        known.set(draft.senderId, poster)
      }
      drafts.push(draft)
      places.push(index + 1)
      posterPlaces.push(poster)
    }
  }
  return { drafts, places, posters, posterPlaces, chatPlaces }
}
