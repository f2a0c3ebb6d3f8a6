/** Drafts, and what they become: pure, shared by the writer's fast and slow path. */
import { type Message, toMessage } from './model.ts'
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
export function number(batches: readonly ChatBatch[], bases: Map<string, number>, storedAt: Date): Map<string, Sent> {
  const sent = new Map<string, Sent>()
  for (const { chatId, drafts } of batches) {
    const base = bases.get(chatId)
    if (base === undefined) throw new Error(`No number came back for chat ${chatId}`)
    for (const [index, draft] of drafts.entries()) sent.set(draft.id, toSent(draft, base + index + 1, storedAt))
  }
  return sent
}

/** Of a text. */
const NOTHING: Attachment = { messageType: 'text', mediaUrl: null, media: null, call: null }

function toSent(draft: Draft, seq: number, storedAt: Date): Sent {
  const fresh = { rev: 0, deletedAt: null, ...(draft.attachment ?? NOTHING) }
  const message = toMessage({ ...draft, ...fresh, seq, createdAt: storedAt, updatedAt: storedAt })
  return { message, json: JSON.stringify(message), isRepeat: false }
}

export function toOutcomes(drafts: readonly Draft[], sent: Map<string, Sent>): Outcome[] {
  return drafts.map(({ id }) => {
    const found = sent.get(id)
    return found ? { sent: found } : { refused: new Error('The writer lost a message') }
  })
}
