/** What befalls a client, over real sockets: nothing is lost, doubled or out of order. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'bun:test'
import { conversationOf, pendingRowsOf, rowsOf } from '../../../src/web/sync/rows.ts'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { type Browser, isSynced, openTab, sessionOf, signedIn, type Tab, until } from './world.ts'

let server: TestServer
const open: Tab[] = []
beforeAll(async () => {
  server = await startServer()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ client }) => client.stop()))
})
afterAll(() => server.stop())

function tabOf(browser: Browser, haste = 1): Tab {
  const tab = openTab(server.url, browser, { haste })
  open.push(tab)
  return tab
}

async function start(user: TestUser, browser?: Browser, haste = 1): Promise<Tab> {
  const tab = tabOf(browser ?? (await signedIn(user)), haste)
  await tab.client.start()
  await until(() => isSynced(tab), 'the first sync')
  return tab
}

const textsOf = ({ client: { state } }: Tab, chatId: string) => {
  const { first, last } = conversationOf(state, chatId)
  return rowsOf(state, chatId, first, last).map(({ message }) => message?.content)
}
const textsOnServer = async (user: TestUser, chatId: string): Promise<string[]> =>
  (await user.get(`/chats/${chatId}/messages?after_seq=0&limit=100`)).body.messages.map(
    ({ content }: { content: string }) => content,
  )

async function pair() {
  const [ann, ben] = [await server.addUser(), await server.addUser()]
  return { ann, ben, chatId: await server.addDm(ann, ben) }
}

describe('without a network', () => {
  it('keeps what is written, in order, and sends it when there is one again', async () => {
    const { ann, ben, chatId } = await pair()
    const a = await start(ann)
    a.client.open(chatId)
    a.cut()
    expect(a.client.state.link).toBe('offline')
    const texts = ['one', 'two', 'three']
    for (const content of texts) a.client.send(chatId, { content })
    await ben.post('/messages', { chat_id: chatId, content: 'meanwhile' })
    expect(pendingRowsOf(a.client.state, chatId).map(({ entry }) => entry?.content)).toEqual(texts)
    a.mend()
    await until(() => textsOf(a, chatId).length === 4, 'all of it')
    expect(textsOf(a, chatId)).toEqual(['meanwhile', ...texts])
    expect(a.client.state.outbox.size).toBe(0)
  })

  it('keeps it over a reload, and shows the chats as they were', async () => {
    const { ann, chatId } = await pair()
    await ann.post('/messages', { chat_id: chatId, content: 'before' })
    const browser = await signedIn(ann)
    const a = await start(ann, browser)
    a.cut()
    const key = a.client.send(chatId, { content: 'kept' })
    a.client.setDraft(chatId, { text: 'half a th', replyToId: null })
    await until(() => a.client.state.outbox.get(key)?.status === 'queued', 'being kept')
    await a.client.stop()

    const again = tabOf(browser)
    again.troubles.isCut = true
    await again.client.start()
    again.client.open(chatId)
    await until(() => textsOf(again, chatId).length === 1, 'the stored history')
    expect(textsOf(again, chatId)).toEqual(['before'])
    expect(pendingRowsOf(again.client.state, chatId)).toMatchObject([{ key, tick: 'clock' }])
    expect(again.client.state.drafts.get(chatId)?.text).toBe('half a th')
    again.mend()
    await until(() => textsOf(again, chatId).length === 2, 'being sent')
    expect(rowsOf(again.client.state, chatId, 2, 2)).toMatchObject([{ key, tick: 'sent' }])
    expect(await textsOnServer(ann, chatId)).toEqual(['before', 'kept'])
    expect((await browser.storage.load()).outbox).toEqual([])
  })

  it('tells a read mark when there is one again', async () => {
    const { ann, ben, chatId } = await pair()
    const a = await start(ann)
    await ben.post('/messages', { chat_id: chatId, content: 'read me' })
    await until(() => a.client.state.chats.get(chatId)?.row.unread_count === 1)
    a.cut()
    a.client.read(chatId, 1)
    a.mend()
    const marked = async () => (await ben.get(`/chats/${chatId}`)).body.peer_read_seq === 1
    for (let i = 0; !(await marked()); i++) if (i > 500) throw new Error('never read')
  })
})

describe('a storage that takes nothing', () => {
  it('stops nobody from writing and reading', async () => {
    const { ann, chatId } = await pair()
    const browser = await signedIn(ann)
    let tries = 0
    const full = { ...browser.storage, commit: () => Promise.reject(new Error(`full, ${++tries}`)) }
    const a = await start(ann, { ...browser, storage: full })
    a.client.open(chatId)
    a.client.send(chatId, { content: 'hello' })
    await until(() => textsOf(a, chatId).length === 1, 'being sent')
    expect(tries).toBeGreaterThan(0)
  })
})

describe('a socket that died without a word', () => {
  it('is found after waking, and what was missed comes', async () => {
    const { ann, ben, chatId } = await pair()
    const a = await start(ann)
    a.client.open(chatId)
    a.freezeSocket()
    await ben.post('/messages', { chat_id: chatId, content: 'unheard' })
    a.client.send(chatId, { content: 'into the void' })
    await Bun.sleep(50)
    expect(textsOf(a, chatId)).toEqual([])
    a.signal()
    await until(() => textsOf(a, chatId).length === 2, 'a new socket')
    expect(textsOf(a, chatId)).toEqual(['unheard', 'into the void'])
    expect(a.counts.sockets).toBe(2)
    expect(await textsOnServer(ann, chatId)).toEqual(['unheard', 'into the void'])
  })

  it('is found by an answer that does not come', async () => {
    const { ann, chatId } = await pair()
    const a = await start(ann, undefined, 20)
    a.client.open(chatId)
    a.freezeSocket()
    a.client.send(chatId, { content: 'hello' })
    await until(() => textsOf(a, chatId).length === 1, 'a new socket')
    expect(await textsOnServer(ann, chatId)).toEqual(['hello'])
  })
})

describe('frames that are lost, late and out of order', () => {
  it('leave no trace', async () => {
    const { ann, ben, chatId } = await pair()
    const a = await start(ann, undefined, 10)
    a.client.open(chatId)
    let lost = 0
    a.troubles.loses = ({ type }) => {
      const isLost = /message/.test(type) && Math.random() < 0.3
      if (isLost) lost++
      return isLost
    }
    a.troubles.delay = () => Math.random() * 40
    const said: { id: string }[] = []
    for (let n = 0; n < 80; n++) {
      said.push((await ben.post('/messages', { chat_id: chatId, content: `m${n}` })).body)
      const some = said[Math.floor(Math.random() * said.length)]
      if (n % 5 === 0) await ben.patch(`/chats/${chatId}/messages/${some?.id}`, { content: `edited at ${n}` })
      if (n % 9 === 0) await ben.delete(`/chats/${chatId}/messages/${some?.id}`)
      if (n % 10 === 0) a.client.send(chatId, { content: `mine ${n}` })
    }
    a.troubles.loses = () => false
    a.troubles.delay = () => 0
    await until(() => a.client.state.outbox.size === 0, 'being sent')
    // What nothing follows leaves no gap.
    const { body: last } = await ben.post('/messages', { chat_id: chatId, content: 'the last' })
    await ben.patch(`/chats/${chatId}/messages/${last.id}`, { content: 'really the last' })
    const { body: first } = await ben.get(`/chats/${chatId}/messages?after_seq=0&limit=100`)
    const truth = first.messages
    expect(lost).toBeGreaterThan(10)
    const held = () => [...(a.client.state.chats.get(chatId)?.messages.values() ?? [])].sort((x, y) => x.seq - y.seq)
    const isThere = () => {
      const { head } = a.client.state.chats.get(chatId) ?? {}
      return head?.seq === truth.length && head?.rev === Math.max(...truth.map(({ rev }: { rev: number }) => rev))
    }
    await until(isThere, 'catching up')
    expect(held()).toEqual(truth)
    expect(a.counts.requests['POST /sync']).toBe(1)
  })
})

describe('tokens', () => {
  it('are renewed over the open socket, by one tab for all', async () => {
    const short = await startServer({ ACCESS_TOKEN_TTL: '5' })
    try {
      const ann = await short.addUser()
      const ben = await short.addUser()
      const chatId = await short.addDm(ann, ben)
      const browser = await signedIn(ann)
      await browser.storage.commit([{ put: 'session', session: sessionOf(ann, Date.now() + 4000) }])
      const tabs = [1, 2, 3].map(() => openTab(short.url, browser))
      open.push(...tabs)
      for (const { client } of tabs) await client.start()
      const [first] = tabs
      if (!first) throw new Error('No tab')
      await until(() => tabs.every(({ client }) => client.state.isReady), 'the first sync')
      const end = Date.now() + 11_000
      while (Date.now() < end) {
        await Promise.all(tabs.map(({ client }) => client.api.me()))
        await Bun.sleep(200)
      }
      first.client.send(chatId, { content: 'still here' })
      await until(() => first.client.state.outbox.size === 0, 'being sent')
      expect(first.client.state.session.status).toBe('signed-in')
      const renewals = tabs.flatMap(({ counts }) => counts.renewals)
      expect(renewals.length).toBeGreaterThanOrEqual(2)
      expect(new Set(renewals).size).toBe(renewals.length)
      await Promise.all(tabs.map(({ client }) => client.stop()))
    } finally {
      await short.stop()
    }
  })

  it('are renewed when they ended while nobody was there', async () => {
    const { ann } = await pair()
    const browser = await signedIn(ann)
    const session = { ...sessionOf(ann, Date.now() - 1000), token: 'an old one' }
    await browser.storage.commit([{ put: 'session', session }])
    const a = await start(ann, browser)
    expect(a.counts.renewals).toHaveLength(1)
    expect((await browser.storage.load()).session?.token).not.toBe('an old one')
  })

  it('are renewed though a tab was stopped while it did so', async () => {
    const { ann } = await pair()
    const browser = await signedIn(ann)
    await browser.storage.commit([{ put: 'session', session: sessionOf(ann, Date.now() - 1000) }])
    await browser.locks.acquire('session')
    const a = await start(ann, browser, 20)
    expect(a.counts.renewals).toHaveLength(1)
  })

  it('of a session that ended while nobody was there sign out, and forget', async () => {
    const { ann } = await pair()
    await (await server.addSession(ann.id)).delete(`/auth/sessions/${ann.sessionId}`)
    const a = tabOf(await signedIn(ann))
    await a.client.start()
    await until(() => a.client.state.session.status === 'signed-out', 'signing out')
  })

  it('of a session that was ended elsewhere sign out, and forget', async () => {
    const { ann } = await pair()
    const browser = await signedIn(ann)
    const a = await start(ann, browser)
    const elsewhere = await server.addSession(ann.id)
    await elsewhere.delete(`/auth/sessions/${ann.sessionId}`)
    await until(() => a.client.state.session.status === 'signed-out', 'signing out')
    expect(a.client.state.chats.size).toBe(0)
    await until(() => a.client.state.link !== 'open')
    const { session, chats } = await browser.storage.load()
    expect({ session, chats }).toEqual({ session: undefined, chats: [] })
  })
})

describe('two tabs', () => {
  const both = async () => {
    const { ann, ben, chatId } = await pair()
    const browser = await signedIn(ann)
    const one = await start(ann, browser)
    const two = tabOf(browser)
    two.troubles.isVisible = false
    await two.client.start()
    await until(() => isSynced(two), 'the second tab')
    for (const { client } of [one, two]) client.open(chatId)
    return { ann, ben, chatId, one, two, browser }
  }

  it('have one socket, and show the same', async () => {
    const { ben, chatId, one, two } = await both()
    expect([one.client.state.isLeader, two.client.state.isLeader]).toEqual([true, false])
    two.client.send(chatId, { content: 'from the second' })
    one.client.send(chatId, { content: 'from the first' })
    await ben.post('/messages', { chat_id: chatId, content: 'from ben' })
    for (const tab of [one, two]) await until(() => textsOf(tab, chatId).length === 3, 'all of it')
    expect(textsOf(two, chatId)).toEqual(textsOf(one, chatId))
    two.client.read(chatId, 3)
    await until(() => one.client.state.chats.get(chatId)?.row.unread_count === 0, 'the mark')
    await expect(two.client.request({ type: 'read', chat_id: chatId })).resolves.toMatchObject({ last_read_seq: 3 })
    await expect(two.client.request({ type: 'read', chat_id: 'x' })).rejects.toMatchObject({ name: 'ApiError' })
    expect([one.counts.sockets, two.counts.sockets]).toEqual([1, 0])
  })

  it('take the socket from one that does not answer; what it sends when it wakes is sent once', async () => {
    const { ann, chatId, one, two } = await both()
    one.freezeSocket()
    one.client.send(chatId, { content: 'into a dying socket' })
    await Bun.sleep(50)
    one.troubles.isFrozen = true
    two.troubles.isVisible = true
    two.signal()
    await until(() => two.client.state.isLeader && isSynced(two), 'taking over')
    await until(() => textsOf(two, chatId).length === 1, 'the unsent message')
    one.troubles.isFrozen = false
    one.signal()
    await until(() => one.client.state.isLeader && isSynced(one), 'taking it back')
    await until(() => textsOf(one, chatId).length === 1 && one.client.state.outbox.size === 0)
    expect(await textsOnServer(ann, chatId)).toEqual(['into a dying socket'])
  })

  it('leave the socket where a call needs it', async () => {
    const { one, two } = await both()
    one.client.keepSocket(true)
    two.troubles.isVisible = true
    two.signal()
    await Bun.sleep(1500)
    expect([one.client.state.isLeader, two.client.state.isLeader]).toEqual([true, false])
    one.client.keepSocket(false)
    two.signal()
    await until(() => two.client.state.isLeader, 'the handover')
  })

  it('hand the socket to the one that is looked at, and then to the one that is left', async () => {
    const { ann, chatId, one, two } = await both()
    one.troubles.isVisible = false
    two.troubles.isVisible = true
    two.signal()
    await until(() => two.client.state.isLeader && isSynced(two), 'the handover')
    await until(() => !one.client.state.isLeader)
    one.client.send(chatId, { content: 'by way of the other' })
    await until(() => textsOf(two, chatId).length === 1 && textsOf(one, chatId).length === 1)
    expect(await textsOnServer(ann, chatId)).toEqual(['by way of the other'])
    await two.client.stop()
    await until(() => one.client.state.isLeader && isSynced(one), 'being the only one')
    one.client.send(chatId, { content: 'alone' })
    await until(() => textsOf(one, chatId).length === 2)
  })

  it('sign out together', async () => {
    const { one, two, browser } = await both()
    await two.client.signOut()
    await until(() => one.client.state.session.status === 'signed-out', 'signing out')
    expect((await browser.storage.load()).session).toBeUndefined()
    expect(one.client.state.chats.size + two.client.state.chats.size).toBe(0)
  })
})

describe('arrivals', () => {
  /** A tab, and the texts it tells of: those that come while it has the socket. */
  function watch(browser: Browser) {
    const tab = tabOf(browser)
    const told: string[] = []
    tab.client.subscribe(({ arrivals }) => {
      if (tab.client.state.isLeader) told.push(...arrivals.map(({ content }) => content ?? ''))
    })
    return { tab, told }
  }

  async function correspond() {
    const { ann, ben, chatId: chat_id } = await pair()
    return { browser: await signedIn(ann), write: (content: string) => ben.post('/messages', { chat_id, content }) }
  }

  it('what came while there was no network is told when there is one again', async () => {
    const { browser, write } = await correspond()
    const { tab, told } = watch(browser)
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
    const { browser, write } = await correspond()
    const one = watch(browser)
    await one.tab.client.start()
    await until(() => isSynced(one.tab), 'the first sync')
    const two = watch(browser)
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
