/** What a server asks its read replica, and that nobody ever sees that it is a moment behind. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { indexed, search, textsOf } from '../features/messages/search-support.ts'
import type { Json, TestUser } from '../support/client.ts'
import { type ReplicatedServer, startReplicated } from './support.ts'

let world: ReplicatedServer
let ann: TestUser
let ben: TestUser
let chatId: string

beforeAll(async () => {
  // A replica that lags stays in use: what guards the readers here is not how long it lags.
  world = await startReplicated({ DATABASE_REPLICA_MAX_LAG: '3600' })
  ann = await world.server.addUser()
  ben = await world.server.addUser()
  chatId = await world.server.addGroup(ann, ben)
  for (let n = 1; n <= 120; n++) await send(`message number${n} of many`)
  await indexed(world.server)
}, 120_000)
afterAll(() => world.stop(), 60_000)

const send = async (content: string): Promise<Json> =>
  (await ann.post('/messages', { chat_id: chatId, content, client_id: content })).body
const page = async (user: TestUser, query = ''): Promise<Json> =>
  (await user.get(`/chats/${chatId}/messages${query}`)).body
const contentsOf = ({ messages }: Json): string[] => messages.map(({ content }: Json) => content)

/** How many reads the replica answered meanwhile. */
async function answeredDuring(work: () => Promise<unknown>): Promise<number> {
  const before = await world.reads('answered')
  await work()
  return (await world.reads('answered')) - before
}

/** Resolves when the replica has all that the primary has by now. */
async function caughtUp(): Promise<void> {
  const [row] = await world.server.database.sql<{ place: string }[]>`select pg_current_wal_insert_lsn()::text as place`
  for (let n = 0; ; n++) {
    const statement = `select pg_last_wal_replay_lsn() >= '${row?.place}' as has_it`
    if ((await world.ask(statement))[0]?.has_it) return
    if (n > 500) throw new Error('The replica does not catch up')
    await Bun.sleep(20)
  }
}

