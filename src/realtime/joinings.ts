/** Chats just joined: what is said in them waits until their members' sockets are told of them. */
import { chatTopic, type Topic } from '../bus/topics.ts'
import type { LocalUser } from './local-user.ts'

export function createJoinings() {
  /** By topic, the events that wait in `joining`, of one user or several. */
  const waiting = new Map<string, Set<string[]>>()
  return {
    /** @returns the events that come from now on, as they come */
    start(user: LocalUser, chatId: string): string[] {
      const topic = chatTopic(chatId)
      const events: string[] = []
      user.joining ??= new Map()
      user.joining.set(chatId, events)
      waiting.set(topic, (waiting.get(topic) ?? new Set()).add(events))
      return events
    },

    /** @returns whether it was being joined */
    end(user: LocalUser, chatId: string): boolean {
      const topic = chatTopic(chatId)
      const events = user.joining?.get(chatId)
      const all = waiting.get(topic)
      if (!events || !all) return false
      all.delete(events)
      if (all.size === 0) waiting.delete(topic)
      return user.joining?.delete(chatId) ?? false
    },

    hear(topic: Topic, payload: string): void {
      if (waiting.size > 0) for (const events of waiting.get(topic) ?? []) events.push(payload)
    },
  }
}
