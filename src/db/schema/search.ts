import { bigint, customType, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { chats } from './chats.ts'
import { instant } from './users.ts'

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' })

/**
 * How far each chat is indexed for search: every message up to `seq`, every change up to `rev`. A row is locked by
 * whoever indexes its chat.
 */
export const searchHeads = pgTable('search_heads', {
  chatId: uuid('chat_id')
    .primaryKey()
    .references(() => chats.id, { onDelete: 'cascade' }),
  seq: bigint({ mode: 'number' }).notNull().default(0),
  rev: bigint({ mode: 'number' }).notNull().default(0),
})

/**
 * The words of the living messages, filled off the path of sending. In place of `messages` itself, where an index of
 * words would make every message wait for it.
 */
export const messageSearch = pgTable(
  'message_search',
  {
    // Of the head and not of the chat, so that indexing locks no row that sending writes.
    chatId: uuid('chat_id')
      .notNull()
      .references(() => searchHeads.chatId, { onDelete: 'cascade' }),
    createdAt: instant('created_at').notNull(),
    messageId: uuid('message_id').notNull(),
    /** Of the message as it was indexed: another one there means that these words are old. */
    rev: bigint({ mode: 'number' }).notNull(),
    /**
     * Each word with a key of its chat before it, so that what a search costs depends on the searched chats alone. Among
     * a million messages and 50 chats, beside an index over (chat_id, words): words and their beginnings are found 5 to 11
     * times as fast, for 190 MiB in place of 38.
     */
    tokens: tsvector().notNull(),
  },
  (t) => [
    // In the order of the answers.
    primaryKey({ columns: [t.chatId, t.createdAt, t.messageId] }),
    // Without a list of rows not yet sorted in, which each search would have to read through.
    index('idx_message_search_tokens').using('gin', t.tokens).with({ fastupdate: false }),
  ],
)

/** Words that were said anywhere, to look for those that resemble a mistyped one. */
export const searchWords = pgTable('search_words', { word: text().primaryKey() }, (t) => [
  index('idx_search_words_trigrams').using('gin', t.word.op('gin_trgm_ops')).with({ fastupdate: false }),
])
