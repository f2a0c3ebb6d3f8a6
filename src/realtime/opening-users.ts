/**
 * Users with sockets that are opening, by the places of the chats they follow. When thousands come back at once each of them
 * tells all its chats of itself: a message must find whom it is for without asking everybody.
 */
import type { LocalUser } from './local-user.ts'

export function createOpeningUsers() {
  /** Most are alone in their chat: a list of one for each would leave a lot behind. */
  const byPlace = new Map<number, LocalUser | LocalUser[]>()
  return {
    /** Named again, it is there once. */
    add(user: LocalUser, places: readonly number[]): void {
      for (const place of places) {
        const known = byPlace.get(place)
        if (!known) byPlace.set(place, user)
        else if (!Array.isArray(known)) known !== user && byPlace.set(place, [known, user])
        else if (!known.includes(user)) known.push(user)
      }
    },

    /** Chats that it is not in may be named too. */
    remove(user: LocalUser, places: readonly number[]): void {
      for (const place of places) {
        const known = byPlace.get(place)
        if (known === user) byPlace.delete(place)
        if (!Array.isArray(known) || !known.includes(user)) continue
        const others = known.filter((one) => one !== user)
        if (others.length > 0) byPlace.set(place, others)
        else byPlace.delete(place)
      }
    },

    in(place: number): readonly LocalUser[] {
      const known = byPlace.get(place)
      return Array.isArray(known) ? known : known ? [known] : NOBODY
    },
  }
}

const NOBODY: readonly LocalUser[] = []
