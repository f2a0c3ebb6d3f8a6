/** What instances tell each other: membership and sessions changed, so live sockets must follow; what one device is to hear. */
import type { BusMessage } from './bus.ts'
import type { CallEvent } from './events.ts'
import { instancesTopic, userTopic } from './topics.ts'

/** Which of a user's devices, by the ids of their sockets: all, one, or all but one. */
export interface Devices {
  userId: string
  only?: string
  except?: string
}

export type Control =
  /** The user's sockets follow the chat from now on; then they are told `chat_created`. */
  | { type: 'chat_joined'; user_id: string; chat_id: string }
  /** The user's sockets stop following the chat; then they are told `chat_removed`. */
  | { type: 'chat_left'; user_id: string; chat_id: string }
  /** These sessions have ended: forget that they were alive, and close their sockets. */
  | { type: 'sessions_ended'; user_id: string; session_ids: string[] }
  /** The user bought, cancelled or outlived premium: forget what they had. */
  | { type: 'tier_changed'; user_id: string }
  /** An event that not every device of the user is to hear. */
  | { type: 'device_event'; to: Devices; event: CallEvent }

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

export const tierChanged = (userId: string) => control(instancesTopic, { type: 'tier_changed', user_id: userId })

export const deviceEvent = (to: Devices, event: CallEvent) =>
  control(userTopic(to.userId), { type: 'device_event', to, event })

/** The payload of a control message, which only instances of this server write. */
export const readControl = (message: BusMessage) => JSON.parse(message.payload) as Control
