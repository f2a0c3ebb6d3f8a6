/** The bus on one side, this instance's sockets on the other: who follows what, and what reaches whom. */
import type { Server } from 'bun'
import type { Bus, BusMessage } from '../bus/bus.ts'
import { readControl } from '../bus/control.ts'
import { chatTopic, userTopic } from '../bus/topics.ts'
import { AppError } from '../errors.ts'
import type { ChatOverview } from '../features/chats/model.ts'
import type { Head } from '../features/chats/overview-store.ts'
import type { Log } from '../observability/log.ts'
import { closeCodes, type Socket } from './socket.ts'

export interface FanoutOptions {
  bus: Bus
  log: Log
  listHeads(userId: string): Promise<Head[]>
  getChat(userId: string, chatId: string): Promise<ChatOverview>
  /** A chat was taken away from a socket that was looking at it. */
  onLostChat(userId: string, chatId: string): void
}

/** A user with sockets here. All of them follow the same chats. */
interface LocalUser {
  sockets: Set<Socket>
  chatIds: Set<string>
}

export type Fanout = ReturnType<typeof createFanout>

export function createFanout({ bus, log, listHeads, getChat, onLostChat }: FanoutOptions) {
  const users = new Map<string, LocalUser>()
  const opening = new Set<Socket>()
  let server: Server<Socket> | undefined

  bus.onMessage((message) => {
    if (message.kind === 'control') obey(message)
    else forward(message)
  })

  /** Native fan-out of the same bytes to every socket that follows the topic; opening ones keep them for later. */
  function forward({ topic, payload }: BusMessage): void {
    server?.publish(topic, payload)
    for (const socket of opening) if (isFor(socket, topic)) socket.deliver(payload)
  }

  function isFor({ caller }: Socket, topic: string): boolean {
    if (!caller) return false
    if (topic === userTopic(caller.userId)) return true
    return topic.startsWith('chat:') && (users.get(caller.userId)?.chatIds.has(topic.slice('chat:'.length)) ?? false)
  }

  function obey(message: BusMessage): void {
    const control = readControl(message)
    if (control.type === 'sessions_ended') endSessions(control.user_id, control.session_ids)
    else if (control.type === 'chat_left') leave(control.user_id, control.chat_id)
    else {
      join(control.user_id, control.chat_id).catch((error) => {
        // Left again meanwhile: nothing to tell.
        if (!(error instanceof AppError)) log.error('Could not follow a new chat', { chat_id: control.chat_id, error })
      })
    }
  }

  /** Subscribes before the chat is read, so that its head is not older than the first event that arrives. */
  async function join(userId: string, chatId: string): Promise<void> {
    const user = users.get(userId)
    if (!user) return
    await followChats(user, [chatId])
    const chat = await getChat(userId, chatId)
    if (!user.chatIds.has(chatId)) return
    const head = { seq: chat.last_seq, rev: chat.last_rev }
    deliver(user, { type: 'chat_created', chat_id: chatId, head, chat })
  }

  async function followChats(user: LocalUser, chatIds: readonly string[]): Promise<void> {
    const added = chatIds.filter((id) => !user.chatIds.has(id))
    for (const id of added) user.chatIds.add(id)
    await bus.subscribe(added.map(chatTopic))
    const kept = added.filter((id) => user.chatIds.has(id))
    for (const socket of user.sockets) {
      if (socket.state === 'open') for (const id of kept) socket.follow(chatTopic(id))
    }
  }

  function leave(userId: string, chatId: string): void {
    const user = users.get(userId)
    if (!user?.chatIds.delete(chatId)) return
    bus.unsubscribe([chatTopic(chatId)])
    for (const socket of user.sockets) {
      socket.unfollow(chatTopic(chatId))
      if (socket.joinedChats?.delete(chatId)) onLostChat(userId, chatId)
    }
    deliver(user, { type: 'chat_removed', chat_id: chatId })
  }

  function endSessions(userId: string, sessionIds: readonly string[]): void {
    const ended = [...(users.get(userId)?.sockets ?? [])].filter(
      (s) => s.caller && sessionIds.includes(s.caller.sessionId),
    )
    for (const socket of ended) {
      socket.send({ type: 'session_revoked' })
      socket.close(closeCodes.unauthorized, 'session ended')
    }
  }

  function deliver(user: LocalUser, event: Record<string, unknown>): void {
    const frame = JSON.stringify(event)
    for (const socket of user.sockets) socket.deliver(frame)
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
      socket.state = 'opening'
      opening.add(socket)
      const user = users.get(userId) ?? { sockets: new Set(), chatIds: new Set() }
      const isFirst = user.sockets.size === 0
      users.set(userId, user)
      user.sockets.add(socket)
      try {
        if (isFirst) await bus.subscribe([userTopic(userId)])
        const chats = await listHeads(userId)
        if (isGone(socket)) return undefined
        await followChats(
          user,
          chats.map(({ chatId }) => chatId),
        )
        const heads = (await listHeads(userId)).filter(({ chatId }) => user.chatIds.has(chatId))
        if (isGone(socket)) return undefined
        // From here to the end in one turn.
        socket.send({
          type: 'user_chats',
          chat_ids: heads.map(({ chatId }) => chatId),
          heads: Object.fromEntries(heads.map(({ chatId, seq, rev }) => [chatId, { seq, rev }])),
        })
        for (const frame of socket.held) socket.sendText(frame)
        socket.held = []
        socket.follow(userTopic(userId))
        for (const chatId of user.chatIds) socket.follow(chatTopic(chatId))
        socket.state = 'open'
        return heads
      } finally {
        opening.delete(socket)
      }
    },

    /** Forgets a socket that has closed. */
    close(socket: Socket): void {
      opening.delete(socket)
      socket.held = []
      const userId = socket.caller?.userId
      const user = userId === undefined ? undefined : users.get(userId)
      if (!user || userId === undefined || !user.sockets.delete(socket) || user.sockets.size > 0) return
      users.delete(userId)
      bus.unsubscribe([userTopic(userId), ...[...user.chatIds].map(chatTopic)])
    },

    endSessions,
  }
}

const isGone = (socket: Socket): boolean => socket.state === 'closed'
