/** What is written, step by step: when it goes, in which order, and what refusals make of it. */
import { describe, expect, it } from 'bun:test'
import type { OutboxFile } from '../../../src/web/sync/state.ts'
import { ME, message, overview, Stage } from './stage.ts'

const photo: OutboxFile = {
  ...{ name: 'photo.jpg', bytes: 1000, mimeType: 'image/jpeg', kind: 'image' },
  ...{ width: 40, height: 30, duration: null },
}
const stage = () => new Stage(overview('chat', 0), overview('other', 0), overview('third', 0), overview('fourth', 0))
const texts = (on: Stage) => on.sent().map(({ content }) => content)
const error = (ref: string, details: Record<string, unknown> = {}, status = 400) =>
  ({ type: 'frame', frame: { type: 'error', ref: `message:${ref}`, status, error: 'No', details } }) as const

describe('a text', () => {
  it('is stored before it is sent, and one after the other in a chat', () => {
    const on = stage()
    on.now += 1000
    const entry = { clientId: 'a', chatId: 'chat', writtenAt: on.now, content: 'a', replyToId: null, file: null }
    const fresh = { status: 'saving' as const, error: null, attempts: 0, sentBytes: 0 }
    on.take({ type: 'write', entry: { ...entry, ...fresh } })
    expect(on.sent()).toEqual([])
    expect(on.commands).toContainEqual({
      do: 'store',
      ops: [{ put: 'outbox', entry: expect.objectContaining({ clientId: 'a', status: 'queued' }) }],
    })
    on.take({ type: 'kept', clientId: 'a' })
    on.write('b')
    on.write('c', { chatId: 'other' })
    expect(texts(on)).toEqual(['a', 'c'])
    on.hear(message(1, { sender_id: ME, client_id: 'a' }))
    expect(texts(on)).toEqual(['a', 'c', 'b'])
  })

  it('goes with the message it became, in one transaction', () => {
    const on = stage()
    on.write('a')
    on.commands.length = 0
    on.hear(message(1, { sender_id: ME, client_id: 'a' }))
    const stores = on.commands.flatMap((one) => (one.do === 'store' ? [one.ops] : []))
    expect(stores).toHaveLength(1)
    expect(stores[0]).toContainEqual({ delete: 'outbox', clientId: 'a' })
    expect(stores[0]).toContainEqual(expect.objectContaining({ put: 'messages' }))
    expect(stores[0]).toContainEqual(expect.objectContaining({ put: 'chat' }))
  })

  it("of somebody else with the same client_id is not taken for one's own", () => {
    const on = stage()
    on.write('a')
    on.hear(message(1, { client_id: 'a' }))
    on.hear(message(1, { sender_id: ME, client_id: 'a', chat_id: 'other' }))
    expect(on.statusOf('a')).toBe('sending')
  })

  it('waits as long as the server asks, and all others with it', () => {
    const on = stage()
    on.write('a')
    on.take(error('a', { retry_after: 7 }))
    expect(on.statusOf('a')).toBe('waiting')
    on.write('b', { chatId: 'other' })
    expect(texts(on)).toEqual(['a'])
    on.now += 7000
    on.take({ type: 'timer', name: 'retry:a' })
    on.take({ type: 'timer', name: 'pause' })
    expect(texts(on)).toEqual(['a', 'a', 'b'])
  })

  it('that the server failed at is tried again, later and later', () => {
    const on = stage()
    on.write('a')
    const waits: number[] = []
    for (let n = 0; n < 4; n++) {
      on.commands.length = 0
      on.take(error('a', { request_id: 'x' }, 500))
      waits.push(...on.commands.flatMap((one) => (one.do === 'timer' && one.name === 'retry:a' ? [one.ms] : [])))
      on.now += 60_000
      on.take({ type: 'timer', name: 'retry:a' })
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000])
    expect(on.statusOf('a')).toBe('sending')
  })

  it('that is refused lets the next one pass, and is tried again when asked', () => {
    const on = stage()
    on.write('a')
    on.write('b')
    on.take(error('a'))
    expect(on.state.outbox.get('a')).toMatchObject({ status: 'failed', error: { error: 'No' } })
    expect(texts(on)).toEqual(['a', 'b'])
    on.hear(message(1, { sender_id: ME, client_id: 'b' }))
    on.take({ type: 'retry', clientId: 'a' })
    expect(texts(on)).toEqual(['a', 'b', 'a'])
    expect(on.state.outbox.get('a')).toMatchObject({ status: 'sending', error: null })
  })

  it('on its way cannot be taken back; one that waits can', () => {
    const on = stage()
    on.write('a')
    on.write('b')
    on.take({ type: 'discard', clientId: 'a' })
    on.take({ type: 'discard', clientId: 'b' })
    expect([...on.state.outbox.keys()]).toEqual(['a'])
  })

  it('goes again on the next socket', () => {
    const on = stage()
    on.write('a')
    on.take({ type: 'link', status: 'connecting' })
    expect(on.statusOf('a')).toBe('queued')
    on.take({ type: 'link', status: 'open' })
    expect(texts(on)).toEqual(['a', 'a'])
  })

  it('without an answer makes the socket be looked at', () => {
    const on = stage()
    on.write('a')
    expect(on.take({ type: 'timer', name: 'ack:a' })).toContainEqual({ do: 'probe' })
  })
})

