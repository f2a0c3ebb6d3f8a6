import { bigint, index, pgTable, primaryKey, text, uuid, varchar } from 'drizzle-orm/pg-core'
import { instant, users } from './users.ts'

/** Files that come in pieces, over several requests and to any instance. The message that one becomes has its id. */
export const uploads = pgTable(
  'uploads',
  {
    id: uuid().primaryKey(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id),
    chatId: uuid('chat_id').notNull(),
    fileName: varchar('file_name', { length: 255 }).notNull(),
    /** Of the whole file, in bytes. */
    size: bigint({ mode: 'number' }).notNull(),
    /** So many bytes lie in pieces in the storage. */
    received: bigint({ mode: 'number' }).notNull().default(0),
    content: text().notNull(),
    /** The sender's key of the message, or the message's own id. */
    clientId: varchar('client_id', { length: 64 }).notNull(),
    replyToId: uuid('reply_to_id'),
    createdAt: instant('created_at').notNull().defaultNow(),
    expiresAt: instant('expires_at').notNull(),
    /** When it became a message. Its pieces are gone then. */
    finishedAt: instant('finished_at'),
  },
  (t) => [index('idx_uploads_owner').on(t.ownerId), index('idx_uploads_expires').on(t.expiresAt)],
)

export const uploadPieces = pgTable(
  'upload_pieces',
  {
    uploadId: uuid('upload_id')
      .notNull()
      .references(() => uploads.id, { onDelete: 'cascade' }),
    /** Of its first byte in the file. */
    start: bigint({ mode: 'number' }).notNull(),
    /** Of its file in the storage. */
    key: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.uploadId, t.start] })],
)
