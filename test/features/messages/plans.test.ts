/**
 * A prepared statement that was planned while its tables were small keeps that plan. Were it a sequential scan, each
 * write would take longer than the one before.
 */
import { afterAll, describe, expect, it } from 'bun:test'
import { startServer } from '../../support/server.ts'
import { sayMany, upTo } from './support.ts'
import { draftOf, startWriter } from './writer-setup.ts'

const TOTAL = 50_000
const PART = TOTAL / 5
const WINDOW = 400

describe('plans that are kept', () => {
  const cleanUps: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  })

  it('on tables that were empty when they were analysed scan nothing: 50,000 messages', async () => {
    const { writer, addChats, sql, ownSql, stop } = await startWriter()
    cleanUps.push(stop)
    // Nobody analyses them again meanwhile: another plan could read the whole index for a batch.
    for (const table of ['messages', 'chats', 'chat_members'])
      await sql.unsafe(`alter table ${table} set (autovacuum_enabled = false)`)
    await sql`analyze`
    const scansOf = async () => {
      // What the writer's session counted is handed over now.
      await ownSql`select pg_stat_force_next_flush()`
      const rows = await sql<{ relname: string; seq_scan: number; idx_scan: number }[]>`
        select relname, seq_scan::int, idx_scan::int from pg_stat_user_tables
        where relname in ('messages', 'chats', 'chat_members') order by relname`
      return rows.map(({ relname, seq_scan, idx_scan }) => ({ relname, seq_scan, idx_scan }))
    }
    // The plan is made, and kept, on tables of next to nothing.
    const first = await addChats(1)
    for (let n = 0; n < 20; n++) await writer.send(draftOf(first.chatIds[0], first.userIds[0]))
    const { chatIds, userIds } = await addChats(1000, 2)
    // So do now those that migrated and filled the tables, which is not what is counted here: both at once, so it is both.
    const handOver = () =>
      sql.begin(async (tx) => {
        await tx`select pg_stat_force_next_flush()`
        await Bun.sleep(100)
      })
    await Promise.all([handOver(), handOver()])
    const before = await scansOf()

    for (let part = 0; part < 5; part++) {
      let next = 0
      const lane = async () => {
        for (; next < PART; ) {
          const n = next++
          await writer.send(draftOf(chatIds[n % chatIds.length], userIds[n % 2]))
        }
      }
      await Promise.all(upTo(WINDOW).map(lane))
    }

    const after = await scansOf()
    expect(after.map(({ relname, seq_scan }) => ({ relname, seq_scan }))).toEqual(
      before.map(({ relname, seq_scan }) => ({ relname, seq_scan })),
    )
    // The counters do count: the writes went through the indexes.
    const probes = (scans: typeof after) => scans.find(({ relname }) => relname === 'chat_members')?.idx_scan ?? 0
    expect(probes(after) - probes(before)).toBeGreaterThanOrEqual(TOTAL)
    const [stored] = await sql`select count(*)::int as count from messages`
    expect(stored?.count).toBe(TOTAL + 20)
  }, 60_000)

  it('are made once, for batches of one and of many', async () => {
    const { writer, addChats, sql, ownSql, stop } = await startWriter()
    cleanUps.push(stop)
    const { chatIds, userIds } = await addChats(30, 2)
    await sql`analyze`
    for (let n = 0; n < 20; n++) await writer.send(draftOf(chatIds[0], userIds[0]))
    for (let n = 0; n < 20; n++) await Promise.all(chatIds.map((chatId) => writer.send(draftOf(chatId, userIds[1]))))
    const plans = await ownSql<{ generic: number; custom: number }[]>`
      select generic_plans::int as generic, custom_plans::int as custom from pg_prepared_statements
      where statement like '%insert into messages%' and statement not like '%pg_prepared_statements%'`
    expect(plans.reduce((total, { generic }) => total + generic, 0)).toBe(40)
    expect(plans.reduce((total, { custom }) => total + custom, 0)).toBe(0)
  })

  it('read of the chats those that are written in, where all of them would cost little more', async () => {
    const { writer, addChats, sql, ownSql, stop } = await startWriter()
    cleanUps.push(stop)
    const { chatIds, userIds } = await addChats(100, 2)
    await sql`analyze`
    const rowsRead = async () => {
      await ownSql`select pg_stat_force_next_flush()`
      const [row] = await sql<{ count: number }[]>`
        select idx_tup_fetch::int as count from pg_stat_user_tables where relname = 'chats'`
      return row?.count ?? 0
    }
    const write = () => Promise.all(chatIds.slice(0, 2).map((chatId) => writer.send(draftOf(chatId, userIds[0]))))
    await write()
    const before = await rowsRead()
    for (let n = 0; n < 20; n++) await write()
    const read = (await rowsRead()) - before
    expect(read).toBeGreaterThanOrEqual(20 * 2)
    expect(read).toBeLessThan(20 * 20)
  })

  it('on tables of some rows look for each sender of a batch alone', async () => {
    const { writer, addChats, sql, ownSql, stop } = await startWriter()
    cleanUps.push(stop)
    const { chatIds, userIds } = await addChats(100, 2)
    await sql`analyze`
    const probes = async () => {
      await ownSql`select pg_stat_force_next_flush()`
      const [row] = await sql<{ count: number }[]>`
        select idx_scan::int as count from pg_stat_user_tables where relname = 'chat_members'`
      return row?.count ?? 0
    }
    const write = () => Promise.all(chatIds.map((chatId) => writer.send(draftOf(chatId, userIds[0]))))
    for (let n = 0; n < 10; n++) await write()
    const before = await probes()
    for (let n = 0; n < 10; n++) await write()
    expect((await probes()) - before).toBeGreaterThanOrEqual(10 * chatIds.length)
  })

  it('of the server itself scan nothing', async () => {
    const server = await startServer()
    cleanUps.push(() => server.stop())
    const { sql } = server.database
    const ann = await server.addUser()
    const chatId = await server.addGroup(ann)
    await sql`analyze`
    const socket = await ann.socket()
    const scansOf = async () => {
      // A session hands its counts over at the end of a transaction, once a second.
      await Bun.sleep(1100)
      await sayMany(socket, chatId, ['hand over'])
      await socket.settle()
      await Bun.sleep(100)
      const [row] = await sql`
        select sum(seq_scan)::int as seq, sum(idx_scan)::int as idx from pg_stat_user_tables
        where relname in ('messages', 'chats')`
      return { seq: Number(row?.seq), idx: Number(row?.idx) }
    }
    const before = await scansOf()
    for (let n = 0; n < 200; n++) await sayMany(socket, chatId, [String(n)])
    const after = await scansOf()
    await socket.close()
    // Fifteen other sessions hand over late what they counted before: some, but none for each write.
    expect(after.seq - before.seq).toBeLessThan(50)
    expect(after.idx - before.idx).toBeGreaterThanOrEqual(200)
  })
})
