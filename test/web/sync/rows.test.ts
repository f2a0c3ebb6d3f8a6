/** What a conversation shows, and that it costs what is shown. */
import { describe, expect, it } from 'bun:test'
import { chatOrder, lastOf, unreadOf } from '../../../src/web/sync/lists.ts'
import { conversationOf, pendingRowsOf, repliedOf, rowsOf } from '../../../src/web/sync/rows.ts'
import { BEN, ME, message, overview, START, Stage } from './stage.ts'

const at = (minutes: number) => ({ created_at: new Date(START + minutes * 60_000).toISOString() })

describe('rows', () => {
  it('are grouped by person and time, and begin their days', () => {
    const on = new Stage(overview('chat', 0))
    const day = 24 * 60
    on.hear(message(1, at(0)))
    on.hear(message(2, at(4)))
    on.hear(message(3, at(10)))
    on.hear(message(4, { ...at(11), sender_id: ME }))
    on.hear(message(5, { ...at(day), sender_id: ME }))
    const rows = rowsOf(on.state, 'chat', 1, 5)
    expect(rows.map(({ startsGroup, endsGroup, startsDay }) => [startsGroup, endsGroup, startsDay])).toEqual([
      [true, false, true],
      [false, true, false],
      [true, true, false],
      [true, true, false],
      [true, true, true],
    ])
  })

  it('of what waits follow, and join the group before them', () => {
    const on = new Stage(overview('chat', 0))
    on.now = START
    on.hear(message(1, { ...at(0), sender_id: ME }))
    on.write('a')
    on.write('b')
    expect(rowsOf(on.state, 'chat', 1, 1)).toMatchObject([{ startsGroup: true, endsGroup: false }])
    expect(pendingRowsOf(on.state, 'chat')).toMatchObject([
      { key: 'a', tick: 'clock', startsGroup: false, endsGroup: false },
      { key: 'b', tick: 'clock', startsGroup: false, endsGroup: true },
    ])
  })

  it('have ticks that follow the marks of the others, and none where there are no marks', () => {
    const on = new Stage(overview('chat', 0), overview('channel', 0, { type: 'channel', peer_read_seq: null }))
    on.hear(message(1, { sender_id: ME }))
    on.hear(message(2, { sender_id: ME }))
    const ticks = () => rowsOf(on.state, 'chat', 1, 2).map(({ tick }) => tick)
    expect(ticks()).toEqual(['sent', 'sent'])
    on.take({ type: 'frame', frame: { type: 'read', chat_id: 'chat', user_id: BEN, last_read_seq: 1 } })
    expect(ticks()).toEqual(['read', 'sent'])
    on.hear(message(3))
    expect(ticks()).toEqual(['read', 'read'])
    on.hear(message(1, { sender_id: ME, chat_id: 'channel' }))
    expect(rowsOf(on.state, 'channel', 1, 1)).toMatchObject([{ tick: 'sent' }])
  })

  it('that did not change are the same objects', () => {
    const on = new Stage(overview('chat', 0))
    for (let seq = 1; seq <= 20; seq++) on.hear(message(seq))
    const before = rowsOf(on.state, 'chat', 1, 20)
    on.hear(message(21))
    const frame = { type: 'message_updated' as const, chat_id: 'chat', message: message(5, { rev: 1, content: 'new' }) }
    on.take({ type: 'frame', frame })
    const after = rowsOf(on.state, 'chat', 1, 20)
    const changed = after.flatMap((row, index) => (row === before[index] ? [] : [row.seq]))
    expect(changed).toEqual([5, 20])
  })

  it('know what is replied to when it is held, and ask once when it is not', () => {
    const on = new Stage(overview('chat', 50))
    expect(repliedOf(on.state, 'chat', 'm50')?.seq).toBe(50)
    expect(repliedOf(on.state, 'chat', 'm3')).toBeUndefined()
    for (let n = 0; n < 3; n++) on.take({ type: 'seek', chatId: 'chat', messageId: 'm3' })
    const asked = on.commands.flatMap((one) =>
      one.do === 'ask' && one.question.ask === 'message' ? [one.question] : [],
    )
    expect(asked).toHaveLength(1)
    const [question] = asked
    if (!question) return
    // It is edited while it is on its way.
    const frame = { type: 'message_updated' as const, chat_id: 'chat', message: message(3, { rev: 1, content: 'new' }) }
    on.take({ type: 'frame', frame })
    on.take({ type: 'answered', question, answer: { ok: true, body: message(3) } })
    expect(repliedOf(on.state, 'chat', 'm3')?.content).toBe('new')
    on.take({ type: 'seek', chatId: 'chat', messageId: 'none' })
    const gone = { ok: false as const, status: 404, error: '', details: {}, retryAfter: undefined }
    on.take({ type: 'answered', question: { ...question, messageId: 'none' }, answer: gone })
    expect(repliedOf(on.state, 'chat', 'none')).toBeNull()
  })
})

describe('ten thousand messages', () => {
  it('are held in order, and asked for by the hundred', () => {
    const on = new Stage(overview('chat', 0))
    on.take({ type: 'open', chatId: 'chat' })
    for (let seq = 1; seq <= 5000; seq++) on.hear(message(seq))
    expect(conversationOf(on.state, 'chat')).toMatchObject({ first: 1, last: 5000, hasOlder: false, hasNewer: false })
    expect(rowsOf(on.state, 'chat', 4901, 5000)).toHaveLength(100)
    // Whoever reads at the end lets go of what is far above.
    on.take({ type: 'view', chatId: 'chat', seq: 5000 })
    for (let seq = 5001; seq <= 10_000; seq++) {
      on.hear(message(seq))
      if (seq % 50 === 0) on.take({ type: 'view', chatId: 'chat', seq })
    }
    const { first, last } = conversationOf(on.state, 'chat')
    expect(last).toBe(10_000)
    expect(first).toBeGreaterThan(4000)
    expect(on.state.chats.get('chat')?.messages.size).toBe(last - first + 1)
    // In a chat nobody looks at hundreds are enough.
    on.take({ type: 'close', chatId: 'chat' })
    for (let seq = 10_001; seq <= 12_000; seq++) on.hear(message(seq))
    expect(on.state.chats.get('chat')?.messages.size).toBeLessThanOrEqual(400)
  })
})

describe('the list', () => {
  it('has the latest activity first, what waits in the outbox included, and counts what is unread', () => {
    const on = new Stage(overview('chat', 1), overview('other', 2), overview('third', 3))
    expect([...chatOrder(on.state)]).toEqual(['third', 'other', 'chat'])
    const before = chatOrder(on.state)
    expect(chatOrder(on.state)).toBe(before)
    on.hear(message(3, { chat_id: 'other', created_at: new Date(START + 10_000).toISOString() }))
    expect([...chatOrder(on.state)]).toEqual(['other', 'third', 'chat'])
    expect(unreadOf(on.state)).toEqual({ chats: 1, messages: 1 })
    on.now = START + 20_000
    on.write('a')
    expect([...chatOrder(on.state)]).toEqual(['chat', 'other', 'third'])
    const chat = on.state.chats.get('chat')
    expect(chat && lastOf(on.state, chat).entry?.content).toBe('a')
  })
})
