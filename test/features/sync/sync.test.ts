import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { say, sayMany, seqsOf, upTo } from '../messages/support.ts'

let server: TestServer
let ann: TestUser
let ben: TestUser
let eve: TestUser

beforeAll(async () => {
  server = await startServer()
  ann = await server.addUser('ann')
  ben = await server.addUser('ben')
  eve = await server.addUser('eve')
})
afterAll(() => server.stop())

const edit = async (user: TestUser, message: Json, content: string): Promise<Json> =>
  (await user.patch(`/chats/${message.chat_id}/messages/${message.id}`, { content })).body

async function sayInOrder(user: TestUser, chatId: string, count: number): Promise<Json[]> {
  const socket = await user.socket()
  const messages = await sayMany(
    socket,
    chatId,
    upTo(count).map((n) => `message ${n}`),
  )
  await socket.close()
  return messages
}

describe('changes', () => {
  const changesOf = async (user: TestUser, chatId: string, query = '') => {
    const { status, body } = await user.get(`/chats/${chatId}/changes${query}`)
    expect(status).toBe(200)
    return body
  }

  it('are the new messages by seq and the changed older ones by rev, in their latest state', async () => {
    const chatId = await server.addGroup(ann, ben)
    const [m1, m2, m3, m4] = await sayInOrder(ben, chatId, 4)
    const e3 = await edit(ben, m3, 'edited 3')
    await edit(ben, m1, 'edited 1')
    const d2 = (await ann.delete(`/chats/${chatId}/messages/${m2.id}`)).body
    const e1 = await edit(ben, m1, 'edited 1 again')
    const e4 = await edit(ben, m4, 'edited 4')
    expect([e3, d2, e1, e4].map(({ rev }) => rev)).toEqual([1, 3, 4, 5])

    const next = { seq: 4, rev: 5 }
    expect(await changesOf(ann, chatId)).toEqual({ messages: [e1, d2, e3, e4], changes: [], next, has_more: false })
    // Message 4 is new to whoever holds 3, and comes once, as it is now.
    expect(await changesOf(ann, chatId, '?after_seq=3')).toEqual({
      messages: [e4],
      changes: [e3, d2, e1],
      next,
      has_more: false,
    })
    expect(await changesOf(ann, chatId, '?after_seq=4&after_rev=3')).toEqual({
      messages: [],
      changes: [e1, e4],
      next,
      has_more: false,
    })
    expect(await changesOf(ann, chatId, '?after_seq=4&after_rev=5')).toEqual({
      messages: [],
      changes: [],
      next,
      has_more: false,
    })
    // Held more than there is, after a restore: nothing is new, and nothing goes back.
    expect((await changesOf(ann, chatId, '?after_seq=9&after_rev=9')).next).toEqual({ seq: 9, rev: 9 })
  })

  it('come in pages, which together are everything', async () => {
    const chatId = await server.addGroup(ann, ben)
    const sent = await sayInOrder(ben, chatId, 30)
    for (const n of [3, 9, 3, 27, 1, 30, 12]) await edit(ben, sent[n - 1], `edit of ${n}`)
    const now = (await ann.get(`/chats/${chatId}/messages?after_seq=0&limit=100`)).body.messages
    for (const from of [0, 10, 29, 30]) {
      // As a client that read up to `from` before anything was changed.
      const held = new Map<number, Json>(sent.slice(0, from).map((message) => [message.seq, message]))
      let at = { seq: from, rev: 0 }
      for (let pages = 1; ; pages++) {
        const page = await changesOf(ann, chatId, `?after_seq=${at.seq}&after_rev=${at.rev}&limit=2`)
        expect(page.messages.length).toBeLessThanOrEqual(2)
        expect(page.changes.length).toBeLessThanOrEqual(2)
        for (const message of [...page.messages, ...page.changes]) held.set(message.seq, message)
        at = page.next
        if (!page.has_more) break
        expect(pages).toBeLessThan(40)
      }
      expect(at).toEqual({ seq: 30, rev: 7 })
      expect([...held.values()].sort((a, b) => a.seq - b.seq)).toEqual(now)
    }
  })

  it('come after all new messages, so that whoever holds one of these already is told of its changes', async () => {
    const chatId = await server.addGroup(ann, ben)
    const sent = await sayInOrder(ben, chatId, 6)
    const e6 = await edit(ben, sent[5], 'edited 6')
    const e1 = await edit(ben, sent[0], 'edited 1')
    // Holds 1 to 3, and 6 by an event from before it was edited.
    const first = await changesOf(ann, chatId, '?after_seq=3&after_rev=0&limit=2')
    expect(first).toEqual({ messages: sent.slice(3, 5), changes: [], next: { seq: 5, rev: 0 }, has_more: true })
    const second = await changesOf(ann, chatId, '?after_seq=6&after_rev=0&limit=2')
    expect(second.changes).toEqual([e6, e1])
  })

  it('are closed to strangers, and faulty questions are refused', async () => {
    const chatId = await server.addGroup(ann)
    expect((await eve.get(`/chats/${chatId}/changes`)).status).toBe(404)
    expect((await eve.get(`/chats/${Bun.randomUUIDv7()}/changes`)).status).toBe(404)
    for (const query of ['after_seq=-1', 'after_rev=x', 'limit=0', 'limit=101', 'after_seq=1.5']) {
      expect((await ann.get(`/chats/${chatId}/changes?${query}`)).status).toBe(400)
    }
  })

  it('of a page and its head are of one moment, however much is written meanwhile', async () => {
    const chatId = await server.addGroup(ann, ben)
    const socket = await ben.socket()
    const first = await say(ben, chatId, 'first')
    let isWriting = true
    const writing = (async () => {
      for (let n = 0; isWriting; n++) {
        await Promise.all([sayMany(socket, chatId, ['a', 'b', 'c']), edit(ben, first, `edit ${n}`)])
      }
    })()
    for (const _ of upTo(40)) {
      const { messages, changes, next, has_more } = await changesOf(ann, chatId, '?after_seq=1&limit=100')
      if (!has_more) expect(messages.at(-1)?.seq ?? 1).toBe(next.seq)
      expect(seqsOf(messages)).toEqual(upTo(messages.length).map((n) => n + 1))
      expect(changes.at(-1)?.rev ?? 0).toBe(next.rev)
    }
    isWriting = false
    await writing
    await socket.close()
  })
})

