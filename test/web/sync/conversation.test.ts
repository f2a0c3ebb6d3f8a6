/** Two people and their clients, over real sockets. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'bun:test'
import { chatOrder, unreadOf } from '../../../src/web/sync/lists.ts'
import { conversationOf, pendingRowsOf, rowsOf } from '../../../src/web/sync/rows.ts'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { type Browser, isSynced, openTab, signedIn, type Tab, type TabOptions, until } from './world.ts'

let server: TestServer
const open: Tab[] = []
beforeAll(async () => {
  server = await startServer()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ client }) => client.stop()))
})
afterAll(() => server.stop())

async function start(user: TestUser, browser?: Browser, options?: TabOptions): Promise<Tab> {
  const tab = openTab(server.url, browser ?? (await signedIn(user)), options)
  open.push(tab)
  await tab.client.start()
  await until(() => isSynced(tab), 'the first sync')
  return tab
}

const textsOf = ({ client: { state } }: Tab, chatId: string) => {
  const { first, last } = conversationOf(state, chatId)
  return rowsOf(state, chatId, first, last).map(({ message }) => message?.content)
}

async function pair() {
  const [ann, ben] = [await server.addUser(), await server.addUser()]
  const chatId = await server.addDm(ann, ben)
  return { ann, ben, chatId }
}

describe('a conversation', () => {
  it('shows what is sent at once, then as sent, then as read, under one key', async () => {
    const { ann, ben, chatId } = await pair()
    const [a, b] = [await start(ann), await start(ben)]
    for (const { client } of [a, b]) client.open(chatId)
    const key = a.client.send(chatId, { content: 'Hello' })
    expect(pendingRowsOf(a.client.state, chatId)).toMatchObject([{ key, tick: 'clock', isOwn: true }])
    await until(() => textsOf(a, chatId).length === 1, 'being stored')
    expect(pendingRowsOf(a.client.state, chatId)).toEqual([])
    expect(rowsOf(a.client.state, chatId, 1, 1)).toMatchObject([{ key, tick: 'sent', seq: 1 }])
    await until(() => unreadOf(b.client.state).messages === 1, 'arriving')
    expect(textsOf(b, chatId)).toEqual(['Hello'])
    b.client.read(chatId, 1)
    expect(unreadOf(b.client.state)).toEqual({ chats: 0, messages: 0 })
    await until(() => rowsOf(a.client.state, chatId, 1, 1)[0]?.tick === 'read', 'being read')
  })

  it('keeps the order of what is sent in one go, and never sends twice', async () => {
    const { ann, ben, chatId } = await pair()
    const [a, b] = [await start(ann), await start(ben)]
    for (const { client } of [a, b]) client.open(chatId)
    const texts = Array.from({ length: 30 }, (_, n) => `text ${n}`)
    for (const content of texts) a.client.send(chatId, { content })
    await until(() => textsOf(b, chatId).length === 30, 'all of it')
    expect(textsOf(b, chatId)).toEqual(texts)
    expect(textsOf(a, chatId)).toEqual(texts)
    expect(a.counts.sent.filter(({ type }) => type === 'message')).toHaveLength(30)
  })

  it('follows edits, deletions and replies', async () => {
    const { ann, ben, chatId } = await pair()
    const [a, b] = [await start(ann), await start(ben)]
    for (const { client } of [a, b]) client.open(chatId)
    a.client.send(chatId, { content: 'one' })
    a.client.send(chatId, { content: 'two' })
    await until(() => textsOf(b, chatId).length === 2)
    const [one, two] = rowsOf(a.client.state, chatId, 1, 2).flatMap(({ message }) => message ?? [])
    if (!one || !two) throw new Error('No rows')
    await a.client.edit(one, 'uno')
    expect(textsOf(a, chatId)).toEqual(['uno', 'two'])
    await a.client.remove(two)
    b.client.send(chatId, { content: 'reply', replyToId: one.id })
    await until(() => textsOf(a, chatId).length === 3)
    expect(textsOf(a, chatId)).toEqual(['uno', '', 'reply'])
    expect(textsOf(b, chatId)).toEqual(['uno', '', 'reply'])
    expect(a.client.state.chats.get(chatId)?.messages.get(3)?.reply_to_id).toBe(one.id)
    await expect(b.client.edit(one, 'no')).rejects.toMatchObject({ status: 403 })
  })

  it('is refused for good by 4xx, kept with its reason, and can be retried or taken back', async () => {
    const { ann, ben, chatId } = await pair()
    const a = await start(ann)
    a.client.open(chatId)
    await ben.post(`/users/${ann.id}/block`)
    const key = a.client.send(chatId, { content: 'Hello' })
    const entry = () => a.client.state.outbox.get(key)
    await until(() => entry()?.status === 'failed')
    expect(entry()?.error?.error).toBe('This user does not take messages from you')
    await ben.delete(`/users/${ann.id}/block`)
    a.client.retry(key)
    await until(() => textsOf(a, chatId).length === 1)
    await ben.post(`/users/${ann.id}/block`)
    const other = a.client.send(chatId, { content: 'Again' })
    await until(() => a.client.state.outbox.get(other)?.status === 'failed')
    a.client.discard(other)
    expect(a.client.state.outbox.size).toBe(0)
  })

  it('shows who types, and forgets it', async () => {
    const { ann, ben, chatId } = await pair()
    const [a, b] = [await start(ann), await start(ben)]
    a.client.typing(chatId)
    await until(() => b.client.state.chats.get(chatId)?.typing.size === 1)
    await until(() => b.client.state.chats.get(chatId)?.typing.size === 0)
    a.client.typing(chatId)
    await Bun.sleep(50)
  })
})

describe('the list', () => {
  it('has new chats, new orders and who is there', async () => {
    const { ann, ben, chatId } = await pair()
    const [a, b] = [await start(ann), await start(ben)]
    await until(() => a.client.state.users.get(ben.id)?.isOnline === true, 'presence')
    const group = await b.client.api.createGroup({ name: 'Group', member_ids: [ann.id] })
    expect(b.client.state.chats.has(group.id)).toBe(true)
    await until(() => a.client.state.chats.has(group.id), 'the group')
    expect([...chatOrder(a.client.state)]).toEqual([group.id, chatId])
    b.client.send(chatId, { content: 'Hello' })
    await until(() => chatOrder(a.client.state)[0] === chatId, 'the order')
    expect(a.client.state.chats.get(chatId)?.row.last_message?.content).toBe('Hello')
    await b.client.api.deleteChat(group.id)
    await until(() => !a.client.state.chats.has(group.id), 'its end')
  })

  it('shows the message before when the last one is deleted, held or not', async () => {
    const { ann, ben, chatId } = await pair()
    const said: { id: string }[] = []
    for (const content of ['one', 'two', 'three'])
      said.push((await ann.post('/messages', { chat_id: chatId, content })).body)
    const b = await start(ben)
    const last = () => b.client.state.chats.get(chatId)?.row.last_message?.content
    expect(last()).toBe('three')
    await ann.delete(`/chats/${chatId}/messages/${said[2]?.id}`)
    await until(() => last() === 'two', 'asking for it')
    b.client.open(chatId)
    await until(() => textsOf(b, chatId).length === 3, 'the history')
    await ann.delete(`/chats/${chatId}/messages/${said[1]?.id}`)
    await until(() => last() === 'one')
    await ann.delete(`/chats/${chatId}/messages/${said[0]?.id}`)
    await until(() => b.client.state.chats.get(chatId)?.row.last_message === null)
  })
})

describe('the history', () => {
  it('loads in both directions and joins up, from the server and then from the storage', async () => {
    const { ann, ben, chatId } = await pair()
    const socket = await ann.socket()
    for (let n = 1; n <= 300; n++) socket.send({ type: 'message', chat_id: chatId, content: `m${n}` })
    await socket.ask({ type: 'read', chat_id: chatId })
    const browser = await signedIn(ben)
    const b = await start(ben, browser)
    const view = () => conversationOf(b.client.state, chatId)
    b.client.openAt(chatId, 100)
    await until(() => view().loading === 'none')
    expect(view()).toMatchObject({ first: 75, last: 124, hasOlder: true, hasNewer: true })
    b.client.loadOlder(chatId)
    await until(() => view().first === 25)
    b.client.loadOlder(chatId)
    await until(() => view().first === 1)
    expect(view().hasOlder).toBe(false)
    while (view().hasNewer) {
      b.client.loadNewer(chatId)
      await until(() => view().loading === 'none')
    }
    expect(textsOf(b, chatId)).toEqual(Array.from({ length: 300 }, (_, n) => `m${n + 1}`))
    await b.client.stop()

    const again = await start(ben, browser)
    again.client.openEnd(chatId)
    const seen = () => conversationOf(again.client.state, chatId)
    await until(() => seen().loading === 'none')
    while (seen().hasOlder) {
      again.client.loadOlder(chatId)
      await until(() => seen().loading === 'none')
    }
    expect(textsOf(again, chatId)).toEqual(Array.from({ length: 300 }, (_, n) => `m${n + 1}`))
    expect(again.counts.requests['GET /chats/:id/messages']).toBeUndefined()
    await socket.close()
  })

  it('opens at the first unread message', async () => {
    const { ann, ben, chatId } = await pair()
    for (let n = 1; n <= 5; n++) await ann.post('/messages', { chat_id: chatId, content: `m${n}` })
    await ben.post(`/chats/${chatId}/read`, { seq: 2 })
    const b = await start(ben)
    b.client.open(chatId)
    await until(() => textsOf(b, chatId).length === 5)
    expect(rowsOf(b.client.state, chatId, 1, 5).map(({ isFirstUnread }) => isFirstUnread)).toEqual([
      false,
      false,
      true,
      false,
      false,
    ])
    b.client.read(chatId, 5)
    expect(conversationOf(b.client.state, chatId).unreadFrom).toBe(3)
  })
})
