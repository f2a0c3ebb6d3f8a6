/** The shapes of messages: JSON outside, rows inside. */
import { t } from 'elysia'
import type { CallJson } from '../../db/schema/index.ts'
import { cleanText, Instant, PageLimit, QueryCount, Uuid, Whole } from '../../http/text.ts'
import { Media } from '../media/model.ts'

export const MESSAGE_TYPES = ['text', 'image', 'video', 'audio', 'file', 'call'] as const
export const MAX_CONTENT_LENGTH = 4096

const Nullable = <T extends Parameters<typeof t.Union>[0][number]>(schema: T) => t.Union([schema, t.Null()])

const Call = t.Object(
  {
    media: t.UnionEnum(['audio', 'video']),
    outcome: t.UnionEnum(['completed', 'missed', 'declined', 'busy', 'cancelled', 'failed']),
    duration: Whole({ description: 'In seconds, from the acceptance to the end' }),
  },
  { description: 'Of a message of type `call` alone: what became of it. The caller is the sender.' },
)

export const Message = t.Object({
  id: Uuid,
  sender_id: Nullable(Uuid),
  chat_id: Uuid,
  content: t.String({ examples: ['Hello, world!'] }),
  message_type: t.UnionEnum(MESSAGE_TYPES),
  media_url: Nullable(t.String()),
  created_at: Instant,
  seq: Whole({ description: 'Its place in the chat, from 1, without gaps, for ever' }),
  rev: Whole({ description: "0 as sent; the chat's `last_rev` after each edit or deletion" }),
  client_id: Nullable(t.String()),
  reply_to_id: Nullable(Uuid),
  updated_at: Instant,
  deleted_at: Nullable(Instant),
  media: Nullable(Media),
  call: t.Optional(Call),
})
export type Message = typeof Message.static

const Content = cleanText(1, MAX_CONTENT_LENGTH, { examples: ['Hello, world!'] })
export const ClientId = cleanText(1, 64, {
  description: 'Your own key of this message: a repeat in the same chat answers the first message, never a second',
})

/** What a client sends, over REST and over the socket. */
export const SendMessage = t.Object({
  chat_id: Uuid,
  content: Content,
  message_type: t.Optional(t.Literal('text', { error: 'must be text; uploads and calls make the others' })),
  client_id: t.Optional(Nullable(ClientId)),
  reply_to_id: t.Optional(Nullable(Uuid)),
})
export type SendMessage = typeof SendMessage.static

export const EditMessage = t.Object({ content: Content })

export const HistoryPage = t.Object({
  limit: t.Optional(PageLimit),
  offset: t.Optional(QueryCount),
  before_seq: t.Optional(QueryCount),
  after_seq: t.Optional(QueryCount),
})
export interface HistoryPage {
  limit?: number
  offset?: number
  before_seq?: number
  after_seq?: number
}

export const History = t.Object({
  messages: t.Array(Message),
  total: Whole({ description: "The chat's `last_seq`: every message that ever was" }),
  has_more: t.Boolean(),
})
export type History = typeof History.static

export interface MessageRow {
  id: string
  chatId: string
  seq: number
  rev: number
  senderId: string | null
  clientId: string
  content: string
  messageType: (typeof MESSAGE_TYPES)[number]
  mediaUrl: string | null
  media: Media | null
  call: CallJson | null
  replyToId: string | null
  createdAt: Date
  updatedAt: Date
  deletedAt: Date | null
}

/** The sender's key. A message that came without one has its own id in its place. */
export const keyOf = ({ id, clientId }: Pick<MessageRow, 'id' | 'clientId'>) => (clientId === id ? null : clientId)

export function toMessage(row: MessageRow): Message {
  const createdAt = row.createdAt.toISOString()
  // Most were never changed, and writing an instant as text is a fair part of a message's cost.
  const updatedAt = row.updatedAt.getTime() === row.createdAt.getTime() ? createdAt : row.updatedAt.toISOString()
  return {
    id: row.id,
    sender_id: row.senderId,
    chat_id: row.chatId,
    content: row.content,
    message_type: row.messageType,
    media_url: row.mediaUrl,
    created_at: createdAt,
    seq: row.seq,
    rev: row.rev,
    client_id: keyOf(row),
    reply_to_id: row.replyToId,
    updated_at: updatedAt,
    deleted_at: row.deletedAt?.toISOString() ?? null,
    media: row.media,
    ...(row.call && { call: row.call }),
  }
}
