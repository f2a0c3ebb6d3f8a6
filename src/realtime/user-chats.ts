/** The first frame of an open socket. */
import type { Head } from '../features/chats/model.ts'

/**
 * `{ type, chat_ids, heads: { [chat_id]: { seq, rev } } }` as text: ids and numbers need no escaping, and an object of names
 * that nobody else's has would make the engine keep a shape for each of them.
 */
export function userChats(heads: readonly Head[]): string {
  const ids = heads.map(({ chatId }) => `"${chatId}"`)
  const places = heads.map(({ chatId, seq, rev }) => `"${chatId}":{"seq":${seq},"rev":${rev}}`)
  return `{"type":"user_chats","chat_ids":[${ids.join()}],"heads":{${places.join()}}}`
}
