/** One message, however it came: by an event, an answer, a page, a sync. Any order, any number of times. */
import { addSeq, clip } from './intervals.ts'
import type { Chat } from './state.ts'
import { reorder, setRow, type Turn, touch } from './turn.ts'
import type { ChatOverview, Message } from './wire.ts'

/** A chat nobody looks at keeps so many of its newest in memory when it has `TOO_MANY`. */
const ENOUGH = 100
const TOO_MANY = 400
/** The same of an open one, while its reader is near the end. */
const ENOUGH_OPEN = 3000
const TOO_MANY_OPEN = 6000

export function applyMessage(turn: Turn, chat: Chat, message: Message): void {
  settleEntry(turn, message)
  keepSought(chat, message)
  const known = chat.messages.get(message.seq)
  if (known && known.rev >= message.rev) {
    // The row may be older than it, and so may the storage.
    noteOnRow(turn, chat, known)
    if (chat.storedHead) turn.ops.push({ put: 'messages', chatId: chat.id, messages: [known] })
    return
  }
  chat.messages.set(message.seq, message)
  chat.seqs.set(message.id, message.seq)
  addSeq(chat.held, message.seq)
  if (message.rev > chat.head.rev) chat.revs.add(message.rev)
  turn.ops.push({ put: 'messages', chatId: chat.id, messages: [message] })
  touch(turn, chat)
  noteOnRow(turn, chat, message)
  advance(chat)
  if (message.sender_id) chat.typing.delete(message.sender_id)
  if (!chat.window && chat.messages.size > TOO_MANY) trim(chat, ENOUGH)
  else if (chat.window && chat.messages.size > TOO_MANY_OPEN) trimOpen(chat)
}

/** One that was asked for by its id follows its changes, held or not. */
export function keepSought({ sought }: Chat, message: Message): void {
  const known = sought.get(message.id)
  if (sought.has(message.id) && (known?.rev ?? -1) <= message.rev) sought.set(message.id, message)
}

/** What was sent is stored: its row goes on as the message's, in the same transaction. */
export function settleEntry({ state, ops, commands, changes }: Turn, message: Message): void {
  if (message.sender_id !== state.session.userId) return
  const entry = message.client_id === null ? undefined : state.outbox.get(message.client_id)
  if (!entry || entry.chatId !== message.chat_id) return
  if (entry.file && entry.status === 'sending') commands.push({ do: 'abort', clientId: entry.clientId })
  state.outbox.delete(entry.clientId)
  ops.push({ delete: 'outbox', clientId: entry.clientId })
  state.orderStamp++
  changes.isOrder = true
}

/** The head moves over everything that is held or heard of without a gap. */
export function advance(chat: Chat, next: { seq: number; rev: number } = chat.head): void {
  let { seq, rev } = { seq: Math.max(chat.head.seq, next.seq), rev: Math.max(chat.head.rev, next.rev) }
  while (chat.messages.has(seq + 1)) seq++
  while (chat.revs.has(rev + 1)) rev++
  if (seq === chat.head.seq && rev === chat.head.rev) return
  const isFirst = chat.head.seq === 0
  chat.head = { seq, rev }
  if (isFirst && chat.window?.anchor === 0) chat.window.anchor = seq
  for (const heard of chat.revs) if (heard <= rev) chat.revs.delete(heard)
}

/** What a message says of its chat: counts, marks, the last message. */
export function noteOnRow(turn: Turn, chat: Chat, message: Message | undefined): void {
  const { row } = chat
  if (!message) return
  const isOwn = message.sender_id === turn.state.session.userId
  const isNewest = message.seq > row.last_seq
  // Whoever writes has read up to their own message.
  if (isOwn) chat.serverReadSeq = Math.max(chat.serverReadSeq, message.seq)
  const isSeenByPeer = !isOwn && row.peer_read_seq !== null && message.sender_id !== null
  if (isNewest) reorder(turn)
  const after = {
    ...row,
    last_seq: Math.max(row.last_seq, message.seq),
    last_rev: Math.max(row.last_rev, message.rev),
    last_read_seq: isOwn ? Math.max(row.last_read_seq, message.seq) : row.last_read_seq,
    peer_read_seq: isSeenByPeer ? Math.max(row.peer_read_seq ?? 0, message.seq) : row.peer_read_seq,
    last_message_at: isNewest ? message.created_at : row.last_message_at,
    last_message: lastAfter(chat, message),
  }
  const isSame = (Object.keys(after) as (keyof ChatOverview)[]).every((name) => after[name] === row[name])
  if (!isSame) setRow(turn, chat, after)
  if (chat.row.last_message === message) chat.isLastUnknown = false
}

/** May say that the last message is unknown. */
function lastAfter(chat: Chat, message: Message): ChatOverview['last_message'] {
  const last = chat.row.last_message
  const isLater = last ? message.seq >= last.seq : !chat.isLastUnknown || message.seq > chat.row.last_seq
  if (!message.deleted_at) return isLater ? message : last
  if (last?.seq !== message.seq) return last
  const before = findLiving(chat, message.seq - 1)
  chat.isLastUnknown = before === undefined
  return before ?? null
}

/** The newest living message up to `seq`; null when there is none, undefined when it is not held. */
function findLiving(chat: Chat, seq: number): Message | null | undefined {
  for (let at = seq; at > 0; at--) {
    const message = chat.messages.get(at)
    if (!message) return undefined
    if (!message.deleted_at) return message
  }
  return null
}

/** Lets go of all but the newest `count`: they are stored, or can be asked for again. */
export function trim(chat: Chat, count: number): void {
  const from = chat.head.seq - count + 1
  for (const [seq, { id }] of chat.messages) {
    if (seq >= from) continue
    chat.messages.delete(seq)
    chat.seqs.delete(id)
  }
  chat.held = clip(chat.held, from, Number.POSITIVE_INFINITY)
}

function trimOpen(chat: Chat): void {
  const { window } = chat
  if (window?.loading === 'none' && window.anchor > chat.head.seq - ENOUGH_OPEN / 2) trim(chat, ENOUGH_OPEN)
}
