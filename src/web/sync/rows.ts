/**
 * What a conversation shows, row by row. A row that did not change is the same object as before, so that a view can skip
 * it; only the rows that are asked for are looked at, however many are loaded.
 */
import { intervalOf } from './intervals.ts'
import type { Chat, OutboxEntry, State, Window } from './state.ts'
import type { Message } from './wire.ts'

/** clock: not yet stored; sent: the server has it; read: somebody else has read it; none: not mine */
export type Tick = 'none' | 'clock' | 'sent' | 'read' | 'failed'

export interface Row {
  /** The same from the first moment on: the `client_id` of what I wrote, the id of all others. */
  key: string
  /** Undefined while it is in the outbox; then `entry` is there. */
  message: Message | undefined
  entry: OutboxEntry | undefined
  /** 0 in the outbox. */
  seq: number
  /** Milliseconds since 1970. */
  at: number
  isOwn: boolean
  /** The first of its day, as this machine's clock has days. */
  startsDay: boolean
  /** The unread line is above it. */
  isFirstUnread: boolean
  /** First and last of what one person wrote within some minutes. */
  startsGroup: boolean
  endsGroup: boolean
  tick: Tick
}

/** What is loaded of a conversation, and what can be. */
export interface Conversation {
  /** Seqs of the first and the last message that is loaded; `last` is below `first` when there are none. */
  first: number
  last: number
  hasOlder: boolean
  hasNewer: boolean
  loading: Window['loading']
  hasFailed: boolean
  unreadFrom: number | undefined
  /** How many wait in the outbox: they follow the last row, when there is nothing newer. */
  pending: number
}

const GROUP_MS = 5 * 60_000

const NOTHING: Conversation = {
  ...{ first: 1, last: 0, hasOlder: false, hasNewer: false, pending: 0 },
  ...{ loading: 'none', hasFailed: false, unreadFrom: undefined },
}

export function conversationOf(state: State, chatId: string): Conversation {
  const chat = state.chats.get(chatId)
  const window = chat?.window
  if (!chat || !window) return NOTHING
  const { first, last } = loadedOf(chat, window)
  return {
    first,
    last,
    hasOlder: last >= first ? first > 1 : chat.head.seq > 0,
    hasNewer: last >= first && last < chat.head.seq,
    loading: window.loading,
    hasFailed: window.hasFailed,
    unreadFrom: window.unreadFrom,
    pending: pendingOf(state, chatId).length,
  }
}

/** The interval a window looks into. */
export function loadedOf(chat: Chat, window: Window): { first: number; last: number } {
  const held = intervalOf(chat.held, window.anchor)
  return held ? { first: held.from, last: held.to } : { first: 1, last: 0 }
}

export const pendingOf = ({ outbox }: State, chatId: string): OutboxEntry[] =>
  [...outbox.values()].filter((entry) => entry.chatId === chatId)

interface Moment {
  at: number
  /** 20260115 */
  day: number
}

const lines = new WeakMap<Message, Line>()
/** By the message, or by the entry of the outbox. */
const known = new WeakMap<object, Row>()

function lineOfMessage(message: Message): Line {
  const found = lines.get(message)
  if (found) return found
  const at = Date.parse(message.created_at)
  const line = { at, day: dayOf(at), sender: message.sender_id }
  lines.set(message, line)
  return line
}

/** As a number: 20260115. */
export function dayOf(at: number): number {
  const date = new Date(at)
  return date.getFullYear() * 10_000 + (date.getMonth() + 1) * 100 + date.getDate()
}

/** The rows of the messages from `from` to `to`, both included, as far as they are held. */
export function rowsOf(state: State, chatId: string, from: number, to: number): Row[] {
  const chat = state.chats.get(chatId)
  if (!chat) return []
  const rows: Row[] = []
  let before = lineOf(chat, from - 1)
  let here = lineOf(chat, from)
  for (let seq = from; seq <= to; seq++) {
    const after = lineOf(chat, seq + 1)
    const message = chat.messages.get(seq)
    if (message && here)
      rows.push(
        remember(message, messageRow(state, chat, message, before, here, after ?? firstPending(state, chat, seq))),
      )
    before = here
    here = after
  }
  return rows
}

