/** Online and offline, who looks at a chat, who types: states that are told, never stored. */
import type { Bus, BusMessage } from '../../bus/bus.ts'
import { chatPresence, onlineStatus, typing } from '../../bus/events.ts'
import { type Topic, userTopic } from '../../bus/topics.ts'
import type { Holders, Holding, HoldingState } from '../../cache/holders.ts'
import type { Db } from '../../db/client.ts'
import type { Log } from '../../observability/log.ts'
import { accessChat, isIntimate } from '../chats/access.ts'
import type { Head } from '../chats/model.ts'
import type { BlockChange } from '../users/blocks.ts'
import { type AudienceOptions, createAudience } from './audience.ts'
import { beingOnline, chatGroup, lookingAt, readHolding } from './holdings.ts'

export interface PresenceOptions extends AudienceOptions {
  db: Db
  bus: Bus
  log: Log
  /** Who holds what on all instances. */
  holders: Holders
  listHeads(userId: string): Promise<Head[]>
  /** Which of these accounts have blocked the viewer. */
  listBlockers(viewerId: string, userIds: readonly string[]): Promise<ReadonlySet<string>>
  lastSeen: { touch(userId: string): void }
  offlineAfterMs?: number
  typingForMs?: number
}

/** The same chat is told of the same user who types. */
const TELL_TYPING_EVERY_MS = 1000

export type Presence = ReturnType<typeof createPresence>

/** `join_chat` names at most this many who are there already. */
const MAX_JOINED = 200

