/** Every event the server sends to clients, as the bus message that carries it. */
import type { BusMessage } from './bus.ts'
import { chatTopic, type Topic, userTopic } from './topics.ts'

const event = (topic: Topic, payload: Record<string, unknown>): BusMessage => ({
  topic,
  kind: 'event',
  payload: JSON.stringify(payload),
})

/** Unix seconds. */
const now = () => Math.floor(Date.now() / 1000)

/** Where a message stands: its chat, its number and its revision. */
interface Place {
  id: string
  chat_id: string
  seq: number
  rev: number
}

/** `json` is the message, serialized once for everybody. */
export const newMessage = (chatId: string, json: string): BusMessage => ({
  topic: chatTopic(chatId),
  kind: 'event',
  payload: `{"type":"new_message","message":${json}}`,
})

export const messageUpdated = (message: Place) =>
  event(chatTopic(message.chat_id), {
    type: 'message_updated',
    chat_id: message.chat_id,
    message_id: message.id,
    seq: message.seq,
    rev: message.rev,
    message,
  })

/** `message` is the tombstone. */
export const messageDeleted = (message: Place) =>
  event(chatTopic(message.chat_id), {
    type: 'message_deleted',
    chat_id: message.chat_id,
    message_id: message.id,
    seq: message.seq,
    rev: message.rev,
    message,
  })

export interface ReadMark {
  chat_id: string
  user_id: string
  last_read_at: string
  last_read_seq: number
  unread_count: number
  message_id: string | null
}

/** To everybody in the chat, or (`toReaderOnly`, big chats) to the reader's own sockets. */
export const read = (mark: ReadMark, toReaderOnly: boolean) =>
  event(toReaderOnly ? userTopic(mark.user_id) : chatTopic(mark.chat_id), { type: 'read', ...mark })

/** Signs of presence go to the chat's topic, or to those of some of its members. */
export const typing = (to: Topic, chatId: string, userId: string, isTyping: boolean) =>
  event(to, {
    type: 'typing',
    chat_id: chatId,
    user_id: userId,
    is_typing: isTyping,
    timestamp: now(),
  })

export const onlineStatus = (to: Topic, userId: string, isOnline: boolean) =>
  event(to, { type: 'online_status', user_id: userId, is_online: isOnline, timestamp: now() })

export const chatPresence = (to: Topic, chatId: string, userId: string, isJoined: boolean) =>
  event(to, { type: 'chat_presence', chat_id: chatId, user_id: userId, is_joined: isJoined })

export const chatUpdated = (chatId: string, changes: Record<string, unknown>) =>
  event(chatTopic(chatId), { type: 'chat_updated', chat_id: chatId, ...changes })

/** To the member's own sockets: in a channel nobody else hears of it. */
export const roleChanged = (chatId: string, member: { user_id: string; role: string }) =>
  event(userTopic(member.user_id), { type: 'chat_updated', chat_id: chatId, member })

export const memberJoined = (chatId: string, userId: string, memberCount: number) =>
  event(chatTopic(chatId), { type: 'member_joined', chat_id: chatId, user_id: userId, member_count: memberCount })

export const memberLeft = (chatId: string, userId: string, memberCount: number) =>
  event(chatTopic(chatId), { type: 'member_left', chat_id: chatId, user_id: userId, member_count: memberCount })

/** To the sockets of whoever sent the file. */
export const mediaProgress = (
  userId: string,
  progress: { chat_id: string; message_id: string /** From 0 to 100. */; percent: number },
) => event(userTopic(userId), { type: 'media_progress', ...progress })

/** What the other side's browser made, passed on as it came. */
export interface IceCandidate {
  candidate: string
  sdpMid?: string | null
  sdpMLineIndex?: number | null
  usernameFragment?: string | null
}

/** What devices are told of a call; `deviceEvent` of control.ts carries it to those that may know. */
export type CallEvent = { call_id: string } & (
  | { type: 'call_invite'; chat_id: string; caller_id: string; media: 'audio' | 'video'; expires_at: string }
  | { type: 'call_ringing' }
  | { type: 'call_accept' }
  | { type: 'call_answered_elsewhere' }
  | { type: 'call_offer'; sdp: string }
  | { type: 'call_answer'; sdp: string }
  | { type: 'call_candidate'; candidate: IceCandidate }
  | { type: 'call_resume' }
  | { type: 'call_end'; chat_id: string; outcome: string; duration: number }
)
