/**
 * Windows into the history. A window is a place in the chat; what is loaded around it is whatever is held without a gap.
 * A page comes from the storage where that has enough of it, else from the server; it may be older than what events said
 * meanwhile, and then what they said stays.
 */
import { wantUser } from './chats.ts'
import { askMembers } from './frames.ts'
import { intervalOf } from './intervals.ts'
import { applyMessage, keepSought, trim } from './messages.ts'
import type { Chat, Window } from './state.ts'
import { type Answer, ask, command, type PageQuestion, type Turn } from './turn.ts'
import type { History, Message } from './wire.ts'

const PAGE = 50
/** So many of the storage are as good as a page. */
const ENOUGH = 20

/** At the first unread message, else at the end. */
export function openWindow(turn: Turn, chat: Chat): void {
  if (chat.window) return
  const { unread_count, last_read_seq } = chat.row
  const unreadFrom = unread_count > 0 ? last_read_seq + 1 : undefined
  startWindow(turn, chat, unreadFrom ?? chat.head.seq, unreadFrom)
  askMembers(turn, chat)
}

/** Around a message, or at the end. */
export function moveWindow(turn: Turn, chat: Chat, seq: number): void {
  const before = chat.window
  startWindow(turn, chat, Math.min(seq, chat.head.seq), before?.unreadFrom)
  if (!before) askMembers(turn, chat)
}

/** The chat was started anew: whoever was at its end is there again. */
export function reopenWindow(turn: Turn, before: Chat, chat: Chat): void {
  const { window } = before
  if (!window) return
  const wasAtEnd = (intervalOf(before.held, window.anchor)?.to ?? 0) >= before.head.seq
  startWindow(turn, chat, wasAtEnd ? chat.head.seq : Math.min(window.anchor, chat.head.seq), window.unreadFrom)
}

function startWindow(turn: Turn, chat: Chat, anchor: number, unreadFrom: number | undefined): void {
  chat.window = { id: ++turn.state.epochs, anchor, unreadFrom, loading: 'none', hasFailed: false }
  turn.changes.conversations.add(chat.id)
  fillWindow(turn, chat)
}

/** Loads what a window shows first, if that is not held. */
export function fillWindow(turn: Turn, chat: Chat): void {
  const { window } = chat
  if (window?.loading !== 'none' || chat.head.seq === 0) return
  const held = intervalOf(chat.held, window.anchor)
  if (!held) {
    const from = Math.max(1, Math.min(window.anchor, chat.head.seq) - PAGE / 2)
    const to = Math.min(chat.head.seq, from + PAGE - 1)
    load(turn, chat, window, 'around', Math.max(1, to - PAGE + 1), to)
  } else if (held.to - held.from < ENOUGH) loadOlder(turn, chat)
}

export function closeWindow(turn: Turn, chat: Chat): void {
  chat.window = undefined
  turn.changes.conversations.add(chat.id)
  trim(chat, PAGE)
}

/** The reader is at this message. */
export function lookAt(chat: Chat, seq: number): void {
  if (chat.window && intervalOf(chat.held, seq)) chat.window.anchor = seq
}

export function loadOlder(turn: Turn, chat: Chat): void {
  const { window } = chat
  const held = window && intervalOf(chat.held, window.anchor)
  if (!held) fillWindow(turn, chat)
  else if (window.loading === 'none' && held.from > 1)
    load(turn, chat, window, 'older', Math.max(1, held.from - PAGE), held.from - 1)
}

export function loadNewer(turn: Turn, chat: Chat): void {
  const { window } = chat
  const held = window && intervalOf(chat.held, window.anchor)
  if (!held) fillWindow(turn, chat)
  else if (window.loading === 'none' && held.to < chat.head.seq)
    load(turn, chat, window, 'newer', held.to + 1, Math.min(chat.head.seq, held.to + PAGE))
}

function load(turn: Turn, chat: Chat, window: Window, loading: Window['loading'], from: number, to: number): void {
  window.loading = loading
  window.hasFailed = false
  turn.changes.conversations.add(chat.id)
  const { id: chatId, epoch } = chat
  command(turn, {
    do: 'read-stored',
    question: { ask: 'page', chatId, epoch, windowId: window.id, from, to, stored: [] },
  })
}

/** The part of what was found that continues what is held, or lies around the anchor. */
function usable({ loading, anchor }: Window, { from, to }: PageQuestion, messages: readonly Message[]): Message[] {
  const bySeq = new Map(messages.map((message) => [message.seq, message]))
  const start = loading === 'older' ? to : loading === 'newer' ? from : Math.min(Math.max(anchor, from), to)
  const run: Message[] = []
  for (let seq = start; bySeq.has(seq); seq--) run.unshift(bySeq.get(seq) as Message)
  for (let seq = start + 1; bySeq.has(seq); seq++) run.push(bySeq.get(seq) as Message)
  return run
}

/** @param rev of the chat, as it was stored with these: older ones than what is known here are of no use */
export function takeStoredPage(turn: Turn, chat: Chat, question: PageQuestion, messages: Message[], rev: number): void {
  const { window } = chat
  if (window?.id !== question.windowId) return
  const found = rev >= chat.head.rev ? usable(window, question, messages) : []
  const isEnough = found.length >= Math.min(ENOUGH, question.to - question.from + 1)
  if (isEnough) finishPage(turn, chat, window, found)
  else ask(turn, { ...question, stored: found })
}

export function takePage(turn: Turn, chat: Chat, question: PageQuestion, answer: Answer): void {
  const { window } = chat
  if (window?.id !== question.windowId) return
  if (answer.ok) finishPage(turn, chat, window, (answer.body as History).messages)
  else {
    window.hasFailed = question.stored.length === 0
    finishPage(turn, chat, window, question.stored)
  }
}

/** One that is replied to, or linked to. */
export function seekMessage(turn: Turn, chat: Chat, messageId: string): void {
  if (chat.seqs.has(messageId) || chat.sought.has(messageId)) return
  chat.sought.set(messageId, undefined)
  ask(turn, { ask: 'message', chatId: chat.id, epoch: chat.epoch, messageId })
}

export function takeSought(turn: Turn, chat: Chat, messageId: string, answer: Answer): void {
  turn.changes.conversations.add(chat.id)
  if (answer.ok) keepSought(chat, answer.body as Message)
  else if (answer.status === 404) chat.sought.set(messageId, null)
  else chat.sought.delete(messageId)
}

function finishPage(turn: Turn, chat: Chat, window: Window, messages: readonly Message[]): void {
  window.loading = 'none'
  turn.changes.conversations.add(chat.id)
  for (const message of messages) {
    applyMessage(turn, chat, message)
    wantUser(turn, message.sender_id)
  }
}
