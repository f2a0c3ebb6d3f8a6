/** A user with sockets on this instance, and what they follow. */
import type { Devices } from '../bus/control.ts'
import { ChatIds } from './chat-ids.ts'
import type { ChatPlaces } from './chat-places.ts'
import type { Socket } from './socket.ts'

/** All sockets of a user follow the same chats. */
export interface LocalUser {
  /** Never changed but replaced: whoever goes through them may bring about that one closes. The oldest first. */
  sockets: readonly Socket[]
  chatIds: ChatIds
  /** Chats just joined, with the events that wait until `chat_created` is sent. */
  joining: Map<string, string[]> | undefined
  /** How many of the sockets are opening, and the chats left meanwhile: the lists they read may be older. */
  openings: number
  left: Set<string> | undefined
  /** Counts every change of what is followed. */
  changes: number
  /** Resolves when all that is followed so far is subscribed to; undefined when it is. */
  subscribed: Promise<void> | undefined
}

/** What a user follows, and how often that had changed. */
export interface Followed {
  userId: string
  chatIds: ReadonlySet<string>
  changes: number
}

export const newLocalUser = (places: ChatPlaces): LocalUser => ({
  sockets: [],
  chatIds: new ChatIds(places),
  joining: undefined,
  openings: 0,
  left: undefined,
  changes: 0,
  subscribed: undefined,
})

/** @returns whether it was one of the user's */
export function removeSocket(user: LocalUser, socket: Socket): boolean {
  const others = user.sockets.filter((one) => one !== socket)
  const isKnown = others.length < user.sockets.length
  user.sockets = others
  return isKnown
}

/**
 * The one that has to go when there are more than `max`: the oldest of the session that has the most. Whoever opens many
 * with one session, stolen or run wild, crowds out its own; the other devices of the user stay.
 */
export function findSurplus({ sockets }: LocalUser, max: number): Socket | undefined {
  if (sockets.length <= max) return undefined
  const bySession = Map.groupBy(sockets, ({ caller }) => caller?.sessionId)
  let most: readonly Socket[] = []
  for (const ofSession of bySession.values()) if (ofSession.length > most.length) most = ofSession
  return most[0]
}

/** An event for the user's sockets here, or for some of them. */
export function deliver(
  user: LocalUser,
  event: Record<string, unknown>,
  { only, except }: Pick<Devices, 'only' | 'except'> = {},
): void {
  const frame = JSON.stringify(event)
  for (const socket of user.sockets) {
    const isMeant = socket.id !== except && (only === undefined || socket.id === only)
    if (isMeant) socket.deliver(frame)
  }
}
