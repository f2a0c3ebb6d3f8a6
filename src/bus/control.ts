/** What instances tell each other: membership and sessions changed, so live sockets must follow. */
import type { BusMessage } from './bus.ts'
import { instancesTopic, userTopic } from './topics.ts'

export type Control =
  /** The user's sockets follow the chat from now on; then they are told `chat_created`. */
  | { type: 'chat_joined'; user_id: string; chat_id: string }
  /** The user's sockets stop following the chat; then they are told `chat_removed`. */
  | { type: 'chat_left'; user_id: string; chat_id: string }
  /** These sessions have ended: forget that they were alive, and close their sockets. */
  | { type: 'sessions_ended'; user_id: string; session_ids: string[] }

const control = (topic: BusMessage['topic'], payload: Control): BusMessage => ({
  topic,
  kind: 'control',
  payload: JSON.stringify(payload),
})

export const chatJoined = (userId: string, chatId: string) =>
  control(userTopic(userId), { type: 'chat_joined', user_id: userId, chat_id: chatId })

export const chatLeft = (userId: string, chatId: string) =>
  control(userTopic(userId), { type: 'chat_left', user_id: userId, chat_id: chatId })

export const sessionsEnded = (userId: string, sessionIds: string[]) =>
  control(instancesTopic, { type: 'sessions_ended', user_id: userId, session_ids: sessionIds })

/** The payload of a control message, which only instances of this server write. */
export const readControl = (message: BusMessage) => JSON.parse(message.payload) as Control
