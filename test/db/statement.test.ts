/** Rows that are read by place, against those that Drizzle makes of the same select. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm'
import { connectDatabase, type Db, type Tx } from '../../src/db/client.ts'
import { chats, messages } from '../../src/db/schema/index.ts'
import { type Given, statement } from '../../src/db/statement.ts'
import { startServer, type TestServer } from '../support/server.ts'

const CHAT = '0190f6a2-7c1e-7000-8000-000000000001'
const EMPTY = '0190f6a2-7c1e-7000-8000-000000000002'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
  const { db } = server.database
  await db.insert(chats).values([
    { id: CHAT, type: 'group', name: 'Friends', lastSeq: 2, lastMessageAt: new Date('2026-01-15T10:00:00.123Z') },
    { id: EMPTY, type: 'channel' },
  ])
  const media = { file_name: 'a.txt', nested: [1, null, 'ü'] } as never
  await db.insert(messages).values([
    { chatId: CHAT, id: CHAT, seq: 1, clientId: 'a', content: 'plain' },
    { chatId: CHAT, id: EMPTY, seq: 2, rev: 7, clientId: 'b', content: '', media, deletedAt: new Date(0) },
  ])
})
afterAll(() => server.stop())

function selectChats(db: Db | Tx, { type, seq }: { type: Given<'group' | 'channel'>; seq: Given<number> }) {
  const found = db
    .select()
    .from(messages)
    .where(and(eq(messages.chatId, chats.id), eq(messages.seq, seq)))
    .as('found')
  const fields = {
    id: chats.id,
    is: { name: chats.name, type: chats.type },
    size: sql<number>`${chats.lastSeq}::float8 / 4`,
    found: found._.selectedFields,
    at: chats.lastMessageAt,
  }
  const query = db.select(fields).from(chats).leftJoinLateral(found, sql`true`).where(eq(chats.type, type))
  return { fields, query }
}

describe('a statement', () => {
  const { placeholder } = sql
  const listChats = statement((db) => selectChats(db, { type: placeholder('type'), seq: placeholder('seq') }))

  it('gives the rows that Drizzle makes of it', async () => {
    const { db } = server.database
    for (const seq of [1, 2, 3]) {
      const rows = await listChats(db, { type: 'group', seq })
      expect(rows).toEqual(await selectChats(db, { type: 'group', seq }).query)
      expect(rows).toHaveLength(1)
      expect(rows[0]?.found?.seq).toBe(seq === 3 ? undefined : seq)
    }
    const [row] = await listChats(db, { type: 'group', seq: 2 })
    expect(row).toMatchObject({ size: 0.5, at: new Date('2026-01-15T10:00:00.123Z'), is: { name: 'Friends' } })
    expect(row?.found).toMatchObject({ rev: 7, deletedAt: new Date(0), media: { nested: [1, null, 'ü'] } })
  })

  it('has no object where its first column is null', async () => {
    const [row] = await listChats(server.database.db, { type: 'channel', seq: 1 })
    expect(row).toMatchObject({ id: EMPTY, is: null, found: null })
  })

  it('reads a whole table, in a transaction too', async () => {
    const list = statement((db) => ({
      fields: getTableColumns(messages),
      query: db.select().from(messages).orderBy(asc(messages.seq)).limit(placeholder('limit')),
    }))
    const { db } = server.database
    const expected = await db.select().from(messages).orderBy(asc(messages.seq))
    expect(await list(db, { limit: 5 })).toEqual(expected)
    expect(await db.transaction((tx) => list(tx, { limit: 1 }))).toEqual(expected.slice(0, 1))
  })

  it('stays planned, and no other statement of its connection does', async () => {
    const other = connectDatabase({ url: server.config.DATABASE_URL, poolMax: 1, name: 'messenger' })
    const settings = () =>
      other.sql`select current_setting('plan_cache_mode') as mode, current_setting('enable_seqscan') as scans`
    const before = await settings()
    for (const seq of [1, 2, 3]) await listChats(other.db, { type: 'group', seq })
    await expect(listChats(other.db, { type: 'nothing', seq: 1 })).rejects.toThrow('chat_type')
    expect(await listChats(other.db, { type: 'group', seq: 1 })).toHaveLength(1)
    const plans = await other.sql`
      select generic_plans::int, custom_plans::int from pg_prepared_statements
      where statement like '%::float8 / 4%left join lateral%' and statement not like '%pg_prepared_statements%'`
    expect([...plans]).toEqual([{ generic_plans: 4, custom_plans: 0 }])
    expect(await settings()).toEqual(before)
    expect([...before]).toEqual([{ mode: 'force_custom_plan', scans: 'on' }])
    await other.close()
  })

  it('answers each of many that are asked at once on one connection', async () => {
    const one = connectDatabase({ url: server.config.DATABASE_URL, poolMax: 1, name: 'messenger' })
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        if (n % 3 === 2) return (await one.sql<{ seq: number }[]>`select ${n}::int as seq`)[0]?.seq
        const [row] = await listChats(one.db, { type: 'group', seq: (n % 3) + 1 })
        return row?.found?.seq
      }),
    )
    expect(answers).toEqual(Array.from({ length: 60 }, (_, n) => (n % 3 === 2 ? n : (n % 3) + 1)))
    await one.close()
  })

  it('stays parsed', async () => {
    await server.database.db.transaction(async (tx) => {
      for (const seq of [1, 2, 3]) await listChats(tx, { type: 'group', seq })
      const [kept] = await tx.execute<{ count: number }>(
        sql`select count(*)::int as count from pg_prepared_statements where statement like '%::float8 / 4%left join lateral%'`,
      )
      expect(kept?.count).toBe(1)
    })
  })

  it('refuses to be asked without a value for a placeholder', () => {
    return expect(listChats(server.database.db, { type: 'group' })).rejects.toThrow('seq')
  })
})
