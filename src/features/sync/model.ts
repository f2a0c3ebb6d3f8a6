/** The shapes of catching up. */
import { t } from 'elysia'
import { PageLimit, QueryCount, UUID_PATTERN, Uuid, Whole, wholeNumber } from '../../http/text.ts'
import { ChatOverview } from '../chats/model.ts'
import { Message } from '../messages/model.ts'

const Count = wholeNumber(0, Number.MAX_SAFE_INTEGER, { error: 'must be a whole number from 0' })

export const Head = t.Object({ seq: Count, rev: Count })
export type Head = typeof Head.static

export const ChangesPage = t.Object({
  after_seq: t.Optional(QueryCount),
  after_rev: t.Optional(QueryCount),
  limit: t.Optional(PageLimit),
})
export interface ChangesPage {
  after_seq?: number
  after_rev?: number
  limit?: number
}

export const Changes = t.Object({
  messages: t.Array(Message, { description: 'Those after `after_seq`, by seq' }),
  changes: t.Array(Message, { description: 'Older ones changed after `after_rev`, by rev, in their latest state' }),
  next: t.Object({ seq: Whole(), rev: Whole() }, { description: 'What to ask for next' }),
  has_more: t.Boolean(),
})
export type Changes = typeof Changes.static

export const MAX_SYNC_CHATS = 1000

export const SyncRequest = t.Object({
  chats: t.Record(t.String({ pattern: UUID_PATTERN }), Head, {
    additionalProperties: false,
    maxProperties: MAX_SYNC_CHATS,
    error: `must be at most ${MAX_SYNC_CHATS} chat ids, each with the seq and rev one holds`,
  }),
})
export type SyncRequest = typeof SyncRequest.static

export const SyncedChat = t.Object({
  chat: ChatOverview,
  is_new: t.Boolean({ description: 'Was not in the request: read its history by pages' }),
  reset: t.Boolean({ description: 'Too far behind: drop what you hold and read the history by pages' }),
  ...Changes.properties,
})
export type SyncedChat = typeof SyncedChat.static

export const SyncResponse = t.Object({
  chats: t.Array(SyncedChat),
  gone: t.Array(Uuid, { description: 'Chats of the request that one is not in any more' }),
})
export type SyncResponse = typeof SyncResponse.static
