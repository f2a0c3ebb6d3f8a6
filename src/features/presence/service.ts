/** Online and offline, who looks at a chat, who types: states that are told, never stored. */
import type { Bus } from '../../bus/bus.ts'
import { chatPresence, onlineStatus, typing } from '../../bus/events.ts'
import type { Db } from '../../db/client.ts'
import type { Log } from '../../observability/log.ts'
import { accessChat, isIntimate } from '../chats/access.ts'
import type { Head } from '../chats/model.ts'
import { createHolderCount, type HolderCount } from './local-presence.ts'

export interface PresenceOptions {
  db: Db
  bus: Bus
  log: Log
  listHeads(userId: string): Promise<Head[]>
  lastSeen: { touch(userId: string): void }
  offlineAfterMs?: number
  typingForMs?: number
}

export type Presence = ReturnType<typeof createPresence>

/** `join_chat` names at most this many who are there already. */
const MAX_JOINED = 200

export function createPresence(options: PresenceOptions) {
  const { db, bus, log, listHeads, lastSeen, offlineAfterMs = 5000, typingForMs = 3000 } = options
  const sockets = createHolderCount()
  const leaving = new Map<string, Timer>()
  const joined = new Map<string, HolderCount>()
  const typists = new Map<string, Timer>()

  const tell = (userId: string, isOnline: boolean, chats: readonly Head[]) =>
    bus.publish(chats.filter(isIntimate).map(({ chatId }) => onlineStatus(chatId, userId, isOnline)))

  async function goOffline(userId: string): Promise<void> {
    leaving.delete(userId)
    lastSeen.touch(userId)
    try {
      const chats = await listHeads(userId)
      // Back meanwhile, which was told already: this would be the last word.
      if (!sockets.has(userId) && !leaving.has(userId)) tell(userId, false, chats)
    } catch (error) {
      log.warn('Could not tell that a user went offline', { user_id: userId, error })
    }
  }

  function stopTyping(chatId: string, userId: string): void {
    const key = `${chatId}:${userId}`
    const timer = typists.get(key)
    if (!timer) return
    clearTimeout(timer)
    typists.delete(key)
    bus.publish([typing(chatId, userId, false)])
  }

  function leaveChat(userId: string, chatId: string): void {
    const there = joined.get(chatId)
    if (!there?.remove(userId)) return
    if (there.size === 0) joined.delete(chatId)
    bus.publish([chatPresence(chatId, userId, false)])
  }

  return {
    /** A socket of the user is open and follows `chats`. */
    connected(userId: string, chats: readonly Head[]): void {
      const isFirst = sockets.add(userId)
      const timer = leaving.get(userId)
      clearTimeout(timer)
      leaving.delete(userId)
      // Back within the grace period: nobody saw them leave.
      if (isFirst && !timer) tell(userId, true, chats)
    },

    disconnected(userId: string): void {
      if (!sockets.remove(userId)) return
      leaving.set(userId, setTimeout(goOffline, offlineAfterMs, userId))
    },

    /** Those of `userIds` that are online, the grace period included. */
    listOnline: (userIds: readonly string[]): Promise<ReadonlySet<string>> =>
      Promise.resolve(new Set(userIds.filter((id) => sockets.has(id) || leaving.has(id)))),

    /** A socket of the user looks at the chat. @returns who does already @throws chatNotFound */
    async joinChat(userId: string, chatId: string): Promise<string[]> {
      await accessChat(db, userId, chatId, 'read')
      const there = joined.get(chatId) ?? createHolderCount()
      joined.set(chatId, there)
      const others = [...there.keys()].filter((id) => id !== userId).slice(0, MAX_JOINED)
      if (there.add(userId)) bus.publish([chatPresence(chatId, userId, true)])
      return others
    },

    /** A socket that had joined looks away. */
    leaveChat,

    /** Tells the chat, and 3 s after the last call that it is over; above 200 members nobody is told. @throws AppError 404, 403 */
    async type(userId: string, chatId: string): Promise<void> {
      const chat = await accessChat(db, userId, chatId, 'write')
      if (!isIntimate(chat)) return
      const key = `${chatId}:${userId}`
      const timer = typists.get(key)
      clearTimeout(timer)
      typists.set(key, setTimeout(stopTyping, typingForMs, chatId, userId))
      bus.publish([typing(chatId, userId, true)])
    },

    /** Forgets every timer: when the server stops. */
    close(): void {
      for (const timer of [...leaving.values(), ...typists.values()]) clearTimeout(timer)
      leaving.clear()
      typists.clear()
    },
  }
}
