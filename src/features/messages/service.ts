/** Sending, reading, editing and deleting messages. */
import type { Bus } from '../../bus/bus.ts'
import { messageDeleted, messageUpdated } from '../../bus/events.ts'
import type { Limit } from '../../cache/limiter.ts'
import type { LocalLimiter } from '../../cache/memory-limiter.ts'
import type { Db, Tx } from '../../db/client.ts'
import { messageIsDeleted, messageNotFound, notAllowed, tooManyRequests, validationFailed } from '../../errors.ts'
import { accessChat, accessLockedChat, mayIn } from '../chats/access.ts'
import type { Sent } from './drafts.ts'
import { type HistoryPage, type Message, type SendMessage, toMessage } from './model.ts'
import * as store from './store.ts'
import type { MessageWriter } from './writer.ts'
import type { Draft } from './writer-store.ts'

export interface MessagesOptions {
  db: Db
  bus: Bus
  writer: MessageWriter
  limiter: LocalLimiter
  /** Messages of one user on this instance, REST and sockets together; undefined for no limit. */
  sendLimit: Limit | undefined
}

export type Messages = ReturnType<typeof createMessages>

export function createMessages({ db, bus, writer, limiter, sendLimit }: MessagesOptions) {
  return {
    /**
     * Stores a message; it is committed when the promise resolves. A repeated `client_id` answers the first message.
     * Without `reply_to_id` the message is with the writer when this returns: calls are numbered in their order.
     * @throws AppError 404, 403, 400 for a reply to nothing, 429, 503
     */
    send(senderId: string, { chat_id, content, client_id, reply_to_id }: SendMessage): Promise<Sent> {
      const retryAfterSeconds = sendLimit ? limiter.hit(`send:${senderId}`, sendLimit) : 0
      if (retryAfterSeconds > 0) return Promise.reject(tooManyRequests(retryAfterSeconds))
      const id = Bun.randomUUIDv7()
      const draft = {
        id,
        chatId: chat_id,
        senderId,
        content,
        clientId: client_id ?? id,
        replyToId: reply_to_id ?? null,
      }
      if (!draft.replyToId) return writer.send(draft)
      return requireReplyTarget(draft, draft.replyToId).then(() => writer.send(draft))
    },

    /** Newest first by `offset` or `before_seq`, oldest first by `after_seq`. @throws AppError 404, 400 for two of them */
    async list(userId: string, chatId: string, { limit = 50, offset, before_seq, after_seq }: HistoryPage) {
      const given = [offset, before_seq, after_seq].filter((value) => value !== undefined)
      if (given.length > 1) throw validationFailed({ offset: 'give only one of offset, before_seq and after_seq' })
      const { lastSeq } = await accessChat(db, userId, chatId, 'read')
      if (after_seq !== undefined) {
        const rows = await store.listMessages(db, chatId, { afterSeq: after_seq }, limit)
        return { messages: rows.map(toMessage), total: lastSeq, has_more: (rows.at(-1)?.seq ?? after_seq) < lastSeq }
      }
      // Numbers have no gaps: skipping `offset` messages is arithmetic.
      const beforeSeq = before_seq ?? Math.max(0, lastSeq + 1 - (offset ?? 0))
      const rows = await store.listMessages(db, chatId, { beforeSeq }, limit)
      return { messages: rows.map(toMessage), total: lastSeq, has_more: (rows.at(-1)?.seq ?? 1) > 1 }
    },

    /** Of each chat the first `limit` messages after a place, by seq, for whoever has been let into the chats already. */
    listAfter: async (
      on: Db | Tx,
      places: readonly { chatId: string; afterSeq: number }[],
      limit: number,
    ): Promise<Message[]> =>
      places.length > 0 ? (await store.listMessagesAfter(on, places, limit)).map(toMessage) : [],

    /** The author changes the text. @throws AppError 404, 403, 409 when it is deleted */
    async edit(userId: string, chatId: string, messageId: string, content: string): Promise<Message> {
      const message = await db.transaction(async (tx) => {
        await accessLockedChat(tx, userId, chatId, 'write')
        const found = await store.findMessage(tx, chatId, messageId)
        if (!found) throw messageNotFound()
        if (found.senderId !== userId) throw notAllowed("edit somebody else's message")
        if (found.deletedAt) throw messageIsDeleted()
        const rev = await store.takeRev(tx, chatId)
        const updated = await store.updateContent(tx, chatId, messageId, rev, content)
        if (!updated) throw messageIsDeleted()
        return toMessage(updated)
      })
      bus.publish([messageUpdated(message)])
      return message
    },

    /**
     * The author or an admin empties a message; its tombstone keeps its place. Deleting again changes nothing.
     * @throws AppError 404, 403
     */
    async delete(userId: string, chatId: string, messageId: string): Promise<Message> {
      const { message, isNew } = await db.transaction(async (tx) => {
        const chat = await accessLockedChat(tx, userId, chatId, 'read')
        const found = await store.findMessage(tx, chatId, messageId)
        if (!found) throw messageNotFound()
        const isOwn = found.senderId === userId
        if (!isOwn && !mayIn(chat, 'delete any message')) throw notAllowed("delete somebody else's message")
        if (found.deletedAt) return { message: toMessage(found), isNew: false }
        const rev = await store.takeRev(tx, chatId)
        const updated = await store.emptyMessage(tx, chatId, messageId, rev)
        return { message: toMessage(updated ?? found), isNew: true }
      })
      if (isNew) bus.publish([messageDeleted(message)])
      return message
    },
  }

  /**
   * A message never leaves its chat, so what is found now is still there when the reply is stored. Whether the sender may
   * write, and what a repeat is answered, is the writer's to say: a repeat may reply to anything.
   */
  async function requireReplyTarget(draft: Draft, targetId: string): Promise<void> {
    await accessChat(db, draft.senderId, draft.chatId, 'read')
    if (await store.findMessage(db, draft.chatId, targetId)) return
    const isRepeat = await store.isKeyUsed(db, draft)
    if (!isRepeat) throw validationFailed({ reply_to_id: 'is no message of this chat' })
  }
}
