/** Drafts, and what they become: pure, shared by the writer's fast and slow path. */
import { keyOf, type Message } from './model.ts'
import type { Attachment, ChatBatch, Draft } from './writer-store.ts'

export interface Sent {
  message: Message
  /** The message serialized, the same text for everybody. */
  json: string
  /** It was sent before under the same key; nothing new was stored. */
  isRepeat: boolean
}

/** What became of a draft. */
export type Outcome = { sent: Sent } | { refused: Error }

/** Drafts grouped by chat, the chats sorted by id, the drafts in their order. */
export function byChat(drafts: readonly Draft[]): ChatBatch[] {
  const groups = new Map<string, Draft[]>()
  for (const draft of drafts) {
    const group = groups.get(draft.chatId)
    if (group) group.push(draft)
    else groups.set(draft.chatId, [draft])
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([chatId, inChat]) => ({ chatId, drafts: inChat }))
}

/** What makes two sends the same message. */
export const repeatKey = (draft: Pick<Draft, 'chatId' | 'senderId' | 'clientId'>) =>
  `${draft.chatId}:${draft.senderId}:${draft.clientId}`

export const hasAttachment = <D extends Draft>(draft: D): draft is D & { attachment: Attachment } =>
  draft.attachment !== undefined

export const hasRepeats = (drafts: readonly Draft[]) => new Set(drafts.map(repeatKey)).size < drafts.length

/** The stored messages by id, from the numbers that the database gave. */
export function number(batches: readonly ChatBatch[], bases: readonly number[], storedAt: Date): Map<string, Sent> {
  const sent = new Map<string, Sent>()
  // Writing an instant as text is a fair part of a message's cost: it is the same for all.
  const at = storedAt.toISOString()
  for (const [place, { chatId, drafts }] of batches.entries()) {
    const base = bases[place]
    if (base === undefined) throw new Error(`No number came back for chat ${chatId}`)
    let seq = base
    for (const draft of drafts) sent.set(draft.id, toSent(draft, ++seq, at))
  }
  return sent
}

/** As `toMessage` makes it of the row that is stored. */
function toSent(draft: Draft, seq: number, at: string): Sent {
  const { attachment } = draft
  const message: Message = {
    id: draft.id,
    sender_id: draft.senderId,
    chat_id: draft.chatId,
    content: draft.content,
    message_type: attachment?.messageType ?? 'text',
    media_url: attachment?.mediaUrl ?? null,
    created_at: at,
    seq,
    rev: 0,
    client_id: keyOf(draft),
    reply_to_id: draft.replyToId,
    updated_at: at,
    deleted_at: null,
    media: attachment?.media ?? null,
  }
  if (attachment?.call) message.call = attachment.call
  return { message, json: JSON.stringify(message), isRepeat: false }
}

export function toOutcomes(drafts: readonly Draft[], sent: Map<string, Sent>): Outcome[] {
  return drafts.map(({ id }) => {
    const found = sent.get(id)
    return found ? { sent: found } : { refused: new Error('The writer lost a message') }
  })
}
