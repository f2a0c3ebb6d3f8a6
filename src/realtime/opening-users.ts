/**
 * Users with sockets that are opening, by the chats they follow. When thousands come back at once each of them tells all its
 * chats of itself: a message must find whom it is for without asking everybody.
 */
import type { LocalUser } from './local-user.ts'

export function createOpeningUsers() {
  const byChat = new Map<string, LocalUser[]>()
  return {
    /** Named again, it is there once. */
    add(user: LocalUser, chatIds: Iterable<string>): void {
      for (const id of chatIds) {
        const known = byChat.get(id)
        if (!known) byChat.set(id, [user])
        else if (!known.includes(user)) known.push(user)
      }
    },

    /** Chats that it is not in may be named too. */
    remove(user: LocalUser, chatIds: Iterable<string>): void {
      for (const id of chatIds) {
        const known = byChat.get(id)
        const place = known?.indexOf(user) ?? -1
        if (!known || place < 0) continue
        if (known.length > 1) known.splice(place, 1)
        else byChat.delete(id)
      }
    },

    /** Not to be kept: it changes. */
    in: (chatId: string): readonly LocalUser[] => byChat.get(chatId) ?? NOBODY,
  }
}

const NOBODY: readonly LocalUser[] = []
