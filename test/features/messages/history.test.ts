import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { say, sayMany, seqsOf, upTo } from './support.ts'

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

describe('sending', () => {
  it('answers the stored message in full', async () => {
    const chatId = await server.addGroup(ann, ben)
    const { status, body } = await ann.post('/messages', { chat_id: chatId, content: 'Hello, world!' })
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sender_id: ann.id,
      chat_id: chatId,
      content: 'Hello, world!',
      message_type: 'text',
      media_url: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      seq: 1,
      rev: 0,
      client_id: null,
      reply_to_id: null,
      updated_at: body.created_at,
      deleted_at: null,
      media: null,
    })
    const { body: history } = await ben.get(`/chats/${chatId}/messages`)
    expect(history).toEqual({ messages: [body], total: 1, has_more: false })
  })

  it('reaches every socket of the chat as one new_message, and no stranger', async () => {
    const chatId = await server.addGroup(ann, ben)
    const sockets = await Promise.all([ann.socket(), ann.socket(), ben.socket()])
    const stranger = await eve.socket()
    const message = await say(ann, chatId, 'to all')
    for (const socket of sockets) {
      expect((await socket.next('new_message')).message).toEqual(message)
      await socket.settle()
      expect(socket.all('new_message')).toHaveLength(1)
    }
    await stranger.settle()
    expect(stranger.all('new_message')).toEqual([])
    for (const socket of [...sockets, stranger]) await socket.close()
  })

  it('keeps the text as it was sent', async () => {
    const chatId = await server.addGroup(ann)
    const content = '  <b>ß</b> 👩‍👩‍👧 \u202e "quotes" \\ \n\t \u0001 end  '
    expect((await say(ann, chatId, content)).content).toBe(content)
    const { body } = await ann.get(`/chats/${chatId}/messages`)
    expect(body.messages[0].content).toBe(content)
  })

  it.each([
    ['nothing', { content: '' }, 'content'],
    ['4,097 code points', { content: '😀'.repeat(4097) }, 'content'],
    ['a NUL', { content: 'a\0b' }, 'content'],
    ['a lone surrogate', { content: 'a\ud800b' }, 'content'],
    ['another type', { content: 'x', message_type: 'image' }, 'message_type'],
    ['a key of 65 characters', { content: 'x', client_id: 'k'.repeat(65) }, 'client_id'],
    ['a chat that is no id', { content: 'x', chat_id: 'general' }, 'chat_id'],
    ['a reply to nothing', { content: 'x', reply_to_id: Bun.randomUUIDv7() }, 'reply_to_id'],
  ])('refuses %s, and names the field', async (_, fields, field) => {
    const chatId = await server.addGroup(ann)
    const { status, body } = await ann.post('/messages', { chat_id: chatId, ...fields })
    expect(status).toBe(400)
    expect(Object.keys(body.details)).toEqual([field])
    expect((await ann.get(`/chats/${chatId}/messages`)).body.total).toBe(0)
  })

  it('takes 4,096 code points', async () => {
    const chatId = await server.addGroup(ann)
    expect((await say(ann, chatId, '😀'.repeat(4096))).seq).toBe(1)
  })

  it('answers strangers as if there were no such chat', async () => {
    const chatId = await server.addGroup(ann)
    const toChat = await eve.post('/messages', { chat_id: chatId, content: 'hi' })
    const toNothing = await eve.post('/messages', { chat_id: Bun.randomUUIDv7(), content: 'hi' })
    expect(toChat.status).toBe(404)
    expect(toChat.body).toEqual(toNothing.body)
    const socket = await eve.socket()
    const frame = await socket.ask({ type: 'message', chat_id: chatId, content: 'hi' })
    expect(frame).toMatchObject({ type: 'error', ...toNothing.body })
    await socket.close()
  })
})

