/** Pages of a chat's messages, of a replica where there is one that has all that the primary had. */
import type { Db } from '../../db/client.ts'
import type { Replicas } from '../../db/replicas.ts'
import type { ChatAccess } from '../chats/access.ts'
import { type Message, toMessage } from './model.ts'
import { listMessages, listMessagesSince, type Span } from './store.ts'

export type ReadHistory = ReturnType<typeof createHistory>

/**
 * For whoever was just let into the chat, which the primary decides: `chat` is what it said. A page is never older than
 * that, so nobody misses what they have just done, or what an event has told them.
 */
export function createHistory({ db, replicas }: { db: Db; replicas: Replicas }) {
  return async (chat: ChatAccess, span: Span, limit: number): Promise<Message[]> => {
    const rows =
      (await replicas.read((replica) => listMessagesSince(replica, chat, span, limit))) ??
      (await listMessages(db, chat.chatId, span, limit))
    return rows.map(toMessage)
  }
}
