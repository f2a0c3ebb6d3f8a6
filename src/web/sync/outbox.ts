/**
 * What was written and is not known to be stored. It is kept in the storage before it is sent; in each chat one text is on
 * its way at a time, so that they arrive in their order; uploads go beside them, in their own order. A message leaves when
 * the server's message with its `client_id` comes, whichever way that comes.
 */
import { backoffMs } from './backoff.ts'
import type { ApiError } from './rest.ts'
import type { OutboxEntry, State } from './state.ts'
import { command, type Event, reorder, type Turn } from './turn.ts'
import type { Failure } from './wire.ts'

/** How a message's answer is known. */
const REF = 'message:'
const ACK_MS = 10_000
/** How often another tab is told what it has to send. */
const TELL_MS = 5000
/** Of all chats together. */
const MAX_UPLOADS = 3
/** Who would have to wait longer decides for themselves. */
const MAX_WAIT_SECONDS = 60

export function write(turn: Turn, entry: OutboxEntry, file: unknown): void {
  turn.state.outbox.set(entry.clientId, entry)
  turn.ops.push({ put: 'outbox', entry: toStored(entry) })
  if (file !== undefined) turn.ops.push({ put: 'file', clientId: entry.clientId, file })
  note(turn, entry)
  reorder(turn)
}

/** What was on its way is not known to have arrived: it is tried again. */
export const toStored = (entry: OutboxEntry): OutboxEntry =>
  entry.status === 'failed' ? entry : { ...entry, status: 'queued', sentBytes: 0 }

export function kept(turn: Turn, clientId: string): void {
  const entry = turn.state.outbox.get(clientId)
  if (entry?.status !== 'saving') return
  set(turn, { ...entry, status: 'queued' })
  tell(turn, clientId)
  tellLater(turn, clientId)
}

/** Unless this is the tab that sends by then. */
const tellLater = (turn: Turn, clientId: string): void =>
  command(turn, { do: 'timer', name: `tell:${clientId}`, ms: TELL_MS })

/** The tab that sends may not have heard of it. */
export function tellAgain(turn: Turn, clientId: string): void {
  const entry = turn.state.outbox.get(clientId)
  if (turn.state.isLeader || entry?.status !== 'queued') return
  tell(turn, clientId)
  // Or it has sent it long since, and that went by unheard.
  command(turn, { do: 'read-outbox' })
  tellLater(turn, clientId)
}

/** From the storage. A tab that was closed may have told nobody. */
export function restoreEntry(turn: Turn, entry: OutboxEntry): void {
  turn.state.outbox.set(entry.clientId, entry)
  tellLater(turn, entry.clientId)
}

/** Another tab tells of an entry. The leader's word counts, but for what the leader has not heard of. */
export function takeEntry(turn: Turn, entry: OutboxEntry): void {
  const { state } = turn
  const isKnown = state.outbox.has(entry.clientId)
  if (isKnown && state.isLeader) {
    // That it failed, they did not hear.
    if (state.outbox.get(entry.clientId)?.status !== entry.status) tell(turn, entry.clientId)
    return
  }
  if (!isKnown && isStored(state, entry)) {
    if (state.isLeader) forget(turn, entry.clientId)
    return
  }
  set(turn, entry)
  if (!isKnown) reorder(turn)
  // Old news is found out: whoever sends gets the message that is there already.
  tellLater(turn, entry.clientId)
}

/** Its message has come already: by the socket, before the other tab's word. */
function isStored({ chats, session }: State, { chatId, clientId }: OutboxEntry): boolean {
  for (const message of chats.get(chatId)?.messages.values() ?? [])
    if (message.client_id === clientId && message.sender_id === session.userId) return true
  return false
}

export function retry(turn: Turn, clientId: string): void {
  const entry = turn.state.outbox.get(clientId)
  if (entry?.status !== 'failed') return
  set(turn, { ...entry, status: 'queued', error: null, attempts: 0 })
  update(turn, clientId)
  if (!turn.state.isLeader) command(turn, { do: 'tell', event: { type: 'retry', clientId } })
}

/** A text that is on its way cannot be taken back any more. */
export function discard(turn: Turn, clientId: string): void {
  const entry = turn.state.outbox.get(clientId)
  if (!entry || (entry.status === 'sending' && !entry.file)) return
  drop(turn, clientId)
  forget(turn, clientId)
}

/** In the storage and in the other tabs. */
function forget({ ops, commands }: Turn, clientId: string): void {
  ops.push({ delete: 'outbox', clientId })
  commands.push({ do: 'tell', event: { type: 'discarded', clientId } })
}

/** Here, or by another tab. */
export function drop(turn: Turn, clientId: string): void {
  const entry = turn.state.outbox.get(clientId)
  if (!entry) return
  if (entry.file && entry.status === 'sending') command(turn, { do: 'abort', clientId })
  turn.state.outbox.delete(clientId)
  note(turn, entry)
  reorder(turn)
}

