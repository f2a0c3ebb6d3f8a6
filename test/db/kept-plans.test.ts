/**
 * Statements whose plans are kept: made while the tables were empty, they must be those for full ones. Were one a scan, of
 * a table or of a whole index, it would cost more with each row that is added.
 */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { connectDatabase, type Database, type Db } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { listAliveIds } from '../../src/features/auth/store.ts'
import { listRinging } from '../../src/features/calls/store.ts'
import { listHeads, listOverviews, listOwnIds } from '../../src/features/chats/overview-store.ts'
import { listMessages, listMessagesAfter } from '../../src/features/messages/store.ts'
import { listChanged } from '../../src/features/sync/store.ts'
import { listBlockedIds } from '../../src/features/users/blocks-store.ts'
import { createLog } from '../../src/observability/log.ts'
import { createDatabase } from '../support/postgres.ts'

const CHATS = 50_000
const MINE = 5
/** Of one of these chats. */
const LONG = 50_000
/** Blocks of tables and indexes. What one statement needs of MINE chats is half of it; any whole index has more. */
const MOST = 200

const userId = Bun.randomUUIDv7()
const peerIds = Array.from({ length: MINE }, () => Bun.randomUUIDv7())
const chatIds = Array.from({ length: MINE }, () => Bun.randomUUIDv7())
const [chatId = ''] = chatIds
const places = chatIds.map((id) => ({ chatId: id, afterSeq: 1 }))
const held = chatIds.map((id) => ({ chatId: id, afterSeq: LONG, afterRev: 0 }))

const statements: Record<string, (db: Db) => Promise<{ length: number }>> = {
  'all chats of a user': (db) => listOverviews(db, userId, {}),
  'a page of them': (db) => listOverviews(db, userId, { limit: MINE }),
  'the next page': (db) =>
    listOverviews(db, userId, { limit: MINE, before: { at: new Date('2999-01-01'), id: userId } }),
  'some of them': (db) => listOverviews(db, userId, { chatIds }),
  'where they stand': (db) => listHeads(db, userId),
  'their ids': (db) => listOwnIds(db, userId),
  'a page of messages': (db) => listMessages(db, chatId, { beforeSeq: LONG / 2 }, 50),
  'a page of messages, upwards': (db) => listMessages(db, chatId, { afterSeq: LONG / 2 }, 50),
  'messages after a place in each chat': (db) => listMessagesAfter(db, places, 50),
  'messages changed after a place in each chat': (db) => listChanged(db, held, 50),
  'whether a session lives': (db) => listAliveIds(db, [userId]),
  'what rings for a user': (db) => listRinging(db, [userId]),
  'whom a user has blocked': (db) => listBlockedIds(db, userId),
}

let admin: Database
let own: Database
beforeAll(async () => {
  const url = await createDatabase()
  admin = connectDatabase({ url, poolMax: 1, name: 'tests', statementTimeoutSeconds: 0 })
  await migrate(
    admin.sql,
    createLog('error', () => {}),
  )
  // Nobody analyses them again: that would make the plans anew.
  for (const table of ['messages', 'chats', 'chat_members', 'users', 'blocks', 'session_tokens', 'calls'])
    await admin.sql.unsafe(`alter table ${table} set (autovacuum_enabled = false)`)
  await admin.sql`analyze`
  own = connectDatabase({ url, poolMax: 1, name: 'messenger' })
  for (const ask of Object.values(statements)) for (let n = 0; n < 3; n++) expect(await ask(own.db)).toHaveLength(0)
  await fill(admin)
}, 120_000)
afterAll(async () => {
  await own.close()
  await admin.close()
})

/** Direct chats of two messages each; MINE of them are the user's, and one of those is long. */
async function fill({ sql }: Database): Promise<void> {
  await sql`
    create table pairs as
    select id, one, other from unnest(${chatIds}::uuid[], ${peerIds}::uuid[]) p (id, other), (select ${userId}::uuid as one) u
    union all
    select gen_random_uuid(), gen_random_uuid(), gen_random_uuid() from generate_series(1, ${CHATS}::int)`
  await sql`
    insert into users (id, phone, username, password_hash)
    select distinct on (person) person, right(person::text, 18), 'u' || right(person::text, 18), 'none'
    from pairs, unnest(array[one, other]) person`
  await sql`
    insert into chats (id, type, dm_key, member_count, last_seq, last_rev)
    select id, 'dm', least(one::text, other::text) || ':' || greatest(one::text, other::text), 2, 2, 1 from pairs`
  await sql`insert into chat_members (chat_id, user_id) select id, member from pairs, unnest(array[one, other]) member`
  await sql`
    insert into messages (chat_id, id, seq, rev, sender_id, client_id, content)
    select id, gen_random_uuid(), seq, 2 - seq, other, id::text || seq, 'hello' from pairs, generate_series(1, 2) seq`
  await sql`
    insert into messages (chat_id, id, seq, rev, sender_id, client_id, content)
    select ${chatId}, gen_random_uuid(), seq, seq, ${peerIds[0] ?? ''}, seq, 'hello' from generate_series(3, ${LONG}::int) seq`
  await sql`update chats set last_seq = ${LONG} where id = ${chatId}`
  await sql`
    insert into session_tokens (id, user_id, token_hash, next_token_hash, expires_at)
    select distinct on (pairs.one) one, one, one::text, one::text, now() + interval '1 day' from pairs`
  await sql`insert into blocks (blocker_id, blocked_id) select one, other from pairs`
  await sql`
    insert into calls (id, chat_id, message_id, caller_id, callee_id, media, state, outcome, created_at, ring_until, ended_at,
      caller_device, caller_session, caller_until, is_recorded)
    select gen_random_uuid(), id, gen_random_uuid(), other, one, 'audio', (case when id = ${chatId} then 'ringing' else 'ended' end)::call_state,
      (case when id = ${chatId} then null else 'missed' end)::call_outcome, now(), now(), now(), id, id, now(), true from pairs`
}

/** How many blocks of tables and indexes the session reads for it. */
async function blocksOf(work: () => Promise<unknown>): Promise<number> {
  const count = async () => {
    // What the session counted is handed over now.
    await own.sql`select pg_stat_force_next_flush()`
    const [row] = await admin.sql<{ blocks: number }[]>`
      select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::float8 as blocks
      from pg_statio_user_tables`
    return row?.blocks ?? 0
  }
  await admin.sql`select pg_stat_force_next_flush()`
  const before = await count()
  await work()
  return (await count()) - before
}

describe('a plan that was made on empty tables reads of 50,000 chats only what is asked for:', () => {
  for (const [what, ask] of Object.entries(statements)) {
    it(what, async () => {
      let found = 0
      const blocks = await blocksOf(async () => {
        found = (await ask(own.db)).length
      })
      expect(found).toBeGreaterThan(0)
      expect(blocks).toBeGreaterThan(0)
      expect(blocks).toBeLessThan(MOST)
    })
  }

  it('and the check can tell', async () => {
    expect(await blocksOf(() => own.sql`select count(*) from chat_members where chat_id < user_id`)).toBeGreaterThan(
      MOST,
    )
  })
})
