/** Sending, reading, editing and deleting messages. */
import type { Bus } from '../../bus/bus.ts'
import { messageDeleted, messageUpdated } from '../../bus/events.ts'
import type { Cache } from '../../cache/cache.ts'
import type { Limit } from '../../cache/limiter.ts'
import type { LocalLimiter } from '../../cache/memory-limiter.ts'
import type { Db, Tx } from '../../db/client.ts'
import type { MediaJson } from '../../db/schema/index.ts'
import { messageIsDeleted, messageNotFound, notAllowed, tooManyRequests, validationFailed } from '../../errors.ts'
import { accessChat, accessLockedChat, isMember, mayIn } from '../chats/access.ts'
import type { Sent } from './drafts.ts'
import type { ReadHistory } from './history.ts'
import { type HistoryPage, type Message, type SendMessage, toMessage } from './model.ts'
import { createRecent } from './recent.ts'
import * as store from './store.ts'
import type { MessageWriter } from './writer.ts'
import type { Attachment, Draft } from './writer-store.ts'

export interface MessagesOptions {
  db: Db
  bus: Bus
  cache: Cache
  writer: MessageWriter
  readHistory: ReadHistory
  limiter: LocalLimiter
  /** Messages of one user on this instance, REST and sockets together; undefined for no limit. */
  sendLimit: Limit | undefined
  /** Told of each message that was edited or deleted, after the commit. */
  onChanged(chatId: string): void
  /** The message is being deleted: its file is nobody's from then on. */
  releaseMedia(tx: Tx, chatId: string, messageId: string): Promise<void>
}

export type NewMedia = Pick<Attachment, 'messageType' | 'mediaUrl' | 'media'>

export type Messages = ReturnType<typeof createMessages>

