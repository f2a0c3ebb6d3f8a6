/** Somebody in very many chats: a search looks at few messages of each, and finds what one that looks at all would find. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { sql as statement } from 'drizzle-orm'
import { parseQuery, toQuery } from '../../../src/features/messages/search-query.ts'
import { listFound, type SearchFilter, selectOwn } from '../../../src/features/messages/search-store.ts'
import { type SearchSetup, startSearch } from './search-setup.ts'

const CHATS = 400
/** More than a search looks through in any chat. */
const MESSAGES_A_CHAT = 210
const PAGE = 20

describe(`in ${CHATS} chats`, () => {
  let setup: SearchSetup
  let userId: string
  beforeAll(async () => {
    setup = await startSearch()
    const { sql } = setup
    const strangerId = await setup.addUser()
    userId = await setup.addUser()
    await sql`
      create table many as select gen_random_uuid() as id, n as c from generate_series(1, ${CHATS + 1}::int) n`
    await sql`insert into chats (id, type, member_count) select id, 'group', 1 from many`
    await sql`
      insert into chat_members (chat_id, user_id)
      select id, case when c > ${CHATS} then ${strangerId} else ${userId} end::uuid from many`
    await sql`insert into search_heads (chat_id) select id from many`
    // `local` is common in three chats and nowhere else, `old` lies deeper than is looked, at one instant in all chats.
    await sql`
      insert into message_search (chat_id, created_at, message_id, rev, tokens)
      select id, now() - n * interval '1 minute' - case when n > 205 then interval '0' else c * interval '1 second' end,
        gen_random_uuid(), 0, concat_ws(' ', key || 'common',
          case when (n + c) % 15 = 0 then key || 'often' end,
          case when c % 97 = 9 and n = 150 then key || 'rare' end,
          case when c % 133 = 1 and n % 3 > 0 then key || 'local' end,
          case when n = 208 and c % 2 = 0 then key || 'old' end)::tsvector
      from (select id, c, right(id::text, 6) as key from many) chat, generate_series(1, ${MESSAGES_A_CHAT}::int) n`
    await sql`analyze`
  }, 60_000)
  afterAll(() => setup.stop())

  const queryOf = (q: string) => toQuery(parseQuery(q))

  /** All that has the words, read message by message. */
  async function listAll(q: string): Promise<string[]> {
    const words = q.split(' ')
    const rows = await setup.sql<{ id: string }[]>`
      select s.message_id as id from message_search s join chat_members m using (chat_id)
      where m.user_id = ${userId} and (
        select bool_and(exists (
          select from unnest(s.tokens) token where token.lexeme like right(s.chat_id::text, 6) || word || '%'))
        from unnest(${words}::text[]) word)
      order by s.created_at desc, s.message_id desc limit ${5 * PAGE}`
    return rows.map(({ id }) => id)
  }

  it.each(['rare', 'common', 'often', 'local', 'old', 'often local', 'rare often', 'nobody'])(
    'finds page by page what is there: %s',
    async (q) => {
      const found: string[] = []
      let before: SearchFilter['before']
      for (let page = 0; page < 5; page++) {
        const rows = await listFound(setup.database.db, userId, { query: queryOf(q), before, limit: PAGE })
        found.push(...rows.map(({ id }) => id))
        before = rows.at(-1)
        if (rows.length < PAGE) break
      }
      expect(found).toEqual(await listAll(q))
      expect(found.length > 0).toBe(q !== 'nobody')
    },
    30_000,
  )

  interface PlanNode {
    'Relation Name'?: string
    'Actual Rows': number
    'Actual Loops': number
    Plans?: PlanNode[]
  }
  const rowsOf = (node: PlanNode): number =>
    (node['Relation Name'] === 'message_search' ? node['Actual Rows'] * node['Actual Loops'] : 0) +
    (node.Plans ?? []).reduce((sum, inner) => sum + rowsOf(inner), 0)

  it.each(['rare', 'common', 'often', 'local', 'nobody'])('reads a few messages of each: %s', async (q) => {
    const rows = await setup.database.db.transaction(async (tx) => {
      await tx.execute(statement`select set_config('enable_sort', 'off', true)`)
      const query = selectOwn(tx, userId, { query: queryOf(q), limit: PAGE + 1 })
      return [
        ...(await tx.execute<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
          statement`explain (analyze, format json) ${query}`,
        )),
      ]
    })
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan
    if (!plan) throw new Error('No plan')
    expect(rowsOf(plan)).toBeGreaterThan(CHATS)
    // Ten of each; two hundred of each would be 80,000.
    expect(rowsOf(plan)).toBeLessThan(CHATS * 20)
  })
})
