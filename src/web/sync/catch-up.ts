/**
 * How a client that was away, or missed something, comes to know all of it. A hole may close by itself: it is asked about
 * after 2 s. Whoever comes back syncs; what is pushed meanwhile is applied at once and once more after the sync, so that
 * nothing depends on which of the two is older.
 */
import { announceFound } from './arrivals.ts'
import { backoffMs } from './backoff.ts'
import { isBehind, removeChat, startChat, takeRow } from './chats.ts'
import { applyFrame } from './frames.ts'
import { reopenWindow } from './history.ts'
import { advance, applyMessage } from './messages.ts'
import { tellReads } from './reads.ts'
import type { Chat } from './state.ts'
import { type Answer, ask, command, type Question, setRow, type Turn, touch } from './turn.ts'
import type { Changes, ChatOverview, Head, ServerFrame, SyncedChat, SyncResponse } from './wire.ts'

const GAP_MS = 2000
/** One request of at most 64 KB names so many; of the others the rows come, and what is missing is asked for as a gap. */
const MAX_CHATS = 800

/** What came from the server: by the socket, by another tab, or as the answer to a change. */
export function hear(turn: Turn, frame: ServerFrame): void {
  turn.state.sync.heard?.push(frame)
  applyFrame(turn, frame)
  if (frame.type === 'user_chats' || frame.type === 'resync') startSync(turn)
}

/** A sync that runs may have read before what asks for this one happened: another one follows it. */
export function startSync(turn: Turn): void {
  const { session, sync, chats } = turn.state
  if (session.status !== 'signed-in') return
  if (sync.heard) {
    sync.isDue = true
    return
  }
  sync.heard = []
  sync.isDue = false
  sync.id = ++turn.state.epochs
  const newest = [...chats.values()].sort((a, b) => (a.row.last_message_at < b.row.last_message_at ? 1 : -1))
  const asked = newest.slice(0, MAX_CHATS)
  const of = <T>(what: (chat: Chat) => T) => Object.fromEntries(asked.map((chat) => [chat.id, what(chat)]))
  ask(turn, {
    ask: 'sync',
    id: sync.id,
    held: of(({ head, storedHead }) => toHead(storedHead ?? head)),
    epochs: of(({ epoch }) => epoch),
    debts: of(({ storedHead }) => storedHead?.debt),
  })
}

type SyncQuestion = Extract<Question, { ask: 'sync' }>

export function finishSync(turn: Turn, question: SyncQuestion, answer: Answer): void {
  const { sync } = turn.state
  const { heard } = sync
  if (!heard || sync.id !== question.id) return
  sync.heard = undefined
  if (!answer.ok) {
    sync.attempts++
    command(turn, { do: 'timer', name: 'sync', ms: backoffMs(sync.attempts, answer.retryAfter), isLoose: true })
    return
  }
  sync.attempts = 0
  takeSynced(turn, question, answer.body as SyncResponse)
  for (const frame of heard) applyFrame(turn, frame)
  // What the other tab has sent may have gone by unheard.
  if (!turn.state.isLeader) command(turn, { do: 'read-outbox' })
  tellReads(turn)
  const isUnsure = heard.some(({ type }) => type === 'chat_created' || type === 'chat_removed')
  if (sync.isDue || isUnsure) startSync(turn)
  if (!turn.state.isReady) {
    turn.state.isReady = true
    turn.changes.isStatus = true
  }
}

function takeSynced(turn: Turn, { held, epochs, debts }: SyncQuestion, { chats, gone }: SyncResponse): void {
  for (const id of gone) if (turn.state.chats.get(id)?.epoch === epochs[id]) removeChat(turn, id)
  for (const synced of chats) {
    const chat = turn.state.chats.get(synced.chat.id)
    const before = chat?.row.last_seq ?? 0
    const wasAsked = held[synced.chat.id] !== undefined && chat?.epoch === epochs[synced.chat.id]
    if (!chat) startChat(turn, synced.chat, synced.next)
    else if (wasAsked && synced.reset) startAnew(turn, chat, synced)
    else {
      takeRow(turn, chat, synced.chat)
      if (wasAsked) takeChanges(turn, chat, synced, debts[chat.id])
    }
    const now = turn.state.chats.get(synced.chat.id)
    if (now) announceFound(turn, now, before)
  }
}

