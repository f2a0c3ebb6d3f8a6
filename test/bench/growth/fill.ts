/**
 * A place that grows: 1,000 groups, one of them busy with a tenth of all messages, the others alike. Messages come as they
 * would, now in this chat and now in that one, made by PostgreSQL itself.
 */
import type { Database } from '../../../src/db/client.ts'
import { addPeople, type Person } from '../people.ts'

export const CHATS = 1000
export const CHATS_OF_READERS = [10, 100, 1000] as const
const CHUNK = 250_000
/** Every message has one of so many words that are rare, so each word comes again when all have been said. */
const RARE = { words: 50_000, step: 7919 }
/** One message in so many was edited. */
const EDITED_EVERY = 50

export interface World {
  /** By how many chats they are in, the busy one always among them. */
  readers: Map<number, Person>
  /** In every chat. */
  writer: Person
  /** The busy one first. */
  chatIds: string[]
}

/** The rare word of this message: it is there at every size that has the message. */
export const rareWord = (message: number): string => `w${(message * RARE.step) % RARE.words}`

export async function addWorld(database: Database, secret: string): Promise<World> {
  const { sql } = database
  const [writer, ...readers] = await addPeople(database, 1 + CHATS_OF_READERS.length, secret)
  if (!writer) throw new Error('Nobody writes')
  // Their place is their number, whatever their ids are.
  await sql`create table bench_chats (n int primary key, id uuid not null)`
  const chatIds = Array.from({ length: CHATS }, () => Bun.randomUUIDv7())
  await sql`insert into bench_chats select n - 1, id from unnest(${chatIds}::uuid[]) with ordinality c (id, n)`
  await sql`insert into chats (id, type, name, member_count) select id, 'group', 'Group ' || n, 4 from bench_chats`
  await sql`insert into chat_members (chat_id, user_id) select id, ${writer.id} from bench_chats`
  for (const [place, count] of CHATS_OF_READERS.entries()) {
    await sql`
      insert into chat_members (chat_id, user_id)
      select id, ${readers[place]?.id ?? ''} from bench_chats where n < ${count}`
  }
  const byCount = CHATS_OF_READERS.map((count, place) => [count, readers[place] as Person] as const)
  return { readers: new Map(byCount), writer, chatIds }
}

/** Messages number `from` to `to`, then statistics as autovacuum would have them. */
export async function addMessages({ sql }: Database, { writer }: World, from: number, to: number): Promise<void> {
  const others = CHATS - 1
  for (let start = from; start < to; start += CHUNK) {
    const end = Math.min(start + CHUNK, to)
    await sql`
      insert into messages (chat_id, id, seq, rev, sender_id, client_id, content, created_at, updated_at)
      select c.id,
        -- Ids in the order of time, as version 7 has them.
        (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(m::text), 1, 3) || '8' ||
          substr(md5(m::text), 4, 15))::uuid,
        seq, case when seq % ${EDITED_EVERY} = 0 then seq / ${EDITED_EVERY} else 0 end, ${writer.id},
        c.id::text || seq, 'We met at the w' || (m * ${RARE.step}::int % ${RARE.words}::int) || ' by the c' || floor(exp(random() * ln(5000)))::int ||
          ' and talked of harbours', at, at
      from (
        select m, case when m % 10 = 0 then 0 else 1 + (m - m / 10 - 1) % ${others}::bigint end as n,
          case when m % 10 = 0 then m / 10 + 1 else (m - m / 10 - 1) / ${others}::bigint + 1 end as seq,
          timestamptz '2026-01-01' + m * interval '1 second' as at
        from generate_series(${start}::bigint, ${end - 1}::bigint) m
      ) message join bench_chats c using (n)`
  }
  await sql`
    update chats c set (last_seq, last_rev, last_message_at) = (
      select max(m.seq), max(m.seq) / ${EDITED_EVERY}, now() - random() * interval '1 day'
      from messages m where m.chat_id = c.id)
    where exists (select from bench_chats b where b.id = c.id)`
  await sql`vacuum (analyze) messages`
  await sql`vacuum (analyze) chats`
  await sql`analyze`
}

/** What the measurements added, so that each size begins as it was made. */
export const removeMessages = ({ sql }: Database, marked: string) =>
  sql`with gone as (delete from messages where content = ${marked} returning chat_id)
    update chats c set last_seq = coalesce((select max(seq) from messages m where m.chat_id = c.id and m.content <> ${marked}), 0)
    where c.id in (select chat_id from gone)`