describe('history', () => {
  let chatId: string
  let all: Json[]
  const page = async (query: string) => {
    const { status, body } = await ben.get(`/chats/${chatId}/messages${query}`)
    expect(status).toBe(200)
    expect(body.total).toBe(120)
    return { seqs: seqsOf(body.messages), has_more: body.has_more, messages: body.messages }
  }
  /** from, from - 1, ... to */
  const down = (from: number, to: number) =>
    upTo(from)
      .slice(to - 1)
      .reverse()

  beforeAll(async () => {
    chatId = await server.addGroup(ann, ben)
    const socket = await ann.socket()
    all = await sayMany(
      socket,
      chatId,
      upTo(120).map((n) => `message ${n}`),
    )
    await socket.close()
  })

  it('comes newest first, 50 at a time', async () => {
    const { seqs, has_more, messages } = await page('')
    expect(seqs).toEqual(down(120, 71))
    expect(has_more).toBe(true)
    expect(messages).toEqual(all.slice(70).reverse())
  })

  it.each([
    ['?limit=100', down(120, 21), true],
    ['?offset=50&limit=20', down(70, 51), true],
    ['?offset=100', down(20, 1), false],
    ['?offset=119', [1], false],
    ['?offset=120', [], false],
    ['?offset=9007199254740991', [], false],
    ['?before_seq=3', [2, 1], false],
    ['?before_seq=72&limit=70', down(71, 2), true],
    ['?before_seq=1', [], false],
    ['?before_seq=0', [], false],
    ['?before_seq=9007199254740991&limit=1', [120], true],
    ['?after_seq=0&limit=3', [1, 2, 3], true],
    ['?after_seq=117', [118, 119, 120], false],
    ['?after_seq=119&limit=1', [120], false],
    ['?after_seq=118&limit=1', [119], true],
    ['?after_seq=120', [], false],
    ['?after_seq=9007199254740991', [], false],
  ])('of %s is right, and so is has_more', async (query, seqs, hasMore) => {
    const answer = await page(query)
    expect(answer.seqs).toEqual(seqs)
    expect(answer.has_more).toBe(hasMore)
  })

  it('is the same whichever way one walks it', async () => {
    const walk = async (first: string, next: (seqs: number[]) => string) => {
      const seen: number[] = []
      for (let query = first; ; ) {
        const { seqs, has_more } = await page(query)
        seen.push(...seqs)
        if (!has_more) return seen
        query = next(seen)
      }
    }
    expect(await walk('?limit=7', (seen) => `?limit=7&before_seq=${seen.at(-1)}`)).toEqual(down(120, 1))
    expect(await walk('?limit=7', (seen) => `?limit=7&offset=${seen.length}`)).toEqual(down(120, 1))
    expect(await walk('?limit=7&after_seq=0', (seen) => `?limit=7&after_seq=${seen.at(-1)}`)).toEqual(upTo(120))
  })

  it.each(['?limit=0', '?limit=101', '?limit=x', '?offset=-1', '?before_seq=1.5', '?after_seq=-1'])(
    'refuses %s',
    async (query) => expect((await ben.get(`/chats/${chatId}/messages${query}`)).status).toBe(400),
  )

  it('gives one message by its id, a deleted one as its tombstone, to those in the chat alone', async () => {
    const chatId = await server.addGroup(ann, ben)
    const message = await say(ann, chatId, 'one')
    const path = `/chats/${chatId}/messages/${message.id}`
    expect(await ben.get(path)).toMatchObject({ status: 200, body: message })
    const { body: tombstone } = await ann.delete(path)
    expect((await ben.get(path)).body).toEqual(tombstone)
    const elsewhere = await server.addGroup(ben)
    for (const [user, of] of [
      [eve, path],
      [ben, `/chats/${elsewhere}/messages/${message.id}`],
      [ben, `/chats/${chatId}/messages/${Bun.randomUUIDv7()}`],
    ] as const)
      expect((await user.get(of)).status).toBe(404)
  })

  it('refuses two places at once', async () => {
    const { status, body } = await ben.get(`/chats/${chatId}/messages?offset=1&before_seq=5`)
    expect(status).toBe(400)
    expect(Object.keys(body.details)).toEqual(['offset'])
  })

  it('is whole for whoever joins later, and closed to whoever has left', async () => {
    await ann.post(`/chats/${chatId}/members`, { user_ids: [eve.id] })
    expect((await eve.get(`/chats/${chatId}/messages?after_seq=0&limit=1`)).body.messages).toEqual([all[0]])
    await eve.delete(`/chats/${chatId}/members/${eve.id}`)
    expect((await eve.get(`/chats/${chatId}/messages`)).status).toBe(404)
  })

  it('of an empty chat is empty', async () => {
    const empty = await server.addGroup(ann)
    const { body } = await ann.get(`/chats/${empty}/messages`)
    expect(body).toEqual({ messages: [], total: 0, has_more: false })
  })
})