/** The rows of what waits in the outbox, as they follow the last message. */
export function pendingRowsOf(state: State, chatId: string): Row[] {
  const chat = state.chats.get(chatId)
  if (!chat) return []
  const entries = pendingOf(state, chatId)
  const me = state.session.userId
  const last = chat.messages.get(chat.head.seq)
  const own = entries.map((entry) => ({ at: entry.writtenAt, day: dayOf(entry.writtenAt), sender: me }))
  return entries.map((entry, index): Row => {
    const here = own[index] ?? { at: 0, day: 0, sender: me }
    const before = own[index - 1] ?? (last && lineOfMessage(last))
    const after = own[index + 1]
    return remember(entry, {
      ...{ key: entry.clientId, message: undefined, entry, seq: 0, at: here.at, isOwn: true, isFirstUnread: false },
      startsDay: before?.day !== here.day,
      startsGroup: !before || !areOneGroup(before, here),
      endsGroup: !after || !areOneGroup(here, after),
      tick: entry.status === 'failed' ? 'failed' : 'clock',
    })
  })
}

interface Line extends Moment {
  sender: string | null
}

const areOneGroup = (a: Line, b: Line) => a.sender === b.sender && a.day === b.day && b.at - a.at < GROUP_MS

function lineOf(chat: Chat, seq: number): Line | undefined {
  const message = chat.messages.get(seq)
  return message && lineOfMessage(message)
}

function messageRow(
  state: State,
  chat: Chat,
  message: Message,
  before: Line | undefined,
  here: Line,
  after: Line | undefined,
): Row {
  const me = state.session.userId
  const isOwn = message.sender_id === me
  const unreadFrom = chat.window?.unreadFrom
  return {
    key: keyOf(message, me),
    message,
    entry: undefined,
    seq: message.seq,
    at: here.at,
    isOwn,
    startsDay: before?.day !== here.day,
    isFirstUnread: message.seq === unreadFrom,
    startsGroup: !before || message.seq === unreadFrom || !areOneGroup(before, here),
    endsGroup: !after || message.seq + 1 === unreadFrom || !areOneGroup(here, after),
    tick: isOwn ? tickOf(chat, message) : 'none',
  }
}

function firstPending(state: State, chat: Chat, seq: number): Line | undefined {
  if (seq !== chat.head.seq || state.outbox.size === 0) return undefined
  const [entry] = pendingOf(state, chat.id)
  return entry && { at: entry.writtenAt, day: dayOf(entry.writtenAt), sender: state.session.userId }
}

/**
 * What a message replies to: null when there is no such message, undefined when it is not held; `client.seek` then asks.
 */
export function repliedOf(state: State, chatId: string, messageId: string): Message | null | undefined {
  const chat = state.chats.get(chatId)
  const seq = chat?.seqs.get(messageId)
  const held = seq === undefined ? undefined : chat?.messages.get(seq)
  return held ?? chat?.sought.get(messageId)
}

export const keyOf = (message: Message, me: string): string =>
  message.sender_id === me && message.client_id ? message.client_id : message.id

export const tickOf = ({ row }: Chat, { seq }: Message): Tick => (seq <= (row.peer_read_seq ?? 0) ? 'read' : 'sent')

/** The row as it was, if it is the same. */
function remember(of: object, row: Row): Row {
  const before = known.get(of)
  if (before && isSame(before, row)) return before
  known.set(of, row)
  return row
}

const NAMES = [
  ...(['key', 'message', 'entry', 'seq', 'at', 'isOwn', 'startsDay', 'isFirstUnread'] as const),
  ...(['startsGroup', 'endsGroup', 'tick'] as const),
] satisfies (keyof Row)[]

function isSame(a: Row, b: Row): boolean {
  for (const name of NAMES) if (a[name] !== b[name]) return false
  return true
}
