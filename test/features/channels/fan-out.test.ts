/** What is said in a channel costs the same, however many listen: nothing is done for each subscriber. */
import { afterAll, describe, expect, it } from 'bun:test'
import type postgres from 'postgres'
import { startServer } from '../../support/server.ts'
import { say } from '../chats/support.ts'
import { draftOf, startWriter } from '../messages/writer-setup.ts'
import { addCrowd, type Crowd } from './crowd.ts'
import { subscribe } from './support.ts'

const FEW = 10
const MANY = 10_000
const POSTS = 25

interface Work {
  table: string
  scans: number
  rows_scanned: number
  probes: number
  rows_probed: number
  inserted: number
  updated: number
  deleted: number
}

/** What was ever done with the rows of each table, of the sessions that have handed their counts over. */
const readWork = (sql: postgres.Sql) => sql<Work[]>`
  select relname as table, seq_scan::int as scans, seq_tup_read::int as rows_scanned, idx_scan::int as probes,
    idx_tup_fetch::int as rows_probed, n_tup_ins::int as inserted, n_tup_upd::int as updated, n_tup_del::int as deleted
  from pg_stat_user_tables order by relname`

/** The tables that something was done with, and what. */
const difference = (before: readonly Work[], after: readonly Work[]): Work[] =>
  after
    .map((work, index) => {
      const earlier = before[index]
      const minus = (key: Exclude<keyof Work, 'table'>) => work[key] - (earlier?.[key] ?? 0)
      return {
        table: work.table,
        scans: minus('scans'),
        rows_scanned: minus('rows_scanned'),
        probes: minus('probes'),
        rows_probed: minus('rows_probed'),
        inserted: minus('inserted'),
        updated: minus('updated'),
        deleted: minus('deleted'),
      }
    })
    .filter(({ table: _, ...counts }) => Object.values(counts).some((count) => count !== 0))

const cleanUps: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})

describe('a post', () => {
  it('touches the same rows and is published once, for 10 subscribers and for 10,000', async () => {
    const { writer, sql, ownSql, published, stop } = await startWriter()
    cleanUps.push(stop)
    const crowds = [await addCrowd(sql, FEW), await addCrowd(sql, MANY)]
    await sql`analyze`
    const postIn = async ({ channelId, ownerId }: Crowd) => {
      for (let n = 0; n < POSTS; n++) await writer.send(draftOf(channelId, ownerId))
      // What the writer's session counted is handed over now.
      await ownSql`select pg_stat_force_next_flush()`
    }
    // The statement is prepared and planned, and the catalogue read.
    for (const crowd of crowds) await postIn(crowd)
    const works: Work[][] = []
    for (const crowd of crowds) {
      const before = await readWork(sql)
      await postIn(crowd)
      works.push(difference(before, await readWork(sql)))
    }

    const [few, many] = works
    expect(many).toEqual(few as Work[])
    const counted = (table: string) => many?.find((work) => work.table === table)
    expect(counted('messages')).toMatchObject({ inserted: POSTS, updated: 0 })
    expect(counted('chats')).toMatchObject({ scans: 0, updated: POSTS })
    // One look at the poster's own membership for each post, and none at anybody else's.
    expect(counted('chat_members')).toMatchObject({ scans: 0, rows_probed: POSTS, inserted: 0, updated: 0 })
    expect(many?.map(({ table }) => table)).toEqual(['chat_members', 'chats', 'messages'])

    await Bun.sleep(0)
    expect(published).toHaveLength(4 * POSTS)
    for (const { channelId } of crowds)
      expect(published.filter(({ topic }) => topic === `chat:${channelId}`)).toHaveLength(2 * POSTS)
  })
})

describe('the server', () => {
  it('reads and writes no row of other subscribers when one comes, posts, edits, reads and goes', async () => {
    const server = await startServer()
    cleanUps.push(() => server.stop())
    const { sql } = server.database
    const [owner, guest] = [await server.addUser(), await server.addUser()]
    const { channelId } = await addCrowd(sql, MANY, owner.id)
    await sql`analyze`
    const sockets = [await owner.socket(), await guest.socket()]
    /** A session hands its counts over once a second at most, at the end of a transaction. */
    const membersWork = async () => {
      await Bun.sleep(1500)
      await Promise.all(Array.from({ length: 20 }, () => owner.get(`/channels/${channelId}`)))
      await Bun.sleep(1500)
      const work = (await readWork(sql)).find(({ table }) => table === 'chat_members')
      if (!work) throw new Error('Nothing was counted')
      return work
    }

    const before = await membersWork()
    await subscribe(channelId, guest)
    const { id } = await say(owner, channelId, 'news')
    await owner.patch(`/chats/${channelId}/messages/${id}`, { content: 'better news' })
    await guest.get(`/chats/${channelId}/messages`)
    await guest.post(`/chats/${channelId}/read`)
    await guest.get('/chats')
    await guest.get('/channels?q=crow')
    await owner.patch(`/channels/${channelId}`, { description: 'new' })
    await owner.patch(`/chats/${channelId}/members/${guest.id}`, { role: 'admin' })
    await guest.delete(`/channels/${channelId}/subscribe`)
    const [work] = difference([before], [await membersWork()])

    expect(work).toMatchObject({ inserted: 1, deleted: 1 })
    expect(work?.rows_scanned).toBe(0)
    // Each step looks at the rows of the two a few times.
    expect(work?.rows_probed).toBeLessThan(200)
    expect(work?.updated).toBeLessThan(10)
    await Promise.all(sockets.map((socket) => socket.close()))
  })
})