describe('a file', () => {
  it('does not hold up texts, and goes in its order, at most three at once', () => {
    const on = stage()
    on.write('a', { file: photo })
    on.write('b', { file: photo })
    on.write('text')
    for (const chatId of ['other', 'third', 'fourth']) on.write(chatId, { chatId, file: photo })
    expect(texts(on)).toEqual(['text'])
    expect(on.of('upload')).toEqual(['a', 'other', 'third'])
    const answer = { ok: true as const, body: { message: message(1, { sender_id: ME, client_id: 'a' }) } }
    on.take({ type: 'uploaded', clientId: 'a', answer })
    expect(on.of('upload')).toEqual(['a', 'other', 'third', 'b'])
    expect(on.state.outbox.has('a')).toBe(false)
  })

  it('tells how far it is, and can be taken back', () => {
    const on = stage()
    on.write('a', { file: photo })
    on.take({ type: 'uploading', clientId: 'a', sentBytes: 400 })
    expect(on.state.outbox.get('a')?.sentBytes).toBe(400)
    on.take({ type: 'discard', clientId: 'a' })
    expect(on.of('abort')).toEqual(['a'])
    const answer = { ok: false as const, status: 0, error: '', details: {}, retryAfter: 1 }
    on.take({ type: 'uploaded', clientId: 'a', answer })
    expect(on.state.outbox.size).toBe(0)
  })

  it('broken off by the network begins again; over its hourly limit it asks its writer', () => {
    const on = stage()
    on.write('a', { file: photo })
    const lost = { ok: false as const, status: 0, error: '', details: {}, retryAfter: 1 }
    on.take({ type: 'uploaded', clientId: 'a', answer: lost })
    expect(on.statusOf('a')).toBe('waiting')
    on.take({ type: 'timer', name: 'retry:a' })
    expect(on.of('upload')).toEqual(['a', 'a'])
    const limit = {
      ok: false as const,
      status: 429,
      error: 'Too many',
      details: { retry_after: 1800 },
      retryAfter: 1800,
    }
    on.take({ type: 'uploaded', clientId: 'a', answer: limit })
    expect(on.state.outbox.get('a')).toMatchObject({ status: 'failed', error: { status: 429 } })
    on.write('text')
    expect(texts(on)).toEqual(['text'])
  })

  it('that came by the socket first needs no answer any more', () => {
    const on = stage()
    on.write('a', { file: photo })
    on.hear(message(1, { sender_id: ME, client_id: 'a' }))
    expect(on.of('abort')).toEqual(['a'])
    expect(on.state.outbox.size).toBe(0)
  })
})
