/** A client that loses much of what is pushed ends where one that missed nothing ends, and both where the database is. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import type { Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { SyncClient } from './client.ts'

const USERS = 3
const RUNS = 12
const LOSS = 0.3

let server: TestServer
let users: TestUser[]

beforeAll(async () => {
  server = await startServer()
  users = await Promise.all(Array.from({ length: USERS }, () => server.addUser()))
})
afterAll(() => server.stop())

/** What a user does in one of the chats; `pick` chooses among what is there. */
interface Act {
  do: 'send' | 'edit' | 'delete' | 'read' | 'leave or join'
  user: number
  chat: number
  pick: number
}
type Step = Act | { do: 'go' | 'come'; user: number }

const anyUser = fc.nat(USERS - 1)
const act = (...kinds: Act['do'][]) =>
  fc.record({ do: fc.constantFrom(...kinds), user: anyUser, chat: fc.nat(3), pick: fc.nat(1000) })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: act('send') },
  { weight: 6, arbitrary: act('edit', 'delete') },
  { weight: 2, arbitrary: act('read') },
  { weight: 2, arbitrary: act('leave or join') },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('go' as const, 'come' as const), user: anyUser }) },
)
/** Steps of one turn run at the same time. */
const anyTurns = fc.array(fc.array(anyStep, { minLength: 1, maxLength: 6 }), { minLength: 15, maxLength: 30 })

/** The same losses for the same seed. */
function losingBy(seed: number): () => boolean {
  let state = seed | 1
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32 < LOSS
  }
}

const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index % list.length]
  if (found === undefined) throw new Error('An empty list')
  return found
}

/** Each chat of the user with its messages and the user's mark, as the database has them. */
async function readState(user: TestUser) {
  const rows = await server.database.sql<
    { chat_id: string; seq: number; rev: number; last_read_seq: number; peer_read_seq: number; messages: Json[] }[]
  >`
    select c.id as chat_id, c.last_seq::float8 as seq, c.last_rev::float8 as rev, m.last_read_seq::float8,
      (select max(o.last_read_seq)::float8 from chat_members o where o.chat_id = c.id and o.user_id <> m.user_id)
        as peer_read_seq,
      coalesce((
        select json_agg(json_build_array(x.seq, x.rev, x.id, x.content, x.deleted_at is not null) order by x.seq)
        from messages x where x.chat_id = c.id), '[]') as messages
    from chat_members m join chats c on c.id = m.chat_id where m.user_id = ${user.id}`
  return new Map(rows.map(({ chat_id, ...row }) => [chat_id, row]))
}

const stateOf = ({ chats }: SyncClient) =>
  new Map(
    [...chats].map(([chatId, { messages, lastReadSeq, peerReadSeq, seq, rev }]) => [
      chatId,
      {
        ...{ seq, rev, last_read_seq: lastReadSeq, peer_read_seq: peerReadSeq },
        messages: [...messages.values()]
          .sort((a, b) => a.seq - b.seq)
          .map((m) => [m.seq, m.rev, m.id, m.content, m.deleted_at !== null]),
      },
    ]),
  )

const withoutPeers = (state: ReturnType<typeof stateOf>) =>
  new Map([...state].map(([chatId, { peer_read_seq: _, ...rest }]) => [chatId, rest]))

/** In one order, so that a difference can be read. */
const byId = <T>(state: Map<string, T>): Record<string, T> =>
  Object.fromEntries([...state].sort(([a], [b]) => (a < b ? -1 : 1)))

/** Three groups of all, owned by each in turn, and a direct chat. They are new in every run. */
async function makeChats(): Promise<{ id: string; owner: TestUser | undefined }[]> {
  const groups = await Promise.all(
    users.map(async (owner) => ({ id: await server.addGroup(owner, ...users.filter((u) => u !== owner)), owner })),
  )
  return [...groups, { id: await server.addDm(at(users, 0), at(users, 1)), owner: undefined }]
}

async function perform(step: Act, chats: Awaited<ReturnType<typeof makeChats>>) {
  const user = at(users, step.user)
  const chat = at(chats, step.chat)
  const path = `/chats/${chat.id}`
  // Refusals are part of it: whoever has left sends in vain, and so on.
  switch (step.do) {
    case 'send':
      return user.post('/messages', { chat_id: chat.id, content: `said ${step.pick}` })
    case 'read':
      return user.post(`${path}/read`, { seq: step.pick % 30 })
    case 'edit':
    case 'delete': {
      const { messages = [] } = (await user.get(`${path}/messages?limit=20`)).body
      const own = messages.filter(({ sender_id }: Json) => sender_id === user.id)
      if (own.length === 0) return
      const one = `${path}/messages/${at<Json>(own, step.pick).id}`
      return step.do === 'edit' ? user.patch(one, { content: `edited ${step.pick}` }) : user.delete(one)
    }
    case 'leave or join': {
      if (!chat.owner || chat.owner === user) return
      const { status } = await user.delete(`${path}/members/${user.id}`)
      return status === 404 ? chat.owner.post(`${path}/members`, { user_ids: [user.id] }) : undefined
    }
  }
}

describe('a client that follows the rules', () => {
  const totals = { lost: 0, gaps: 0, syncs: 0, pages: 0 }

  it('ends where one that missed nothing ends, however much it loses and is away', async () => {
    await fc.assert(
      fc.asyncProperty(anyTurns, fc.integer(), async (turns, seed) => {
        const chats = await makeChats()
        const make = (user: TestUser, loses: () => boolean) =>
          new SyncClient(user, { loses, patienceMs: 25, pageSize: 1 })
        const lossy = users.map((user, index) => make(user, losingBy(seed + index)))
        const perfect = users.map((user) => make(user, () => false))
        const all = [...lossy, ...perfect]
        try {
          await Promise.all(all.map((client) => client.connect()))
          for (const turn of turns) {
            await Promise.all(
              turn.map(async (step) => {
                if ('chat' in step) await perform(step, chats)
                else if (step.do === 'go') await at(lossy, step.user).disconnect()
                else await at(lossy, step.user).connect()
              }),
            )
          }
          // The marks that sending implies are stored within a second.
          await Bun.sleep(600)
          // A message that nothing follows leaves no gap: only coming back finds it.
          for (const client of lossy) {
            await client.disconnect()
            await client.connect()
          }
          await Promise.all(all.map((client) => client.settle()))

          for (const [index, user] of users.entries()) {
            const stored = await readState(user)
            const [mine, flawless] = [at(lossy, index), at(perfect, index)]
            expect(byId(stateOf(mine))).toEqual(byId(stored))
            expect(byId(withoutPeers(stateOf(flawless)))).toEqual(byId(withoutPeers(stored)))
            for (const name of ['lost', 'gaps', 'syncs', 'pages'] as const) totals[name] += mine.counts[name]
            expect(flawless.counts.lost).toBe(0)
          }
        } finally {
          await Promise.all(all.map((client) => client.disconnect()))
          await server.database.sql`delete from chats where id = any(${chats.map(({ id }) => id)}::uuid[])`
          await server.database.sql`delete from messages where chat_id = any(${chats.map(({ id }) => id)}::uuid[])`
        }
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 60_000, endOnFailure: true },
    )
    // It really lost frames, saw gaps and asked.
    expect(totals.lost).toBeGreaterThan(100)
    expect(totals.gaps).toBeGreaterThan(20)
    expect(totals.pages).toBeGreaterThan(totals.gaps)
    expect(totals.syncs).toBeGreaterThan(USERS * RUNS)
  }, 120_000)
})
