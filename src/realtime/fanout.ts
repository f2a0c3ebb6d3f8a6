/** The bus on one side, this instance's sockets on the other: who follows what, and what reaches whom. */
import type { Server } from 'bun'
import type { Bus, BusMessage } from '../bus/bus.ts'
import { type Devices, readControl } from '../bus/control.ts'
import { CHAT_ID_AT, chatTopic, isOfChat, isOfUser, type Topic, USER_ID_AT, userTopic } from '../bus/topics.ts'
import { AppError } from '../errors.ts'
import type { ChatOverview, Head } from '../features/chats/model.ts'
import type { Log } from '../observability/log.ts'
import { ChatPlaces } from './chat-places.ts'
import { createJoinings } from './joinings.ts'
import { deliver, type Followed, findSurplus, type LocalUser, newLocalUser, removeSocket } from './local-user.ts'
import { createOpeningUsers } from './opening-users.ts'
import { closeCodes, type Socket } from './socket.ts'
import { userChats } from './user-chats.ts'

export interface FanoutOptions {
  bus: Bus
  log: Log
  listHeads(userId: string): Promise<Head[]>
  /** The ids of the same chats. */
  listOwnIds(userId: string): Promise<string[]>
  getChat(userId: string, chatId: string): Promise<ChatOverview>
  /** A chat was taken away from a socket that was looking at it. */
  onLostChat(userId: string, chatId: string): void
  /** Sockets of a user here. */
  maxPerUser: number
  /** Told how many bytes went out, to all sockets together. */
  onSent?: (bytes: number) => void
}

export type Fanout = ReturnType<typeof createFanout>