/** Too far behind, or ahead of a server that was restored from a backup: what is held of its messages counts no more. */
function startAnew(turn: Turn, before: Chat, { chat: row, next }: SyncedChat): void {
  const last_read_seq = Math.min(row.last_seq, Math.max(row.last_read_seq, before.row.last_read_seq))
  const chat = startChat(turn, { ...row, last_read_seq }, next)
  chat.serverReadSeq = row.last_read_seq
  chat.announcedSeq = Math.min(row.last_seq, before.announcedSeq)
  reopenWindow(turn, before, chat)
}

function takeChanges(turn: Turn, chat: Chat, answer: Changes, debt: number | undefined): void {
  const { messages, changes, next, has_more } = answer
  for (const message of [...messages, ...changes]) applyMessage(turn, chat, message)
  advance(chat, next)
  touch(turn, chat)
  if (has_more) askChanges(turn, chat, toHead(next), debt)
  else {
    chat.isAsking = false
    if (chat.storedHead?.debt === debt) chat.storedHead = undefined
  }
}

function askChanges(turn: Turn, chat: Chat, after: Head, debt?: number): void {
  chat.isAsking = true
  ask(turn, { ask: 'changes', chatId: chat.id, epoch: chat.epoch, after, debt })
}

const toHead = ({ seq, rev }: Head): Head => ({ seq, rev })

export function finishChanges(turn: Turn, chat: Chat, answer: Answer, debt: number | undefined): void {
  if (answer.ok) takeChanges(turn, chat, answer.body as Changes, debt)
  else if (answer.status === 404) removeChat(turn, chat.id)
  else {
    const ms = Math.max(GAP_MS, backoffMs(1, answer.retryAfter))
    // What the storage misses is no hole here: only a sync begins there.
    const name = chat.storedHead ? 'sync' : `gap:${chat.id}`
    chat.isAsking = !chat.storedHead
    command(turn, { do: 'timer', name, ms, isLoose: true })
  }
}

/** A hole that is seen now is asked about in 2 s. Without a connection it is left to the sync that follows. */
export function watchGap(turn: Turn, chat: Chat): void {
  if (!isBehind(chat) || chat.isAsking || turn.state.sync.heard || turn.state.link !== 'open') return
  chat.isAsking = true
  command(turn, { do: 'timer', name: `gap:${chat.id}`, ms: GAP_MS })
}

export function closeGap(turn: Turn, chat: Chat): void {
  chat.isAsking = false
  if (isBehind(chat) && !turn.state.sync.heard && turn.state.link === 'open') askChanges(turn, chat, chat.head)
}

/** Asks for the last message of a chat whose last one was deleted. */
export function seekLast(turn: Turn, chat: Chat): void {
  if (!chat.isLastUnknown || chat.isSeeking || turn.state.link !== 'open') return
  chat.isSeeking = true
  ask(turn, { ask: 'chat', chatId: chat.id, epoch: chat.epoch })
}

export function finishSeek(turn: Turn, chat: Chat, answer: Answer): void {
  chat.isSeeking = false
  if (!answer.ok || !chat.isLastUnknown) return
  const { last_message } = answer.body as ChatOverview
  if (last_message) applyMessage(turn, chat, last_message)
  // What is held may be newer than the answer.
  const latest = last_message && (chat.messages.get(last_message.seq) ?? last_message)
  const isLiving = latest?.deleted_at === null
  chat.isLastUnknown = latest !== null && !isLiving
  if (isLiving && !chat.row.last_message) setRow(turn, chat, { ...chat.row, last_message: latest })
  touch(turn, chat)
}
