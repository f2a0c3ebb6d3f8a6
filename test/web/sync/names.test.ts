/** Whom the chat list asks for: those who wrote last in groups. */
import { describe, expect, it } from 'bun:test'
import type { Answer, Command, Event } from '../../../src/web/sync/turn.ts'
import type { ChatOverview } from '../../../src/web/sync/wire.ts'
import { BEN, ME, message, overview, Stage } from './stage.ts'

const UNREACHED: Answer = { ok: false, status: 0, error: 'No answer came', details: {}, retryAfter: 1 }

const asked = (commands: Command[]): string[][] =>
  commands.flatMap((one) => (one.do === 'ask' && one.question.ask === 'users' ? [one.question.ids] : []))
const groupOf = (senderId: string | null, fields: Partial<ChatOverview> = {}) =>
  overview(`chat of ${senderId}`, 1, { last_message: message(1, { sender_id: senderId }), ...fields })
const meet = (chat: ChatOverview): Event => ({ type: 'chat', chat })

describe('the names of the chat list', () => {
  it('are asked for when a group comes whose last sender is not known, once', () => {
    const stage = new Stage()
    expect(asked(stage.take(meet(groupOf('ann'))))).toEqual([['ann']])
    expect(asked(stage.take(meet(groupOf('ann', { id: 'another' }))))).toEqual([])
  })

  it('are not asked for where none is shown, or it is known', () => {
    const stage = new Stage()
    const profile = { id: BEN, username: 'ben', avatar_url: null, bio: null, is_premium: false, last_seen: null }
    stage.take({ type: 'users', users: [{ ...profile, is_deleted: false }] })
    const deleted = message(1, { sender_id: 'gone', deleted_at: message(2).created_at })
    const chats = [
      ...[groupOf(BEN), groupOf(ME), groupOf(null)],
      ...[groupOf('dan', { type: 'dm' }), groupOf('eve', { type: 'channel' })],
      ...[overview('empty', 0), overview('of a deleted one', 1, { last_message: deleted })],
    ]
    for (const chat of chats) expect(asked(stage.take(meet(chat)))).toEqual([])
  })

  it('are asked for again, a hundred at a time, when the network is back', () => {
    const stage = new Stage()
    for (let n = 0; n < 150; n++) {
      for (const ids of asked(stage.take(meet(groupOf(`user ${n}`)))))
        stage.take({ type: 'answered', question: { ask: 'users', ids }, answer: UNREACHED })
    }
    stage.take({ type: 'link', status: 'offline' })
    const again = asked(stage.take({ type: 'link', status: 'open' }))
    expect(again.map(({ length }) => length)).toEqual([100, 50])
    expect(new Set(again.flat()).size).toBe(150)
  })
})