export function createFanout(options: FanoutOptions) {
  const { bus, log, listHeads, listOwnIds, getChat, onLostChat, maxPerUser, onSent } = options
  const users = new Map<string, LocalUser>()
  const places = new ChatPlaces()
  const opening = new Set<Socket>()
  const openingUsers = createOpeningUsers()
  const joinings = createJoinings()
  let server: Server<Socket> | undefined

  bus.onMessage((message) => {
    if (message.kind === 'control') obey(message)
    else forward(message)
  })

  function forward({ topic, payload }: BusMessage): void {
    if (isOfUser(topic)) forwardToUser(topic.slice(USER_ID_AT), payload)
    const place = isOfChat(topic) ? places.find(topic, CHAT_ID_AT) : -1
    if (place >= 0) forwardToChat(place, payload)
    joinings.hear(topic, payload)
  }

  /** Native fan-out of the same bytes to every socket that follows the chat; opening ones keep them for later. */
  function forwardToChat(place: number, payload: string): void {
    const topic = places.topicOf(place)
    server?.publish(topic, payload)
    if (server && onSent) onSent(payload.length * server.subscriberCount(topic))
    if (opening.size === 0) return
    for (const { sockets } of openingUsers.in(place))
      for (const socket of sockets) if (opening.has(socket)) socket.deliver(payload)
  }

  /** One by one: a topic for each user, who has one socket or a few, takes as much memory as three chats. */
  function forwardToUser(userId: string, payload: string): void {
    const sockets = users.get(userId)?.sockets ?? []
    for (const socket of sockets) socket.deliver(payload)
    onSent?.(payload.length * sockets.length)
  }

  function obey(message: BusMessage): void {
    const control = readControl(message)
    if (control.type === 'sessions_ended') endSessions(control.user_id, control.session_ids)
    else if (control.type === 'chat_left') leave(control.user_id, control.chat_id)
    else if (control.type === 'chat_joined') startFollowing(control.user_id, control.chat_id)
    else if (control.type === 'device_event') tell(control.to.userId, control.event, control.to)
  }

  function startFollowing(userId: string, chatId: string): void {
    join(userId, chatId).catch((error) => log.error('Could not follow a new chat', { chat_id: chatId, error }))
  }

  /**
   * Subscribes before the chat is read, so that its head is not older than the first event that arrives; the events
   * wait until `chat_created` is sent.
   */
  async function join(userId: string, chatId: string): Promise<void> {
    const user = users.get(userId)
    if (!user || user.joining?.has(chatId)) return
    user.left?.delete(chatId)
    // A socket that opened this very moment has found the chat by itself.
    const events = user.chatIds.has(chatId) ? undefined : startJoining(user, chatId)
    const created = await Promise.resolve(user.subscribed)
      .then(() => describeCreated(userId, chatId))
      .catch(toResync)
    const isStillIn = events ? user.joining?.get(chatId) === events : user.chatIds.has(chatId)
    if (!isStillIn) return
    if (!created) {
      // Left again, and that news came first.
      if (events) drop(user, chatId)
      return
    }
    deliver(user, created)
    if (!events) return
    joinings.end(user, chatId)
    follow(user, [chatId])
    for (const event of events) for (const socket of user.sockets) socket.deliver(event)
  }

  /** Undefined for one who is not in the chat. */
  async function describeCreated(userId: string, chatId: string): Promise<Record<string, unknown> | undefined> {
    try {
      const chat = await getChat(userId, chatId)
      return { type: 'chat_created', chat_id: chatId, head: { seq: chat.last_seq, rev: chat.last_rev }, chat }
    } catch (error) {
      if (error instanceof AppError && error.status === 404) return undefined
      throw error
    }
  }

  function toResync(error: unknown): Record<string, unknown> {
    log.error('A new chat could not be read: its member has to sync', { error })
    return { type: 'resync' }
  }

  function startJoining(user: LocalUser, chatId: string): string[] {
    user.changes++
    const events = joinings.start(user, chatId)
    subscribe(user, [chatTopic(chatId)])
    return events
  }

  function subscribe(user: LocalUser, topics: readonly Topic[]): void {
    // One that failed was reported to whoever waited for it.
    const subscribed = Promise.all([bus.subscribe(topics), user.subscribed?.catch(() => {})]).then(() => {
      if (user.subscribed === subscribed) user.subscribed = undefined
    })
    user.subscribed = subscribed
    subscribed.catch((error) => log.warn('Could not subscribe', { topics: topics.length, error }))
  }

  /** The sockets get the events of these chats from now on. */
  function follow(user: LocalUser, chatIds: readonly string[]): void {
    user.changes++
    const added = user.chatIds.add(chatIds)
    if (user.openings > 0) openingUsers.add(user, added)
    for (const socket of user.sockets) {
      if (socket.state === 'open') for (const place of added) socket.follow(places.topicOf(place))
    }
  }

  /** @returns whether it was followed */
  function drop(user: LocalUser, chatId: string): boolean {
    if (!joinings.end(user, chatId)) {
      if (!user.chatIds.has(chatId)) return false
      const place = places.find(chatId)
      openingUsers.remove(user, [place])
      for (const socket of user.sockets) socket.unfollow(places.topicOf(place))
      user.chatIds.delete(chatId)
    }
    bus.unsubscribe([chatTopic(chatId)])
    return true
  }

  function leave(userId: string, chatId: string): void {
    const user = users.get(userId)
    if (!user) return
    user.changes++
    if (user.openings > 0) user.left = (user.left ?? new Set()).add(chatId)
    for (const socket of user.sockets) if (socket.loseChat(chatId)) onLostChat(userId, chatId)
    if (drop(user, chatId)) deliver(user, { type: 'chat_removed', chat_id: chatId })
  }

  function endSessions(userId: string, sessionIds: readonly string[]): void {
    const isEnded = ({ caller }: Socket) => caller !== undefined && sessionIds.includes(caller.sessionId)
    for (const socket of users.get(userId)?.sockets.filter(isEnded) ?? []) {
      socket.send({ type: 'session_revoked' })
      socket.close(closeCodes.unauthorized, 'session ended')
    }
  }

  function tell(userId: string, event: Record<string, unknown>, to?: Devices): void {
    const user = users.get(userId)
    if (user) deliver(user, event, to)
  }

  return {
    attach(to: Server<Socket>): void {
      server = to
    },

    /**
     * Opens an authenticated socket so that nothing falls between `user_chats` and the first event: follow the user,
     * read the chats, follow them, read where they stand; meanwhile hold what arrives.
     * @returns where the chats stand; undefined when the socket has gone meanwhile
     */
    async open(socket: Socket, userId: string): Promise<Head[] | undefined> {
      if (isGone(socket)) return undefined
      socket.state = 'opening'
      opening.add(socket)
      const user = users.get(userId) ?? add(userId)
      user.sockets = [...user.sockets, socket]
      crowdOut(user)
      if (user.openings++ === 0) openingUsers.add(user, user.chatIds.places())
      try {
        await user.subscribed
        const chatIds = await listOwnIds(userId)
        if (isGone(socket)) return undefined
        // One that is being joined is told by `chat_created`; one left meanwhile is in the list because that is older.
        const isNew = (id: string) => !user.chatIds.has(id) && !user.joining?.has(id) && !user.left?.has(id)
        const added = chatIds.filter(isNew)
        subscribe(user, added.map(chatTopic))
        follow(user, added)
        await user.subscribed
        const heads = (await listHeads(userId)).filter(({ chatId }) => user.chatIds.has(chatId))
        if (isGone(socket)) return undefined
        // From here to the end in one turn.
        socket.sendText(userChats(heads))
        for (const frame of socket.held ?? []) socket.sendText(frame)
        socket.held = undefined
        for (const place of user.chatIds.places()) socket.follow(places.topicOf(place))
        socket.state = 'open'
        return heads
      } finally {
        opening.delete(socket)
        if (--user.openings === 0) {
          user.left = undefined
          openingUsers.remove(user, user.chatIds.places())
        }
      }
    },

    /** Forgets a socket that has closed. */
    close(socket: Socket): void {
      opening.delete(socket)
      socket.held = undefined
      const userId = socket.caller?.userId
      const user = userId === undefined ? undefined : users.get(userId)
      if (!user || userId === undefined || !removeSocket(user, socket) || user.sockets.length > 0) return
      users.delete(userId)
      const joining = [...(user.joining?.keys() ?? [])].filter((chatId) => joinings.end(user, chatId))
      openingUsers.remove(user, user.chatIds.places())
      bus.unsubscribe([userTopic(userId), ...joining.map(chatTopic), ...user.chatIds.clear().map(chatTopic)])
    },

    endSessions,

    /** Who has a socket here. */
    listUserIds: (): string[] => [...users.keys()],

    /** What these follow now, the chats being joined included; nothing of those without a socket here. */
    listFollowed: (userIds: readonly string[]): Followed[] =>
      userIds.flatMap((userId) => {
        const user = users.get(userId)
        return user
          ? [
              {
                userId,
                chatIds: new Set([...user.chatIds.list(), ...(user.joining?.keys() ?? [])]),
                changes: user.changes,
              },
            ]
          : []
      }),

    /**
     * Makes up for what the bus did not tell: `chatIds` are the user's chats, read after `before` was taken.
     * @returns false when what is followed has changed meanwhile: `chatIds` may be older than that, so nothing is done
     */
    correct({ userId, changes, chatIds: before }: Followed, chatIds: ReadonlySet<string>): boolean {
      const user = users.get(userId)
      if (!user) return true
      if (user.changes !== changes || user.openings > 0) return false
      for (const chatId of before) if (!chatIds.has(chatId)) leave(userId, chatId)
      for (const chatId of chatIds) if (!before.has(chatId)) startFollowing(userId, chatId)
      return true
    },

    /** An event for all sockets of a user. */
    tell: (userId: string, event: Record<string, unknown>) => tell(userId, event),
  }

  function crowdOut(user: LocalUser): void {
    const surplus = findSurplus(user, maxPerUser)
    if (!surplus) return
    // At once: of many that open together each has to find another one.
    removeSocket(user, surplus)
    surplus.close(closeCodes.crowdedOut, 'too many newer sockets of this user')
  }

  function add(userId: string): LocalUser {
    const user = newLocalUser(places)
    users.set(userId, user)
    subscribe(user, [userTopic(userId)])
    return user
  }
}

const isGone = (socket: Socket): boolean => socket.state === 'closed'