describe('a replica', () => {
  it('answers pages of history in every direction, as the primary would', async () => {
    await caughtUp()
    const queries = ['?limit=100', '?before_seq=60&limit=30', '?after_seq=100', '?offset=110', '?after_seq=120']
    const seqs: number[][] = []
    const answered = await answeredDuring(async () => {
      for (const query of queries) {
        const { messages, total } = await page(ben, query)
        expect(total).toBe(120)
        seqs.push(messages.map(({ seq }: Json) => seq))
      }
    })
    expect(answered).toBe(queries.length)
    const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, n) => from - n)
    expect(seqs).toEqual([down(120, 21), down(59, 30), down(120, 101).reverse(), down(10, 1), []])
  })

  it('answers searches, the mistyped ones and their further pages too', async () => {
    await caughtUp()
    const answered = await answeredDuring(async () => {
      expect(textsOf(await search(ben, 'number77'))).toEqual(['message number77 of many'])
      expect(textsOf(await search(ben, 'number77', { chat_id: chatId }))).toHaveLength(1)
      const first = await search(ben, 'message', { limit: 2 })
      expect(textsOf(first)).toEqual(['message number120 of many', 'message number119 of many'])
      const second = await search(ben, 'message', { limit: 2, cursor: first.next_cursor })
      expect(textsOf(second)).toEqual(['message number118 of many', 'message number117 of many'])
      expect((await search(ben, 'nobody has said this')).results).toEqual([])
    })
    // One each; the last also looks for words that resemble these, twice if there are some.
    expect(answered).toBeGreaterThanOrEqual(5)
    const mistyped = await search(ben, 'mesage')
    expect(mistyped.is_fuzzy).toBe(true)
    expect(textsOf(mistyped)[0]).toBe('message number120 of many')
  })

  it('is asked for nothing else: not for changes, sync, chats, one message, or access', async () => {
    await caughtUp()
    const [first] = (await page(ann, '?limit=1')).messages
    const asked = await answeredDuring(async () => {
      expect((await ben.get(`/chats/${chatId}/changes?after_seq=100`)).status).toBe(200)
      expect((await ben.post('/sync', { chats: { [chatId]: { seq: 100, rev: 0 } } })).status).toBe(200)
      expect((await ben.get('/chats')).status).toBe(200)
      expect((await ben.get(`/chats/${chatId}/messages/${first.id}`)).status).toBe(200)
      expect((await ben.get(`/chats/${chatId}/members`)).status).toBe(200)
    })
    expect(asked).toBe(0)
  })

  it('is taken for what it is where it has stopped: whoever writes reads it, and nobody an older page', async () => {
    await caughtUp()
    await world.replica.pause()
    const behind = await world.reads('behind')
    const sent = await send('fresh')
    expect(contentsOf(await page(ann, '?limit=60'))[0]).toBe('fresh')
    expect(contentsOf(await page(ben, '?after_seq=120'))).toEqual(['fresh'])

    const path = `/chats/${chatId}/messages/${sent.id}`
    await ann.patch(path, { content: 'fresher' })
    expect(contentsOf(await page(ben, '?after_seq=120'))).toEqual(['fresher'])
    await ann.delete(path)
    expect((await page(ben, '?after_seq=120')).messages).toMatchObject([{ content: '', seq: 121 }])
    expect(await world.reads('behind')).toBeGreaterThan(behind)
    await world.replica.resume()
    await caughtUp()
    expect((await page(ben, '?after_seq=120')).messages).toMatchObject([{ content: '', seq: 121 }])
  })

  it('shows no page from before an edit, where nothing else has happened', async () => {
    const sent = await send('before')
    await caughtUp()
    await world.replica.pause()
    await ann.patch(`/chats/${chatId}/messages/${sent.id}`, { content: 'after' })
    for (const query of ['?limit=60', '?offset=0', `?before_seq=${sent.seq + 1}`, `?after_seq=${sent.seq - 1}`]) {
      expect(contentsOf(await page(ben, query))[0]).toBe('after')
    }
    await world.replica.resume()
  })

  it('finds in a search whatever the primary would find, where nothing but a new message is missing', async () => {
    await caughtUp()
    await world.replica.pause()
    await send('a rhinoceros')
    await indexed(world.server)
    expect(textsOf(await search(ben, 'rhinoceros'))).toEqual(['a rhinoceros'])
    await world.replica.resume()
  })

  it('shows no deleted, edited or old words in a search while it has stopped', async () => {
    const secret = await send('the password is swordfish')
    const known = await send('an elephant')
    await indexed(world.server)
    await caughtUp()
    expect(textsOf(await search(ben, 'swordfish'))).toHaveLength(1)

    await world.replica.pause()
    await ann.delete(`/chats/${chatId}/messages/${secret.id}`)
    await ann.patch(`/chats/${chatId}/messages/${known.id}`, { content: 'a giraffe' })
    // At once, and not only when it is indexed anew.
    expect(textsOf(await search(ben, 'swordfish'))).toEqual([])
    expect(textsOf(await search(ben, 'elephant'))).toEqual([])
    await send('a hippopotamus')
    await indexed(world.server)
    expect(textsOf(await search(ben, 'giraffe'))).toEqual(['a giraffe'])
    expect(textsOf(await search(ben, 'hippopotamus', { chat_id: chatId }))).toEqual(['a hippopotamus'])
    await world.replica.resume()
  })

  it('lets nobody in whom the primary has shown out', async () => {
    const cid = await world.server.addUser()
    const otherId = await world.server.addGroup(ann, ben, cid)
    await ann.post('/messages', { chat_id: otherId, content: 'among ourselves' })
    await indexed(world.server)
    await caughtUp()
    expect(textsOf(await search(cid, 'ourselves'))).toHaveLength(1)

    await world.replica.pause()
    expect((await ann.delete(`/chats/${otherId}/members/${cid.id}`)).status).toBe(200)
    const isMember = await world.ask(`select from chat_members where chat_id = '${otherId}' and user_id = '${cid.id}'`)
    expect(isMember).toHaveLength(1)
    expect((await cid.get(`/chats/${otherId}/messages`)).status).toBe(404)
    expect((await cid.get(`/chats/${otherId}/messages?before_seq=5`)).status).toBe(404)
    expect((await search(cid, 'ourselves')).results).toEqual([])
    expect((await cid.get(`/messages/search?q=ourselves&chat_id=${otherId}`)).status).toBe(404)

    const dan = await world.server.addUser()
    await ann.post(`/chats/${otherId}/members`, { user_ids: [dan.id] })
    expect(textsOf(await search(dan, 'ourselves'))).toEqual(['among ourselves'])
    await world.replica.resume()
    await caughtUp()
    expect((await search(cid, 'ourselves')).results).toEqual([])
  })
})
