/** What the chat list shows, and what is counted over all chats. */
import type { Chat, OutboxEntry, State } from './state.ts'
import type { Message } from './wire.ts'

const orders = new WeakMap<State, { stamp: number; ids: readonly string[] }>()

/** When something last happened in a chat: a message, or one that I wrote and that is on its way. */
export function activityOf(state: State, chat: Chat): number {
  let latest = Date.parse(chat.row.last_message_at)
  for (const entry of state.outbox.values()) if (entry.chatId === chat.id) latest = Math.max(latest, entry.writtenAt)
  return latest
}

/** Ids of the chats, the latest activity first. Cheap to ask again: it is sorted anew only after `isOrder`. */
export function chatOrder(state: State): readonly string[] {
  const known = orders.get(state)
  if (known?.stamp === state.orderStamp) return known.ids
  const activities = [...state.chats.values()].map((chat) => ({ id: chat.id, at: activityOf(state, chat) }))
  activities.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
  const ids = activities.map(({ id }) => id)
  orders.set(state, { stamp: state.orderStamp, ids })
  return ids
}

/** What the list says of a chat's last happening: what waits in the outbox comes before what is stored. */
export function lastOf(state: State, chat: Chat): { message: Message | null; entry: OutboxEntry | undefined } {
  let entry: OutboxEntry | undefined
  for (const each of state.outbox.values()) if (each.chatId === chat.id) entry = each
  return { message: chat.row.last_message, entry }
}

/** Who types in a chat, others only. */
export const typistsOf = (chat: Chat): string[] => [...chat.typing.keys()]

/** How many chats have something unread, and how many messages that is. */
export function unreadOf(state: State): { chats: number; messages: number } {
  const sum = { chats: 0, messages: 0 }
  for (const { row } of state.chats.values()) {
    if (row.unread_count === 0) continue
    sum.chats++
    sum.messages += row.unread_count
  }
  return sum
}
