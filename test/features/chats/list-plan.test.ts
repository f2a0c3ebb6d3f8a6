/** How PostgreSQL reads the chat list among very many chats. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { listOverviews, type OverviewFilter, selectOverviews } from '../../../src/features/chats/overview-store.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const USERS = 10_000
const CHATS = 100_000
const MINE = 1000
const PARTS = 5

let server: TestServer
/** Has a direct chat with MINE others. */
let userId: string
beforeAll(async () => {
  server = await startServer()
  userId = await addCrowd(server)
}, 120_000)
afterAll(() => server.stop())

/** CHATS direct chats among USERS, each with a message, in which blocks are common. @returns one who has MINE of them */
async function addCrowd({ database: { sql } }: TestServer): Promise<string> {
  await sql`
    create table people as select row_number() over (order by id) as n, id
    from (select gen_random_uuid() as id from generate_series(1, ${USERS}::int)) p`
  await sql`create unique index on people (n)`
  await sql`
    insert into users (id, phone, username, password_hash)
    select id, '+1' || (1000000000 + n), 'crowd_' || n, 'none' from people`
  await sql`
    create table pairs as
    select gen_random_uuid() as id, one.id as one, other.id as other
    from (
      select 1 as a, 1 + n as b from generate_series(1, ${MINE}::int) n
      union
      select 2 + n % ${USERS - 1}::int, 2 + (n + 1 + n / ${USERS - 1}::int) % ${USERS - 1}::int
      from generate_series(0, ${CHATS - MINE - 1}::int) n
    ) p
    join people one on one.n = p.a join people other on other.n = p.b`
  await sql`
    insert into chats (id, type, dm_key, member_count, last_seq, last_message_at)
    select id, 'dm', least(one::text, other::text) || ':' || greatest(one::text, other::text), 2, 1,
      now() - random() * interval '90 days'
    from pairs`
  // Not all at once: that takes longer than a statement may, on a busy machine.
  for (let part = 0; part < PARTS; part++) {
    await sql`
      insert into chat_members (chat_id, user_id)
      select id, member from pairs, unnest(array[one, other]) member where abs(hashtext(id::text)) % ${PARTS}::int = ${part}`
  }
  await sql`
    insert into messages (chat_id, id, seq, sender_id, client_id, content)
    select id, gen_random_uuid(), 1, one, id::text, 'hello' from pairs`
  await sql`insert into blocks (blocker_id, blocked_id) select one, other from pairs limit 20000`
  await sql`analyze`
  const [first] = await sql`select id from people where n = 1`
  return first?.id
}

async function planOf(filter: OverviewFilter): Promise<string> {
  const { db, sql } = server.database
  const query = selectOverviews(db, { userId, limit: MINE, ...filter }).query.toSQL()
  return JSON.stringify(await sql.unsafe(`explain (verbose) ${query.sql}`, query.params as never[]))
}

describe('the chat list of somebody with 1,000 chats among 100,000', () => {
  it('reads no table as a whole, however many of them are asked for', async () => {
    const before = { at: new Date(), id: Bun.randomUUIDv7() }
    const [some] = await listOverviews(server.database.db, userId, { limit: 1 })
    const filters = [{ limit: 51 }, { limit: 101, before }, {}, { chatIds: [some?.id ?? ''] }]
    for (const filter of filters) expect(await planOf(filter)).not.toContain('Seq Scan')
    // The check can tell.
    expect(JSON.stringify(await server.database.sql`explain select * from chats`)).toContain('Seq Scan')
  })

  it('names the other one of each direct chat', async () => {
    const { db, sql } = server.database
    const rows = await listOverviews(db, userId, {})
    expect(rows).toHaveLength(MINE)
    const peers = await sql<{ chat_id: string; user_id: string }[]>`
      select other.chat_id, other.user_id from chat_members mine
      join chat_members other on other.chat_id = mine.chat_id and other.user_id <> mine.user_id
      where mine.user_id = ${userId}`
    const expected = new Map(peers.map(({ chat_id, user_id }) => [chat_id, user_id]))
    for (const { id, peer } of rows) expect(peer?.id).toBe(String(expected.get(id)))
  })
})
