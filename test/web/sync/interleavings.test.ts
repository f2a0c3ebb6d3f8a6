/**
 * Whatever comes in whatever order, twice, late or not at all: when all is quiet a tab is where one is that was never
 * away, and so is the storage.
 */
import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { intervalOf } from '../../../src/web/sync/intervals.ts'
import { rowsOf } from '../../../src/web/sync/rows.ts'
import type { Event } from '../../../src/web/sync/turn.ts'
import { BEN, ME, ModelServer } from './model-server.ts'
import { ModelTab, ModelWorld } from './model-tab.ts'

const CHATS = ['a', 'b']
const TABS = 2

type Act = { do: string; tab: number; chat: number; pick: number }

const act = (...kinds: string[]): fc.Arbitrary<Act> =>
  fc.record({ do: fc.constantFrom(...kinds), tab: fc.nat(TABS - 1), chat: fc.nat(CHATS.length - 1), pick: fc.nat(99) })

const others = act(
  'ben writes',
  'ben writes',
  'ben writes',
  'somebody edits',
  'somebody deletes',
  'ben reads',
  'I read elsewhere',
)
const mine = act(
  'write',
  'write',
  'write',
  'open',
  'open at',
  'close',
  'older',
  'newer',
  'read',
  'seek',
  'retry',
  'discard',
)
const wire = act('deliver', 'answer', 'answer', 'answer', 'hear', 'hear', 'hear', 'hear', 'news', 'news', 'timer')
const trouble = act('connect', 'disconnect', 'lead', 'reload', 'leave or join', 'rename', 'resync')
const losses = act('hear twice', 'hear late', 'lose', 'lose news', 'lose answer')

const acts = (isLossy: boolean) =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: others },
      { weight: 5, arbitrary: mine },
      { weight: 24, arbitrary: wire },
      { weight: 2, arbitrary: trouble },
      ...(isLossy ? [{ weight: 6, arbitrary: losses }] : []),
    ),
    { minLength: 5, maxLength: 160, size: 'max' },
  )

async function perform(world: ModelWorld, { do: what, tab: at, chat: index, pick }: Act): Promise<void> {
  const { server } = world
  const chat = CHATS[index] ?? ''
  const tab = world.tabs[at]
  const { head } = server.chats.get(chat) ?? { head: { seq: 0, rev: 0 } }
  const some = 1 + (pick % Math.max(1, head.seq))
  if (!tab) return
  const see = (type: 'open' | 'close' | 'older' | 'newer') => tab.take({ type, chatId: chat } as Event)
  switch (what) {
    case 'ben writes':
      return void server.send(chat, BEN, `b${pick}`)
    case 'somebody edits':
      return server.change(chat, some, `edited ${pick}`)
    case 'somebody deletes':
      return server.change(chat, some, null)
    case 'ben reads':
      return void server.read(chat, BEN, some)
    case 'I read elsewhere':
      return void server.read(chat, ME, some)
    case 'leave or join':
      return server.leaveOrJoin(chat)
    case 'rename':
      return server.rename(chat, `name ${pick}`)
    case 'write':
      return tab.write(chat, `mine ${++written}`)
    case 'open at':
      return tab.take({ type: 'open-at', chatId: chat, seq: some })
    case 'open':
    case 'close':
    case 'older':
    case 'newer':
      return see(what)
    case 'seek':
      return tab.take({ type: 'seek', chatId: chat, messageId: `${chat}-${some}` })
    case 'retry':
    case 'discard': {
      const [clientId = ''] = [...tab.state.outbox.keys()].slice(pick % Math.max(1, tab.state.outbox.size))
      return tab.take({ type: what, clientId })
    }
    case 'resync':
      return server.resync()
    case 'read':
      return tab.take({ type: 'read', chatId: chat, seq: some })
    case 'deliver':
      return tab.deliver()
    case 'answer':
    case 'lose answer': {
      const [next] = tab.pending.splice(pick % Math.max(1, tab.pending.length), 1)
      return next?.happen(what === 'lose answer')
    }
    case 'hear':
      return tab.hear(0, false)
    case 'hear late':
      return tab.hear(Math.min(pick % 4, Math.max(0, (tab.socket?.length ?? 1) - 1)), false)
    case 'hear twice':
      return tab.hear(0, true)
    case 'lose':
      // Answers are not lost on a socket that lives on.
      if (!['user_chats', 'ack', 'error'].includes(tab.socket?.[0]?.type ?? '')) tab.socket?.shift()
      return
    case 'news':
      return tab.hearNews(0)
    case 'lose news':
      return void tab.news.shift()
    case 'timer':
      return void tab.fireNext()
    case 'connect':
      return tab.connect()
    case 'disconnect':
      return tab.disconnect()
    case 'lead':
      return world.lead(tab)
    case 'reload': {
      const fresh = new ModelTab(world)
      const wasLeader = tab.state.isLeader
      tab.end()
      world.tabs[at] = fresh
      await fresh.load()
      if (wasLeader) await world.lead(fresh)
    }
  }
}
let written = 0

