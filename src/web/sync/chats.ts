/** Which chats there are, and their rows. */
import { applyMessage, noteOnRow } from './messages.ts'
import type { Chat, State, StoredChat } from './state.ts'
import { reorder, setRow, type Turn, touch } from './turn.ts'
import type { ChatOverview, Head, PublicProfile } from './wire.ts'

const createChat = (state: State, { id, row, head, serverReadSeq }: StoredChat): Chat => ({
  ...{ id, row, head, serverReadSeq, epoch: ++state.epochs },
  ...{
    storedHead: undefined,
    revs: new Set(),
    messages: new Map(),
    held: [],
    seqs: new Map(),
    sought: new Map(),
    window: undefined,
    typing: new Map(),
  },
  ...{ members: undefined, isAsking: false, sentReadSeq: undefined, isLastUnknown: false, isSeeking: false },
  announcedSeq: 0,
})

/** As the storage has it. */
export const toStored = ({ id, row, head, storedHead, serverReadSeq }: Chat): StoredChat => ({
  ...{ id, row, serverReadSeq },
  head: { seq: (storedHead ?? head).seq, rev: (storedHead ?? head).rev },
})

/** From the storage. */
export function restoreChat(turn: Turn, stored: StoredChat): void {
  const chat = createChat(turn.state, stored)
  keepChat(turn, chat)
}

/** A chat that was not held, or is started anew: of its history nothing is known but its last message. */
export function startChat(turn: Turn, row: ChatOverview, head: Head): Chat {
  const chat = createChat(turn.state, { id: row.id, row, head, serverReadSeq: row.last_read_seq })
  keepChat(turn, chat)
  // Of an earlier life, or of before a change that nobody told.
  turn.ops.push({ delete: 'messages', chatId: chat.id })
  takeRow(turn, chat, row)
  return chat
}

function keepChat(turn: Turn, chat: Chat): void {
  turn.state.chats.set(chat.id, chat)
  notePeer(turn, chat)
  if (chat.row.last_read_seq > chat.serverReadSeq) turn.state.unsentReads.add(chat.id)
  touch(turn, chat)
  reorder(turn)
}

function notePeer({ state }: Turn, { id, row: { peer } }: Chat): void {
  if (peer) state.dms.set(peer.id, id)
}

export function removeChat(turn: Turn, chatId: string): void {
  const chat = turn.state.chats.get(chatId)
  if (!chat) return
  turn.state.chats.delete(chatId)
  if (chat.row.peer) turn.state.dms.delete(chat.row.peer.id)
  turn.dirty.delete(chat)
  turn.ops.push({ delete: 'chat', chatId })
  turn.changes.chats.add(chatId)
  turn.changes.conversations.add(chatId)
  reorder(turn)
}

/** The server's row, read after everything that is known here; a read mark of mine may still be on its way to it. */
export function takeRow(turn: Turn, chat: Chat, row: ChatOverview): void {
  chat.serverReadSeq = Math.max(chat.serverReadSeq, row.last_read_seq)
  chat.isLastUnknown = false
  if (row.last_message_at !== chat.row.last_message_at) reorder(turn)
  setRow(turn, chat, { ...row, last_read_seq: Math.max(row.last_read_seq, chat.row.last_read_seq) })
  notePeer(turn, chat)
  if (chat.row.last_read_seq > chat.serverReadSeq) turn.state.unsentReads.add(chat.id)
  if (row.peer) noteUser(turn, row.peer, row.peer.is_online)
  if (row.last_message) applyMessage(turn, chat, row.last_message)
  // A page may have brought what is newer than the row.
  for (let seq = row.last_seq + 1; chat.messages.has(seq); seq++) noteOnRow(turn, chat, chat.messages.get(seq))
}

export function noteUser(turn: Turn, profile: PublicProfile, isOnline?: boolean): void {
  const { users } = turn.state
  const known = users.get(profile.id)
  users.set(profile.id, { profile, isOnline: isOnline ?? known?.isOnline, isAsked: true })
  turn.changes.users.add(profile.id)
  turn.ops.push({ put: 'users', users: [profile] })
}

/** Whoever is not known is to be asked for. */
export function wantUser({ state, wanted }: Turn, userId: string | null): void {
  if (userId !== null && userId !== state.session.userId && !state.users.get(userId)?.isAsked) wanted.add(userId)
}

/** The chat list names whoever wrote last in a group. Who was known before is not asked for again. */
export function wantLastSender(turn: Turn, { row: { type, last_message } }: Chat): void {
  if (type !== 'group' || !last_message || last_message.deleted_at) return
  const { sender_id } = last_message
  if (sender_id !== null && !turn.state.users.get(sender_id)?.profile) wantUser(turn, sender_id)
}

/** Something happened in the chat that the head does not reach to. */
export const isBehind = ({ row, head }: Chat): boolean => row.last_seq > head.seq || row.last_rev > head.rev
