/** What one is told of while one does not look: each message of others once, by one tab, whichever way it came. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'bun:test'
import type { Command } from '../../../src/web/sync/turn.ts'
import type { SyncResponse } from '../../../src/web/sync/wire.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { ME, message, overview, START, Stage } from './stage.ts'
import { type Browser, isSynced, openTab, signedIn, type Tab, until } from './world.ts'

describe('of what is pushed', () => {
  it('each is told once, and nothing of my own', () => {
    const stage = new Stage(overview('chat', 0))
    stage.hear(message(1))
    stage.hear(message(1))
    stage.hear(message(2, { sender_id: ME }))
    stage.hear(message(3))
    expect(stage.arrivals.map(({ seq }) => seq)).toEqual([1, 3])
  })

  it('it is told however wrong the clock is', () => {
    const stage = new Stage(overview('chat', 0))
    stage.now += 3_600_000
    stage.hear(message(1))
    expect(stage.arrivals).toHaveLength(1)
  })
})

describe('of what a sync finds', () => {
  /** The socket was away; `last` messages are there now, the newest written at START + `last` seconds. */
  function syncOf(stage: Stage, last: number, fields = {}): void {
    const isSync = (one: Command) => one.do === 'ask' && one.question.ask === 'sync'
    const asked = stage.take({ type: 'sync' }).find(isSync)
    if (asked?.do !== 'ask') throw new Error('No sync')
    const chat = overview('chat', last, { last_read_seq: 0, ...fields })
    const next = { seq: last, rev: 0 }
    const synced = { chat, is_new: false, reset: true, messages: [], changes: [], has_more: false, next }
    const body: SyncResponse = { chats: [synced], gone: [] }
    stage.take({ type: 'answered', question: asked.question, answer: { ok: true, body } })
  }

  it('the newest of a chat is told, once', () => {
    const stage = new Stage(overview('chat', 1))
    syncOf(stage, 3)
    syncOf(stage, 3)
    stage.hear(message(3))
    expect(stage.arrivals.map(({ seq }) => seq)).toEqual([3])
  })

  it('what was pushed meanwhile is not told again', () => {
    const stage = new Stage(overview('chat', 1))
    stage.hear(message(2))
    syncOf(stage, 2)
    expect(stage.arrivals.map(({ seq }) => seq)).toEqual([2])
  })

  it('nothing is told that was known, is my own, or is of long ago', () => {
    const stage = new Stage(overview('chat', 3))
    syncOf(stage, 3)
    syncOf(stage, 4, { last_message: message(4, { sender_id: ME }) })
    stage.now = START + 3_600_000
    syncOf(stage, 5)
    expect(stage.arrivals).toEqual([])
  })
})

describe('by a browser', () => {
  let server: TestServer
  const open: Tab[] = []
  beforeAll(async () => {
    server = await startServer()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map(({ client }) => client.stop()))
  })
  afterAll(() => server.stop())

  /** A tab, and the texts it tells of: those that come while it has the socket. */
  function tabOf(browser: Browser) {
    const tab = openTab(server.url, browser)
    open.push(tab)
    const told: string[] = []
    tab.client.subscribe(({ arrivals }) => {
      if (tab.client.state.isLeader) told.push(...arrivals.map(({ content }) => content ?? ''))
    })
    return { tab, told }
  }

  async function pair() {
    const [ann, ben] = [await server.addUser(), await server.addUser()]
    const chat_id = await server.addDm(ann, ben)
    return { browser: await signedIn(ann), write: (content: string) => ben.post('/messages', { chat_id, content }) }
  }

  it('what came while there was no network is told when there is one again', async () => {
    const { browser, write } = await pair()
    const { tab, told } = tabOf(browser)
    await tab.client.start()
    await until(() => isSynced(tab), 'the first sync')
    await write('before')
    await until(() => told.length === 1, 'the first')
    tab.cut()
    await write('unheard')
    await write('unheard too')
    tab.mend()
    await until(() => isSynced(tab), 'another sync')
    await write('after')
    await until(() => told.at(-1) === 'after', 'the last')
    expect(told).toEqual(['before', 'unheard too', 'after'])
  })

  it('what came while the socket went from one tab to another is told by the other', async () => {
    const { browser, write } = await pair()
    const one = tabOf(browser)
    await one.tab.client.start()
    await until(() => isSynced(one.tab), 'the first sync')
    const two = tabOf(browser)
    two.tab.troubles.isCut = true
    await two.tab.client.start()
    await until(() => two.tab.client.state.isLeader, 'taking over')
    expect(one.tab.client.state.isLeader).toBeFalse()
    await write('in between')
    two.tab.mend()
    await until(() => two.told.length === 1, 'being told')
    await write('after')
    await until(() => two.told.length === 2, 'the next')
    expect([one.told, two.told]).toEqual([[], ['in between', 'after']])
  })
})