/** Until nothing is on its way and nobody waits for anything. */
async function quiet(world: ModelWorld): Promise<void> {
  for (let round = 0; round < 2000; round++) {
    let isQuiet = true
    for (const tab of world.tabs) {
      if (tab.sent.length > 0 || (tab.socket?.length ?? 0) > 0 || tab.pending.length > 0 || tab.news.length > 0) {
        isQuiet = false
        tab.deliver()
        tab.hear(0, false)
        tab.hearNews(0)
        await tab.pending.shift()?.happen(false)
      } else if (tab.fireNext()) isQuiet = false
    }
    if (isQuiet) return
  }
  throw new Error('It never ends')
}

async function run(steps: readonly Act[], isLossy: boolean): Promise<ModelWorld> {
  const world = new ModelWorld(new ModelServer(CHATS))
  for (let n = 0; n < TABS; n++) world.tabs.push(new ModelTab(world))
  const [first] = world.tabs
  for (const tab of world.tabs) await tab.load()
  if (first) await world.lead(first)
  first?.connect()
  for (const step of steps) await perform(world, step)
  const leader = world.tabs.find(({ state }) => state.isLeader)
  if (isLossy) {
    // What nothing follows leaves no gap, and names have no numbers: only coming back puts them right.
    leader?.connect()
    await quiet(world)
    leader?.disconnect()
  }
  leader?.connect()
  await quiet(world)
  return world
}

const bySeq = <T extends { seq: number }>(list: Iterable<T>): T[] => [...list].sort((a, b) => a.seq - b.seq)

async function expectTruth(world: ModelWorld): Promise<void> {
  const { server } = world
  const mine = [...server.chats.values()].filter(({ amIn }) => amIn)
  for (const tab of world.tabs) {
    const { state } = tab
    expect([...state.chats.keys()].sort()).toEqual(mine.map(({ id }) => id).sort())
    for (const truth of mine) {
      const chat = state.chats.get(truth.id)
      if (!chat) continue
      expect(chat.row).toEqual(server.overview(truth))
      expect(chat.head).toEqual(truth.head)
      const held = bySeq(chat.messages.values())
      expect(held).toEqual(held.map(({ seq }) => truth.messages[seq - 1]) as typeof held)
      for (const { seq } of held) expect(intervalOf(chat.held, seq)).toBeDefined()
      expect(chat.held.reduce((sum, { from, to }) => sum + to - from + 1, 0)).toBe(held.length)
      for (const sought of chat.sought.values()) {
        // Null: there was none when it was asked for.
        if (sought !== null) expect<unknown>(sought).toEqual(truth.messages[(sought?.seq ?? 0) - 1])
      }
      if (chat.window) expect(chat.window.loading).toBe('none')
      const keys = rowsOf(state, truth.id, 1, truth.head.seq).map(({ key }) => key)
      expect(new Set(keys).size).toBe(keys.length)
    }
    // What is left is what could not be sent, because I was not in the chat.
    for (const { status } of state.outbox.values()) expect(status).toBe('failed')
  }
  const stored = await world.storage.load()
  expect(stored.chats.map(({ id }) => id).sort()).toEqual(mine.map(({ id }) => id).sort())
  for (const truth of mine) {
    expect(stored.chats.find(({ id }) => id === truth.id)).toMatchObject({
      head: truth.head,
      row: server.overview(truth),
    })
    const { messages } = await world.storage.readMessages(truth.id, 1, truth.head.seq)
    expect(messages).toEqual(messages.map(({ seq }) => truth.messages[seq - 1]) as typeof messages)
  }
  for (const { messages } of server.chats.values()) {
    const ids = messages.flatMap(({ client_id }) => client_id ?? [])
    expect(new Set(ids).size).toBe(ids.length)
  }
}

describe('a tab', () => {
  const totals: Record<string, number> = {}

  it.each([
    ['that loses nothing but its connection', false],
    ['that hears twice, late, or not at all', true],
  ])(
    '%s ends where one is that was never away',
    async (_, isLossy) => {
      await fc.assert(
        fc.asyncProperty(acts(isLossy), async (steps) => {
          const world = await run(steps, isLossy)
          await expectTruth(world)
          for (const [what, count] of Object.entries(world.server.counts)) totals[what] = (totals[what] ?? 0) + count
        }),
        { numRuns: 600, interruptAfterTimeLimit: 60_000 },
      )
    },
    120_000,
  )
})
