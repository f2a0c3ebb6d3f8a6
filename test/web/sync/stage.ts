/** A signed-in state with chats in it, for tests of single steps. */
import { createState, type OutboxEntry, type State } from '../../../src/web/sync/state.ts'
import { step } from '../../../src/web/sync/step.ts'
import type { Command, Event } from '../../../src/web/sync/turn.ts'
import type { ChatOverview, Message } from '../../../src/web/sync/wire.ts'

export const ME = 'me'
export const BEN = 'ben'
export const START = Date.parse('2026-03-01T12:00:00.000Z')

export const message = (seq: number, fields: Partial<Message> = {}): Message => {
  const created_at = new Date(START + seq * 1000).toISOString()
  return {
    ...{
      id: `m${seq}`,
      sender_id: BEN,
      chat_id: 'chat',
      content: `text ${seq}`,
      message_type: 'text',
      media_url: null,
    },
    ...{ created_at, seq, rev: 0, client_id: null, reply_to_id: null, updated_at: created_at, deleted_at: null },
    ...{ media: null, ...fields },
  }
}

export const overview = (id: string, last: number, fields: Partial<ChatOverview> = {}): ChatOverview => ({
  ...{ id, name: id, type: 'group', owner_id: BEN, member_count: 2, created_at: new Date(START).toISOString() },
  ...{
    avatar_url: null,
    is_read_only: false,
    role: 'member',
    last_seq: last,
    last_rev: 0,
    last_read_seq: last,
    unread_count: 0,
  },
  ...{ peer_read_seq: 0, last_message: last > 0 ? message(last, { chat_id: id }) : null, peer: null },
  ...{ last_message_at: new Date(START + last * 1000).toISOString(), ...fields },
})

export class Stage {
  readonly state: State = createState()
  now = START
  /** What was to be done, of every step. */
  readonly commands: Command[] = []
  /** What was to be told of, of every step. */
  readonly arrivals: Message[] = []

  /** Leads, with an open socket. */
  constructor(...chats: ChatOverview[]) {
    this.take({ type: 'signed-in', userId: ME })
    this.take({ type: 'led', standing: { heads: {}, outbox: [] } })
    this.take({ type: 'link', status: 'open' })
    for (const chat of chats) this.take({ type: 'chat', chat })
    this.commands.length = 0
  }

  take(event: Event): Command[] {
    const { commands, changes } = step(this.state, event, this.now)
    this.commands.push(...commands)
    this.arrivals.push(...changes.arrivals)
    return commands
  }

  hear(one: Message): void {
    this.take({ type: 'frame', frame: { type: 'new_message', message: one } })
  }

  write(clientId: string, fields: Partial<OutboxEntry> = {}): void {
    this.now += 1000
    const entry: OutboxEntry = {
      ...{ clientId, chatId: 'chat', writtenAt: this.now, content: clientId, replyToId: null, file: null },
      ...{ status: 'saving', error: null, attempts: 0, sentBytes: 0, ...fields },
    }
    this.take({ type: 'write', entry, file: fields.file ? 'the file' : undefined })
    this.take({ type: 'kept', clientId })
  }

  statusOf = (clientId: string) => this.state.outbox.get(clientId)?.status
  /** The frames that were sent, and the uploads that were begun and broken off. */
  sent = () => this.commands.flatMap((one) => (one.do === 'send' ? [one.frame] : []))
  of = (what: 'upload' | 'abort') => this.commands.flatMap((one) => (one.do === what ? [one.clientId] : []))
}