export function createPresence(options: PresenceOptions) {
  const { db, bus, log, holders, listHeads, lastSeen, offlineAfterMs = 5000, typingForMs = 3000 } = options
  const audience = createAudience(options)
  /** One for each socket that closed a moment ago. */
  const leaving = new Set<Timer>()
  /** By chat and user: who is told when it ends, and when that is. */
  const typists = new Map<string, { topics: readonly Topic[]; timer: Timer; toldAt: number }>()

  /** Tells those in the chats who may see the user's presence. Never rejects: nobody could do anything about it. */
  async function tell(userId: string, chatIds: readonly string[], sign: (to: Topic) => BusMessage): Promise<void> {
    try {
      const topics = await audience.of(userId, chatIds)
      const [first] = topics
      if (first === undefined) return
      // The same to all of them, whoever is in hundreds of chats: made once.
      const message = sign(first)
      bus.publish(topics.map((topic) => ({ ...message, topic })))
    } catch (error) {
      noteUntold(error)
    }
  }

  const tellOnline = (userId: string, isOnline: boolean, chats: readonly Head[]) =>
    tell(userId, intimateIds(chats), (to) => onlineStatus(to, userId, isOnline))

  const tellJoined = (chatId: string, userId: string, isJoined: boolean) =>
    tell(userId, [chatId], (to) => chatPresence(to, chatId, userId, isJoined))

  /**
   * Tells that nobody holds it any more. Whoever came back meanwhile on another instance may have been told of before
   * this was: then the last word is put right.
   */
  async function tellReleased(holding: Holding, tellHeld: (isHeld: boolean) => Promise<void>): Promise<void> {
    await tellHeld(false)
    const [isHeldAgain] = await holders.areHeld([holding])
    if (isHeldAgain) await tellHeld(true)
  }

  async function release(userId: string): Promise<void> {
    const isLast = await holders.release(beingOnline(userId))
    if (!isLast) return
    lastSeen.touch(userId)
    await tellOffline(userId)
  }

  async function tellOffline(userId: string): Promise<void> {
    const chats = await listHeads(userId)
    const [isBack] = await holders.areHeld([beingOnline(userId)])
    if (!isBack) await tellReleased(beingOnline(userId), (isOnline) => tellOnline(userId, isOnline, chats))
  }

  async function tellLate({ group, member, isHeld }: HoldingState): Promise<void> {
    const { kind, id } = readHolding(group)
    if (kind === 'online') return isHeld ? tellOnline(id, true, await listHeads(id)) : tellOffline(id)
    const tellHeld = (isJoined: boolean) => tellJoined(id, member, isJoined)
    return isHeld ? tellHeld(true) : tellReleased({ group, member }, tellHeld)
  }

  /** One after the other: they may be as many as an instance had, and nobody waits for them. */
  async function tellAllLate(states: readonly HoldingState[]): Promise<void> {
    for (const state of states) await tellLate(state).catch(noteUntold)
  }

  const noteUntold = (error: unknown) => log.warn('Could not tell that somebody came or went', { error })

  holders.onLate((states) => void tellAllLate(states))

  function stopTyping(chatId: string, userId: string): void {
    const key = `${chatId}:${userId}`
    const typist = typists.get(key)
    if (!typist) return
    clearTimeout(typist.timer)
    typists.delete(key)
    bus.publish(typist.topics.map((topic) => typing(topic, chatId, userId, false)))
  }

  async function leaveChat(userId: string, chatId: string): Promise<void> {
    const holding = lookingAt(chatId, userId)
    const isLast = await holders.release(holding)
    if (isLast) await tellReleased(holding, (isJoined) => tellJoined(chatId, userId, isJoined))
  }

  return {
    /** A socket of the user is open and follows `chats`. Resolves when they are told. */
    async connected(userId: string, chats: readonly Head[]): Promise<void> {
      const isFirst = await holders.hold(beingOnline(userId))
      if (isFirst) await tellOnline(userId, true, chats)
    },

    /** One that had been `connected` has closed. It counts for some seconds more: nobody sees a short absence. */
    disconnected(userId: string): void {
      const timer = setTimeout(() => {
        leaving.delete(timer)
        release(userId).catch(noteUntold)
      }, offlineAfterMs)
      leaving.add(timer)
    },

    /** Those of `userIds` that are online on any instance, those who left a moment ago included. */
    async listOnline(userIds: readonly string[]): Promise<ReadonlySet<string>> {
      const areOnline = await holders.areHeld(userIds.map(beingOnline))
      return new Set(userIds.filter((_, index) => areOnline[index]))
    },

    /**
     * A socket of the user looks at the chat.
     * @returns who does already, on any instance; undefined where nobody is told of it: in channels and big groups
     * @throws chatNotFound
     */
    async joinChat(userId: string, chatId: string): Promise<string[] | undefined> {
      const chat = await accessChat(db, userId, chatId, 'read')
      if (!isIntimate(chat)) return undefined
      const [isFirst, members] = await Promise.all([
        holders.hold(lookingAt(chatId, userId)),
        holders.list(chatGroup(chatId), MAX_JOINED + 1),
      ])
      if (isFirst) await tellJoined(chatId, userId, true)
      const others = members.filter((id) => id !== userId)
      const blockers = await options.listBlockers(userId, others).catch(async (error) => {
        await leaveChat(userId, chatId)
        throw error
      })
      const shown = others.filter((id) => !blockers.has(id)).slice(0, MAX_JOINED)
      // That one has left meanwhile was told already: to name them now would be the last word.
      const areStillThere = await holders.areHeld(shown.map((id) => lookingAt(chatId, id)))
      return shown.filter((_, index) => areStillThere[index])
    },

    /** A socket that had joined looks away. Resolves when the chat is told. */
    leaveChat,

    /** Tells the chat, and 3 s after the last call that it is over; above 200 members nobody is told. @throws AppError 404, 403 */
    async type(userId: string, chatId: string): Promise<void> {
      const chat = await accessChat(db, userId, chatId, 'write')
      if (!isIntimate(chat)) return
      const topics = await audience.of(userId, [chatId])
      const key = `${chatId}:${userId}`
      const known = typists.get(key)
      clearTimeout(known?.timer)
      const now = performance.now()
      // Whoever types on and on, or on many sockets, is heard no more often than this.
      const isTold = known !== undefined && now - known.toldAt < TELL_TYPING_EVERY_MS
      const timer = setTimeout(stopTyping, typingForMs, chatId, userId)
      typists.set(key, { topics, timer, toldAt: isTold ? known.toldAt : now })
      if (!isTold) bus.publish(topics.map((topic) => typing(topic, chatId, userId, true)))
    },

    /** A block began or ended: the other one sees the blocker go, or come back. Never rejects. */
    async followBlock({ blockerId, blockedId, isBlocked }: BlockChange): Promise<void> {
      try {
        const [isOnline] = await holders.areHeld([beingOnline(blockerId)])
        const seenIn = isOnline ? intimateIds(await listHeads(blockerId)) : []
        const isSeen = await audience.isAnyOf(seenIn, blockedId)
        if (isSeen) bus.publish([onlineStatus(userTopic(blockedId), blockerId, !isBlocked)])
      } catch (error) {
        noteUntold(error)
      }
    },

    /** Tells of those who went offline or looked away because their instance died. A job for one instance at a time. */
    async sweepDead(): Promise<void> {
      const ended = await holders.sweepDead()
      await tellAllLate(ended.map((holding) => ({ ...holding, isHeld: false })))
    },

    /** Forgets every timer: when the server stops. */
    close(): void {
      for (const timer of [...leaving, ...[...typists.values()].map((typist) => typist.timer)]) clearTimeout(timer)
      leaving.clear()
      typists.clear()
    },
  }
}

const intimateIds = (chats: readonly Head[]) => chats.filter(isIntimate).map(({ chatId }) => chatId)
