/** A search costs what the searched chats hold, not what all chats hold: whatever its words, no table is read through. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { sql as statement } from 'drizzle-orm'
import { connectDatabase } from '../../../src/db/client.ts'
import { createSearch } from '../../../src/features/messages/search.ts'
import { parseQuery, toQuery } from '../../../src/features/messages/search-query.ts'
import { type SearchFilter, selectOwn } from '../../../src/features/messages/search-store.ts'
import { type SearchSetup, startSearch } from './search-setup.ts'
import { upTo } from './support.ts'

const OWN_CHATS = 10
const OTHER_CHATS = 30
const MESSAGES_A_CHAT = 5000

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  Plans?: PlanNode[]
}

describe('among 200,000 messages', () => {
  let setup: SearchSetup
  let userId: string
  let chatIds: string[]
  beforeAll(async () => {
    setup = await startSearch()
    const { sql } = setup
    userId = await setup.addUser()
    const otherId = await setup.addUser()
    chatIds = await Promise.all(upTo(OWN_CHATS).map(() => setup.addChat(userId)))
    for (const _ of upTo(OTHER_CHATS)) await setup.addChat(otherId)
    await sql`insert into search_heads (chat_id) select id from chats`
    // Chat by chat: all at once would take longer than a statement may.
    for (const { id } of await sql<{ id: string }[]>`select id from chats`) {
      const rows = sql`
        select ${id}::uuid as chat_id, gen_random_uuid() as message_id, n, now() - n * interval '1 second' as created_at,
          right(${id}, 6) as key from generate_series(1, ${MESSAGES_A_CHAT}) n`
      await sql`
        with rows as materialized (${rows}), stored as (
          insert into messages (chat_id, id, seq, client_id, content, created_at)
          select chat_id, message_id, n, message_id::text, 'common', created_at from rows
        )
        insert into message_search (chat_id, created_at, message_id, rev, tokens)
        select chat_id, created_at, message_id, 0, (key || 'common ' || key || 'number' || n
          || case when n % 1000 = 999 then ' ' || key || 'rare' else '' end)::tsvector from rows`
    }
    await sql`analyze`
  }, 60_000)
  afterAll(() => setup.stop())

  async function planOf(q: string, filter: Partial<SearchFilter> = {}): Promise<PlanNode[]> {
    const { db } = setup.database
    const query = selectOwn(db, userId, { query: toQuery(parseQuery(q)), limit: 51, ...filter })
    const [row] = await db.execute<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      statement`explain (analyze, format json) ${query}`,
    )
    const top = row?.['QUERY PLAN'][0]?.Plan
    if (!top) throw new Error('No plan')
    return listNodes(top)
  }

  const listNodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(listNodes)]
  const isLarge = (node: PlanNode) => ['messages', 'message_search'].includes(node['Relation Name'] ?? '')
  const rowsOf = (nodes: readonly PlanNode[]) =>
    nodes.filter(isLarge).reduce((total, node) => total + node['Actual Rows'] * node['Actual Loops'], 0)
  const hasReadThrough = (nodes: readonly PlanNode[]) =>
    nodes.some((node) => isLarge(node) && node['Node Type'] === 'Seq Scan')
  const usesWords = (nodes: readonly PlanNode[]) =>
    nodes.some((node) => node['Index Name'] === 'idx_message_search_tokens' && node['Actual Loops'] > 0)

  const inOne = () => ({ chatId: chatIds[0] })
  const onALaterPage = () => ({ before: { at: new Date(), id: Bun.randomUUIDv7() } })

  it.each([
    ['a rare word', 'rare', () => ({}), true],
    ['a rare word in one chat', 'rare', inOne, true],
    ['a rare word on a later page', 'rare', onALaterPage, true],
    ['a word nobody said', 'nobody', () => ({}), true],
    ['a common word', 'common', () => ({}), false],
    ['a common word in one chat', 'common', inOne, false],
    ['a common word on a later page', 'common', onALaterPage, false],
    ['a common and a rare word', 'common rare', () => ({}), true],
    ['the beginning of many words', 'numb', () => ({}), false],
  ])('%s', async (_, q, filter, isByWords) => {
    const nodes = await planOf(q, filter())
    expect(hasReadThrough(nodes)).toBe(false)
    expect(usesWords(nodes)).toBe(isByWords)
    // What is looked through of each chat, what the index of words found, and the page.
    expect(rowsOf(nodes)).toBeLessThan(OWN_CHATS * 200 + 500)
  })

  it('looks up resembling words by their trigrams', async () => {
    const { sql } = setup
    await sql`insert into search_words select md5(n::text) from generate_series(1, 20000) n`
    await sql`analyze search_words`
    const rows = await sql`explain select w.word from search_words w where w.word % 'appointment'`
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toContain('idx_search_words_trigrams')
    expect(plan).not.toContain('Seq Scan')
  })
})

describe('in a chat far larger than the others', () => {
  const SMALL = { chats: 200, messages: 20 }
  const LARGE = 10_000

  it.each([
    ['there alone', true],
    ['in all chats', false],
  ])(
    'a search reads the newest messages and what has the word, not the chat: %s',
    async (_, isInOne) => {
      const setup = await startSearch()
      const plans: string[] = []
      // Every plan with what it really did, told to whoever ran the statement.
      const explaining = connectDatabase({
        url: setup.url,
        poolMax: 1,
        name: 'tests',
        startup: {
          session_preload_libraries: 'auto_explain',
          'auto_explain.log_min_duration': 0,
          'auto_explain.log_analyze': true,
          client_min_messages: 'log',
        },
        onNotice: ({ message = '' }) => plans.push(message),
      })
      try {
        const { sql } = setup
        const userId = await setup.addUser()
        const large = await setup.addChat(userId)
        for (const _ of upTo(SMALL.chats)) await setup.addChat(userId)
        await sql`insert into search_heads (chat_id) select id from chats`
        await sql`
        insert into message_search (chat_id, created_at, message_id, rev, tokens)
        select id, now() - n * interval '1 second', gen_random_uuid(), 0,
          (right(id::text, 6) || 'common' || case when n % 1000 = 999 then ' ' || right(id::text, 6) || 'rare' else '' end)::tsvector
        from chats, generate_series(1, case when id = ${large} then ${LARGE}::int else ${SMALL.messages}::int end) n
        -- As they are said: now here, now there.
        order by random()`
        await sql`analyze`
        const { search } = createSearch({ db: explaining.db })
        const page = await search(userId, { q: 'rare', chat_id: isInOne ? large : undefined })
        expect(page.is_fuzzy).toBe(false)
        const read = plans
          .flatMap((plan) => [...plan.matchAll(/ on message_search\b.*actual time=\S+ rows=(\d+) loops=(\d+)/g)])
          .reduce((total, [, rows, loops]) => total + Number(rows) * Number(loops), 0)
        expect(read).toBeGreaterThan(0)
        expect(read).toBeLessThan(isInOne ? 2000 : SMALL.chats * SMALL.messages + 2000)
      } finally {
        await explaining.close()
        await setup.stop()
      }
    },
    60_000,
  )
})
