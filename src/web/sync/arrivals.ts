/** What somebody who does not look is to be told of: messages of others, each once, however they came. */
import type { Chat } from './state.ts'
import type { Turn } from './turn.ts'
import type { Message } from './wire.ts'

/** What a sync finds was pushed to nobody. Older than this it waits in the list, to be seen with all that came meanwhile. */
const NEW_MS = 60_000

/** It was pushed. */
export function announce({ state, changes }: Turn, chat: Chat, message: Message): void {
  if (message.sender_id === state.session.userId || message.seq <= chat.announcedSeq) return
  chat.announcedSeq = message.seq
  changes.arrivals.push(message)
}

/** A sync found the chat as it is now: the socket was away, or went from one tab to another. @param before its `last_seq` */
export function announceFound(turn: Turn, chat: Chat, before: number): void {
  const { last_message } = chat.row
  if (!last_message || last_message.seq <= before) return
  if (turn.now - Date.parse(last_message.created_at) < NEW_MS) announce(turn, chat, last_message)
}
