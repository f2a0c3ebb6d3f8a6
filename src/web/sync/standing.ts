/** Where this tab stands: signed in or not, connected or not, the one that writes or not. */
import { startSync } from './catch-up.ts'
import { restoreChat, wantLastSender } from './chats.ts'
import { askMembers } from './frames.ts'
import { fillWindow } from './history.ts'
import { drop, requeueAll, requeueTexts, restoreEntry, takeEntry } from './outbox.ts'
import type { Standing, Stored } from './ports.ts'
import type { Chat, OutboxEntry, State } from './state.ts'
import { command, reorder, type Turn } from './turn.ts'
import type { Head } from './wire.ts'

export function load(turn: Turn, stored: Stored): void {
  const { state } = turn
  const { session, me, chats } = stored
  state.session = { status: session ? 'signed-in' : 'signed-out', userId: session?.userId ?? '', me }
  for (const chat of chats) restoreChat(turn, chat)
  for (const profile of stored.users) state.users.set(profile.id, { profile, isOnline: undefined, isAsked: false })
  for (const entry of stored.outbox) restoreEntry(turn, entry)
  for (const [chatId, draft] of stored.drafts) state.drafts.set(chatId, draft)
  // What has just been read is not to be written.
  turn.dirty.clear()
  state.isReady = chats.length > 0
  turn.changes.isStatus = true
}

export function forget(turn: Turn): void {
  const { state } = turn
  requeueAll(turn)
  for (const map of [state.chats, state.users, state.outbox, state.dms, state.drafts, state.unsentReads]) map.clear()
  state.session = { status: 'signed-out', userId: '', me: undefined }
  state.sync = { id: 0, heard: undefined, attempts: 0, isDue: false }
  state.isReady = false
  state.pausedUntil = 0
  turn.changes.isStatus = true
  reorder(turn)
}

/** What can be said of the connection. */
export function link(turn: Turn, status: State['link']): void {
  const { state } = turn
  if (state.link === status) return
  state.link = status
  turn.changes.isStatus = true
  if (state.isLeader) command(turn, { do: 'tell', event: { type: 'told-link', status } })
  if (status === 'open') {
    reopen(turn)
    // The one with the socket does it when that has said where the chats stand.
    if (!state.isLeader) startSync(turn)
  }
  if (status !== 'open') {
    requeueTexts(turn)
    for (const chat of state.chats.values()) chat.sentReadSeq = undefined
  }
}

/** Whatever failed for want of a network is tried again. */
function reopen(turn: Turn): void {
  for (const chat of turn.state.chats.values()) {
    chat.isSeeking = false
    wantLastSender(turn, chat)
    if (!chat.window) continue
    askMembers(turn, chat)
    if (chat.window.hasFailed) fillWindow(turn, chat)
  }
  turn.state.pausedUntil = 0
}

/** What the storage has may be older than what this tab heard while another one wrote. */
export function lead(turn: Turn, standing: Standing | undefined): void {
  const { state } = turn
  state.isLeader = true
  turn.changes.isStatus = true
  if (standing) {
    for (const chat of state.chats.values()) compare(turn, chat, standing.heads[chat.id])
    // Chats it never heard of may be gone by now; if not, the sync brings them.
    for (const chatId of Object.keys(standing.heads))
      if (!state.chats.has(chatId)) turn.ops.push({ delete: 'chat', chatId })
    takeOutbox(turn, standing.outbox)
  }
  requeueAll(turn)
  // The socket it knew of was another one's; what was said since that went, nobody heard.
  state.link = 'connecting'
  command(turn, { do: 'tell', event: { type: 'told-link', status: state.link } })
}

function compare(turn: Turn, chat: Chat, stored: Head | undefined): void {
  const isOlder = stored && (stored.seq < chat.head.seq || stored.rev < chat.head.rev)
  chat.storedHead = isOlder ? { ...stored, debt: ++turn.state.epochs } : undefined
  if (stored) return
  turn.ops.push({ delete: 'messages', chatId: chat.id })
  turn.dirty.add(chat)
}

/** The storage knows best what is still to be sent: another tab's word may have been lost. */
export function takeOutbox(turn: Turn, stored: readonly OutboxEntry[]): void {
  const ids = new Set(stored.map(({ clientId }) => clientId))
  for (const { clientId, status } of [...turn.state.outbox.values()])
    if (status !== 'saving' && !ids.has(clientId)) drop(turn, clientId)
  for (const entry of stored) if (!turn.state.outbox.has(entry.clientId)) takeEntry(turn, entry)
}
