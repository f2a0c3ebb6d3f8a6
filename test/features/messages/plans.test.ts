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

describe('on tables that were empty when they were analysed', () => {
  const cleanUps: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  })

  it('writing 50,000 messages scans no table, and the last are as fast as the first', async () => {
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

  it('the server itself writes without scanning', async () => {
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
