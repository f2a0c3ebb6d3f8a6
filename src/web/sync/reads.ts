/** My read marks: moved here at once, told to the server as soon as it can be. They only move forward. */
import type { Chat } from './state.ts'
import { command, setRow, type Turn } from './turn.ts'

/** How a mark's answer is known. */
const REF = 'read:'
/** A mark that was told and is not known to be set after so long: something went by unheard. */
const TELL_MS = 5000

export function markRead(turn: Turn, chat: Chat, seq: number): void {
  const mark = Math.min(seq, chat.row.last_seq)
  if (mark <= chat.row.last_read_seq) return
  setRow(turn, chat, { ...chat.row, last_read_seq: mark })
  turn.state.unsentReads.add(chat.id)
  // The socket may be another tab's.
  tellReads(turn)
}

/** To the tab with the socket. It may not hear it, or not know the chat yet: then the next sync tells again. */
export function tellReads(turn: Turn): void {
  if (turn.state.isLeader || turn.state.unsentReads.size === 0) return
  command(turn, { do: 'timer', name: 'reads', ms: TELL_MS })
  for (const id of turn.state.unsentReads) {
    const chat = turn.state.chats.get(id)
    if (chat) command(turn, { do: 'tell', event: { type: 'read', chatId: id, seq: chat.row.last_read_seq } })
  }
}

/** One at a time for each chat: marks that come meanwhile become the next one. */
export function flushReads(turn: Turn): void {
  const { state } = turn
  for (const chatId of state.unsentReads) {
    const chat = state.chats.get(chatId)
    const isNeedless = !chat || chat.row.last_read_seq <= chat.serverReadSeq
    if (isNeedless) state.unsentReads.delete(chatId)
    else if (
      state.isLeader &&
      state.link === 'open' &&
      chat.sentReadSeq === undefined &&
      turn.now >= state.pausedUntil
    ) {
      const seq = chat.row.last_read_seq
      chat.sentReadSeq = seq
      command(turn, { do: 'send', frame: { type: 'read', chat_id: chatId, seq, ref: REF + chatId } })
    }
  }
}

/** The server has a mark of mine, set here or elsewhere. */
export function settleRead(turn: Turn, chat: Chat, seq: number): void {
  chat.serverReadSeq = Math.max(chat.serverReadSeq, seq)
  if (seq > chat.row.last_read_seq) setRow(turn, chat, { ...chat.row, last_read_seq: seq })
  else turn.dirty.add(chat)
}

/** @returns whether the answer was to a read mark */
export function finishRead(turn: Turn, ref: string, answer: { last_read_seq?: unknown; retryAfter?: number }): boolean {
  if (!ref.startsWith(REF)) return false
  const chat = turn.state.chats.get(ref.slice(REF.length))
  if (!chat) return true
  const { sentReadSeq = 0 } = chat
  chat.sentReadSeq = undefined
  const { last_read_seq } = answer
  if (typeof last_read_seq === 'number') settleRead(turn, chat, last_read_seq)
  const isRefused = typeof last_read_seq === 'number' ? last_read_seq < sentReadSeq : answer.retryAfter === undefined
  if (isRefused) turn.state.unsentReads.delete(chat.id)
  return true
}