export function createMessages({
  db,
  bus,
  cache,
  writer,
  readHistory,
  limiter,
  sendLimit,
  onChanged,
  releaseMedia,
}: MessagesOptions) {
  const recent = createRecent({ cache, readHistory })

  return {
    /**
     * Stores a message; it is committed when the promise resolves. A repeated `client_id` answers the first message.
     * Without `reply_to_id` the message is with the writer when this returns: calls are numbered in their order.
     * @param onSent called before anybody is told of the message, in the same turn; it must not throw
     * @throws AppError 404, 403, 400 for a reply to nothing, 429, 503
     */
    send(senderId: string, frame: SendMessage, onSent?: (sent: Sent) => void): Promise<Sent> {
      const { chat_id, content, client_id, reply_to_id } = frame
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
      if (!draft.replyToId) return writer.send(draft, onSent)
      return requireReplyTarget(draft, draft.replyToId).then(() => writer.send(draft, onSent))
    },

    /**
     * Stores what an upload or a call became, as `send` does a text. Its own limits are the caller's to ask.
     * @throws AppError 404, 403, 400 for a reply to nothing, 503
     */
    async post(draft: Draft & { attachment: Attachment }): Promise<Sent> {
      if (draft.replyToId) await requireReplyTarget(draft, draft.replyToId)
      return writer.send(draft)
    },

    /** Stores several messages of one sender in one chat, as `post` does one, in their order. @returns what became of each */
    async postAll(drafts: readonly (Draft & { attachment: Attachment })[]): Promise<PromiseSettledResult<Sent>[]> {
      for (const draft of drafts) if (draft.replyToId) await requireReplyTarget(draft, draft.replyToId)
      // All at once: of this instance nothing comes between them.
      return Promise.allSettled(drafts.map((draft) => writer.send(draft)))
    },

    findSent,

    /** The same for whoever may see it now; undefined for who is not in the chat any more. */
    async findVisible(senderId: string, chatId: string, clientId: string): Promise<Message | undefined> {
      return (await isMember(db, senderId, chatId)) ? findSent(senderId, chatId, clientId) : undefined
    },

    /**
     * The file of a living message has become another one; everybody in the chat is told.
     * @param change what it is, from what it was, within the transaction; undefined when it is not to be changed
     * @returns whether it was changed: not when the message was deleted meanwhile
     */
    async replaceMedia(
      chatId: string,
      messageId: string,
      change: (tx: Tx, before: MediaJson) => Promise<NewMedia | undefined>,
    ): Promise<boolean> {
      const message = await db.transaction(async (tx) => {
        const rev = await store.takeRev(tx, chatId)
        const found = await store.findMessage(tx, chatId, messageId)
        const changes = found?.media && (await change(tx, found.media))
        const updated = changes && (await store.updateMedia(tx, chatId, messageId, { ...changes, rev }))
        return updated && toMessage(updated)
      })
      if (message) bus.publish([messageUpdated(message)])
      return message !== undefined && message !== null
    },

    /** Newest first by `offset` or `before_seq`, oldest first by `after_seq`. @throws AppError 404, 400 for two of them */
    async list(userId: string, chatId: string, { limit = 50, offset, before_seq, after_seq }: HistoryPage) {
      const given = [offset, before_seq, after_seq].filter((value) => value !== undefined)
      if (given.length > 1) throw validationFailed({ offset: 'give only one of offset, before_seq and after_seq' })
      const chat = await accessChat(db, userId, chatId, 'read')
      const { lastSeq } = chat
      if (after_seq !== undefined) {
        const messages = await readHistory(chat, { afterSeq: after_seq }, limit)
        return { messages, total: lastSeq, has_more: (messages.at(-1)?.seq ?? after_seq) < lastSeq }
      }
      if (given.length === 0) {
        const newest = await recent.list(chat, limit)
        return { messages: newest, total: lastSeq, has_more: (newest.at(-1)?.seq ?? 1) > 1 }
      }
      // Numbers have no gaps: skipping `offset` messages is arithmetic.
      const beforeSeq = before_seq ?? Math.max(0, lastSeq + 1 - (offset ?? 0))
      const messages = await readHistory(chat, { beforeSeq }, limit)
      return { messages, total: lastSeq, has_more: (messages.at(-1)?.seq ?? 1) > 1 }
    },

    /** One message: what a reply replies to, or a search found. @throws AppError 404 */
    async get(userId: string, chatId: string, messageId: string): Promise<Message> {
      await accessChat(db, userId, chatId, 'read')
      const found = await store.findMessage(db, chatId, messageId)
      if (!found) throw messageNotFound()
      return toMessage(found)
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
        if (found.messageType === 'call') throw notAllowed('edit a call')
        const rev = await store.takeRev(tx, chatId)
        const updated = await store.updateContent(tx, chatId, messageId, rev, content)
        if (!updated) throw messageIsDeleted()
        return toMessage(updated)
      })
      bus.publish([messageUpdated(message)])
      onChanged(chatId)
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
        if (found.media) await releaseMedia(tx, chatId, messageId)
        return { message: toMessage(updated ?? found), isNew: true }
      })
      if (isNew) {
        bus.publish([messageDeleted(message)])
        onChanged(chatId)
      }
      return message
    },
  }

  /** What the sender sent to the chat under this key, as it is now. */
  async function findSent(senderId: string, chatId: string, clientId: string): Promise<Message | undefined> {
    const row = await store.findByKey(db, { senderId, chatId, clientId })
    return row && toMessage(row)
  }

  /**
   * A message never leaves its chat, so what is found now is still there when the reply is stored. Whether the sender may
   * write, and what a repeat is answered, is the writer's to say: a repeat may reply to anything.
   */
  async function requireReplyTarget(draft: Draft, targetId: string): Promise<void> {
    await accessChat(db, draft.senderId, draft.chatId, 'read')
    if (await store.findMessage(db, draft.chatId, targetId)) return
    const isRepeat = await store.findByKey(db, draft)
    if (!isRepeat) throw validationFailed({ reply_to_id: 'is no message of this chat' })
  }
}
