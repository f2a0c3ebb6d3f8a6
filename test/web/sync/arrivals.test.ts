/** What one is told of while one does not look: each message of others once, whichever way it came. */
import { describe, expect, it } from 'bun:test'
import type { Command } from '../../../src/web/sync/turn.ts'
import type { SyncResponse } from '../../../src/web/sync/wire.ts'
import { ME, message, overview, START, Stage } from './stage.ts'

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
