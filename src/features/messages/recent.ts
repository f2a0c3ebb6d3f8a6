/**
 * The newest messages of groups and channels, which many open one after the other. Direct chats have two readers and
 * change between their readings: a cache would cost them more than it saves.
 *
 * A page is kept with the `last_seq` and `last_rev` of its chat, and shown to whoever was just let into the chat and read
 * the same two numbers there. Every new, edited or deleted message moves one of them, so nothing has to be forgotten.
 */
import type { Cache } from '../../cache/cache.ts'
import { RECENT_MESSAGES_SECONDS, recentMessagesKey } from '../../cache/keys.ts'
import type { ChatAccess } from '../chats/access.ts'
import type { ReadHistory } from './history.ts'
import type { Message } from './model.ts'

/** So many messages are kept of a chat; fewer are cut from them. */
export const RECENT_LIMIT = 50

export function createRecent({ cache, readHistory }: { cache: Cache; readHistory: ReadHistory }) {
  const read = (chat: ChatAccess, limit: number) => readHistory(chat, { beforeSeq: chat.lastSeq + 1 }, limit)

  return {
    /** The newest `limit` messages as of `chat`, which was just read; the newest first. */
    async list(chat: ChatAccess, limit: number): Promise<Message[]> {
      const isKept = chat.type !== 'dm' && chat.lastSeq > 0 && limit <= RECENT_LIMIT
      if (!isKept) return read(chat, limit)
      const key = recentMessagesKey(chat.chatId)
      const state = `${chat.lastSeq} ${chat.lastRev} `
      const { value } = await cache.get(key)
      if (value?.startsWith(state)) return (JSON.parse(value.slice(state.length)) as Message[]).slice(0, limit)
      const page = await read(chat, RECENT_LIMIT)
      if (isOf(chat, page)) await cache.replace(key, state + JSON.stringify(page), RECENT_MESSAGES_SECONDS)
      return page.slice(0, limit)
    },
  }
}

/**
 * Whether a page that was read after its chat is as the chat was: a message that was edited or deleted in between has a
 * `rev` above the chat's; of a chat that was deleted nothing is there.
 */
const isOf = (chat: ChatAccess, page: readonly Message[]): boolean =>
  page[0]?.seq === chat.lastSeq && page.every(({ rev }) => rev <= chat.lastRev)