describe('sync', () => {
  const syncOf = async (user: TestUser, chats: Record<string, { seq: number; rev: number }>) => {
    const { status, body } = await user.post('/sync', { chats })
    expect(status).toBe(200)
    return {
      gone: body.gone,
      ids: body.chats.map(({ chat }: Json) => chat.id),
      of: (chatId: string) => body.chats.find(({ chat }: Json) => chat.id === chatId),
    }
  }

  it('answers for each chat what is new, and for each the current row', async () => {
    const user = await server.addUser()
    const [quiet, busy, dm] = [
      await server.addGroup(ben, user),
      await server.addGroup(ben, user),
      await server.addDm(user, ben),
    ]
    const [m1, m2] = await sayInOrder(ben, busy, 2)
    await say(ben, dm, 'hi')
    const e1 = await edit(ben, m1, 'edited')
    await ben.patch(`/chats/${quiet}`, { name: 'Quieter' })
    await ben.post(`/chats/${busy}/read`, {})
    const answer = await syncOf(user, {
      [quiet]: { seq: 0, rev: 0 },
      [busy]: { seq: 1, rev: 0 },
      [dm]: { seq: 1, rev: 0 },
    })
    expect(answer.gone).toEqual([])
    expect(answer.ids.sort()).toEqual([quiet, busy, dm].sort())
    const nothing = { is_new: false, reset: false, messages: [], changes: [], has_more: false }
    expect(answer.of(quiet)).toEqual({ chat: expect.anything(), ...nothing, next: { seq: 0, rev: 0 } })
    expect(answer.of(quiet).chat).toEqual((await user.get(`/chats/${quiet}`)).body)
    expect(answer.of(quiet).chat).toMatchObject({ name: 'Quieter', member_count: 2, role: 'member' })
    expect(answer.of(busy)).toMatchObject({ is_new: false, messages: [m2], changes: [e1], next: { seq: 2, rev: 1 } })
    expect(answer.of(busy).chat).toMatchObject({ peer_read_seq: 2, unread_count: 2, last_seq: 2, last_rev: 1 })
    expect(answer.of(dm)).toMatchObject({ ...nothing, next: { seq: 1, rev: 0 } })
    expect(answer.of(dm).chat).toMatchObject({ type: 'dm', peer: { id: ben.id } })
  })

  it('names chats that are new, and those that are gone: left, deleted, unknown', async () => {
    const user = await server.addUser()
    const [left, deleted, kept, added] = [
      await server.addGroup(ben, user),
      await server.addGroup(ben, user),
      await server.addGroup(ben, user),
      await server.addGroup(ben, user),
    ]
    await sayInOrder(ben, added, 3)
    await ben.delete(`/chats/${left}/members/${user.id}`)
    await ben.delete(`/chats/${deleted}`)
    const unknown = Bun.randomUUIDv7()
    const at = { seq: 0, rev: 0 }
    const answer = await syncOf(user, { [left]: at, [deleted]: at, [kept]: at, [unknown]: at })
    expect(answer.gone.sort()).toEqual([left, deleted, unknown].sort())
    expect(answer.ids.sort()).toEqual([kept, added].sort())
    expect(answer.of(added)).toMatchObject({ is_new: true, reset: false, messages: [], next: { seq: 3, rev: 0 } })
    expect(answer.of(kept)).toMatchObject({ is_new: false })
  })

  it('counts the marks of the others alone as theirs, and the highest of them', async () => {
    const user = await server.addUser()
    const chatId = await server.addGroup(user, ann, ben)
    await sayInOrder(user, chatId, 5)
    await ann.post(`/chats/${chatId}/read`, { seq: 2 })
    await ben.post(`/chats/${chatId}/read`, { seq: 4 })
    expect((await syncOf(user, {})).of(chatId).chat.peer_read_seq).toBe(4)
    await server.database.sql`update chats set member_count = 201 where id = ${chatId}`
    expect((await syncOf(user, {})).of(chatId).chat.peer_read_seq).toBeNull()
  })

  it('carries up to 1,000 missed changes page by page, and says reset beyond', async () => {
    const user = await server.addUser()
    const chatId = await server.addGroup(user)
    const sent = await sayInOrder(user, chatId, 1000)
    const answer = (await syncOf(user, { [chatId]: { seq: 0, rev: 0 } })).of(chatId)
    expect(answer).toMatchObject({ is_new: false, reset: false, has_more: true })
    expect(answer.messages).toEqual(sent.slice(0, answer.messages.length))
    expect(answer.messages.length).toBeGreaterThan(0)
    expect(answer.next).toEqual({ seq: answer.messages.length, rev: 0 })

    await edit(user, sent[0], 'edited')
    const tooFar = (await syncOf(user, { [chatId]: { seq: 0, rev: 0 } })).of(chatId)
    expect(tooFar).toMatchObject({ reset: true, messages: [], changes: [], has_more: false })
    expect(tooFar.next).toEqual({ seq: 1000, rev: 1 })
    expect((await syncOf(user, { [chatId]: { seq: 1, rev: 0 } })).of(chatId).reset).toBe(false)
  })

  it('takes no text for a number', async () => {
    const chatId = await server.addGroup(ann, ben)
    for (const seq of ['0', '-1', '0x1', ' 1 ', '99999999999999999999999']) {
      const { status, body } = await ann.post('/sync', { chats: { [chatId]: { seq, rev: 0 } } })
      expect({ status, fields: Object.keys(body.details ?? {}) }).toEqual({
        status: 400,
        fields: [`chats.${chatId}.seq`],
      })
    }
  })

  it('says reset to whoever holds more than there is', async () => {
    const user = await server.addUser()
    const chatId = await server.addGroup(user)
    const [message] = await sayInOrder(user, chatId, 1)
    await edit(user, message, 'edited')
    const now = { seq: 1, rev: 1 }
    for (const held of [
      { seq: 2, rev: 1 },
      { seq: 1, rev: 2 },
      { seq: 0, rev: 2 },
    ]) {
      expect((await syncOf(user, { [chatId]: held })).of(chatId)).toMatchObject({ reset: true, next: now })
    }
    expect((await syncOf(user, { [chatId]: now })).of(chatId)).toMatchObject({ reset: false, next: now })
  })

  it('bounds one answer, and what is left out says has_more', async () => {
    const user = await server.addUser()
    const chatIds = await Promise.all(upTo(25).map(() => server.addGroup(user)))
    for (const chatId of chatIds) await sayInOrder(user, chatId, 101)
    const heads = Object.fromEntries(chatIds.map((id) => [id, { seq: 0, rev: 0 }]))
    const answer = await syncOf(user, heads)
    const all = chatIds.map((id) => answer.of(id))
    const carried = all.reduce((sum, { messages }) => sum + messages.length, 0)
    expect(carried).toBeLessThanOrEqual(2100)
    for (const { has_more, messages, next } of all) {
      expect(has_more).toBe(true)
      expect(next).toEqual({ seq: messages.length, rev: 0 })
    }
    expect(all.some(({ messages }) => messages.length === 0)).toBe(true)
  })

  it.each([
    ['no chats', {}],
    ['an id that is none', { chats: { general: { seq: 0, rev: 0 } } }],
    ['a negative place', { chats: { [Bun.randomUUIDv7()]: { seq: -1, rev: 0 } } }],
    ['a place without rev', { chats: { [Bun.randomUUIDv7()]: { seq: 0 } } }],
    ['a list', { chats: [{ seq: 0, rev: 0 }] }],
  ])('refuses %s', async (_, body) => {
    expect((await ann.post('/sync', body)).status).toBe(400)
  })
})