/** Sends whatever may be sent now. */
export function pump(turn: Turn): void {
  const { state } = turn
  if (!state.isLeader || state.link !== 'open' || turn.now < state.pausedUntil) return
  const busy = new Set<string>()
  let uploads = 0
  for (const { file, status } of state.outbox.values()) if (file && status === 'sending') uploads++
  for (const entry of state.outbox.values()) {
    const lane = `${entry.chatId} ${entry.file ? 'files' : 'texts'}`
    const isNext = !busy.has(lane)
    if (entry.status === 'failed') continue
    busy.add(lane)
    if (!isNext || entry.status !== 'queued') continue
    if (!entry.file) sendText(turn, entry)
    else if (uploads < MAX_UPLOADS) {
      uploads++
      set(turn, { ...entry, status: 'sending', sentBytes: 0 })
      command(turn, { do: 'upload', clientId: entry.clientId })
    }
  }
}

function sendText(turn: Turn, entry: OutboxEntry): void {
  const { clientId, chatId, content, replyToId } = entry
  set(turn, { ...entry, status: 'sending' })
  const message = { type: 'message', chat_id: chatId, content, client_id: clientId }
  const reply = replyToId ? { reply_to_id: replyToId } : {}
  command(turn, { do: 'send', frame: { ...message, ...reply, ref: REF + clientId } })
  command(turn, { do: 'timer', name: `ack:${clientId}`, ms: ACK_MS })
}

/** The answer is late: the socket may be dead without knowing it. */
export function missAck(turn: Turn, clientId: string): void {
  if (turn.state.outbox.get(clientId)?.status !== 'sending') return
  command(turn, { do: 'probe' })
  command(turn, { do: 'timer', name: `ack:${clientId}`, ms: ACK_MS })
}

/** The socket is gone: texts that were on their way go again, with the same `client_id`. Uploads have a way of their own. */
export function requeueTexts({ state }: Turn): void {
  for (const entry of state.outbox.values())
    if (entry.status === 'sending' && !entry.file) state.outbox.set(entry.clientId, { ...entry, status: 'queued' })
}

/** Another tab sends from now on, or this one begins to. */
export function requeueAll(turn: Turn): void {
  for (const entry of turn.state.outbox.values()) {
    if (entry.file && entry.status === 'sending') command(turn, { do: 'abort', clientId: entry.clientId })
    if (entry.status === 'sending' || entry.status === 'waiting')
      set(turn, { ...entry, status: 'queued', sentBytes: 0 })
    if (entry.status !== 'failed') tellLater(turn, entry.clientId)
  }
}

/**
 * The server refused: for now, when it said how long to wait or no answer came, or for good.
 * @param status of HTTP; 0 when no answer came
 */
export function refuse(turn: Turn, clientId: string, status: number, failure: Failure, retryAfter?: number): void {
  const entry = turn.state.outbox.get(clientId)
  if (!entry) return
  const attempts = entry.attempts + 1
  const error = { status, ...failure }
  const isFinal = retryAfter === undefined || retryAfter > MAX_WAIT_SECONDS
  if (isFinal && !turn.state.chats.has(entry.chatId)) {
    // Whoever is out of the chat has no place to see it.
    drop(turn, clientId)
    forget(turn, clientId)
  } else if (isFinal) {
    set(turn, { ...entry, status: 'failed', attempts, error })
    update(turn, clientId)
  } else {
    set(turn, { ...entry, status: 'waiting', attempts, error })
    command(turn, { do: 'timer', name: `retry:${clientId}`, ms: backoffMs(attempts, retryAfter), isLoose: true })
    // Other chats' texts would be refused as well.
    if (!entry.file) pause(turn, retryAfter * 1000)
  }
}

/** Nothing is sent over the socket for a while. */
export function pause(turn: Turn, ms: number): void {
  turn.state.pausedUntil = Math.max(turn.state.pausedUntil, turn.now + ms)
  command(turn, { do: 'timer', name: 'pause', ms: turn.state.pausedUntil - turn.now })
}

export function tryAgain({ state }: Turn, clientId: string): void {
  const entry = state.outbox.get(clientId)
  if (entry?.status === 'waiting') state.outbox.set(clientId, { ...entry, status: 'queued' })
}

/** @returns whether the frame was the answer to a message; what it brought is applied elsewhere */
export function finishSend(turn: Turn, ref: string, refusal: ApiError | undefined): boolean {
  if (!ref.startsWith(REF)) return false
  if (refusal) {
    const { status, message, details, retryAfter } = refusal
    refuse(turn, ref.slice(REF.length), status, { error: message, details }, retryAfter)
  }
  return true
}

export function noteProgress(turn: Turn, clientId: string, sentBytes: number): void {
  const entry = turn.state.outbox.get(clientId)
  if (entry?.status === 'sending') set(turn, { ...entry, sentBytes })
}

function set(turn: Turn, entry: OutboxEntry): void {
  turn.state.outbox.set(entry.clientId, entry)
  note(turn, entry)
}

function note({ changes }: Turn, { chatId }: OutboxEntry): void {
  changes.chats.add(chatId)
  changes.conversations.add(chatId)
}

/** In the storage and in the other tabs. */
function update(turn: Turn, clientId: string): void {
  const entry = turn.state.outbox.get(clientId)
  if (entry) turn.ops.push({ update: 'outbox', entry: toStored(entry) })
  if (turn.state.isLeader) tell(turn, clientId)
}

function tell(turn: Turn, clientId: string): void {
  const entry = turn.state.outbox.get(clientId)
  const event: Event | undefined = entry && { type: 'entry', entry: toStored(entry) }
  if (event) command(turn, { do: 'tell', event })
}
