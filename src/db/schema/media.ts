import { sql } from 'drizzle-orm'
import { bigint, index, integer, pgEnum, pgTable, text, uniqueIndex, uuid, varchar } from 'drizzle-orm/pg-core'
import { instant, users } from './users.ts'

/** The file of a message as clients are told of it. */
export interface MediaJson {
  /** Paths, not URLs. */
  file_path: string
  thumbnail: string | null
  file_name: string
  /** In bytes. */
  file_size: number
  mime_type: string
  /** In pixels, as shown. */
  width: number | null
  height: number | null
  /** In seconds. */
  duration: number | null
  /** A picture of some 20 pixels as a data: URL, to paint until the file is there. */
  preview: string | null
  /** How loud it is, from the beginning to the end: 64 numbers from 0 to 31. */
  waveform: number[] | null
  /** Whether the file is another one than was sent: re-encoded. */
  compressed: boolean
  /** processing: there is nothing at `file_path` yet; `message_updated` will tell. */
  status: 'processing' | 'ready'
}

export const mediaKind = pgEnum('media_kind', ['image', 'video', 'audio', 'file'])

/**
 * The files of messages: who may open one, and until when it is kept. A row is written when the files are in the storage,
 * before the message is; it outlives the message until they are gone from there. So a message's file always has a row, and
 * a file without one, or a row without its message, is one that nothing refers to and never will: names and ids are given
 * once.
 */
export const media = pgTable(
  'media',
  {
    id: uuid().primaryKey(),
    chatId: uuid('chat_id').notNull(),
    messageId: uuid('message_id').notNull(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id),
    kind: mediaKind().notNull(),
    /** What the paths of all its files begin with, as in uploads/2026/01/15/4pq9...: a path leads to its row by this. */
    name: text().notNull(),
    filePath: text('file_path').notNull(),
    thumbnailPath: text('thumbnail_path'),
    /** What `filePath` is still to be made from; null when it is there. */
    originalPath: text('original_path'),
    fileName: varchar('file_name', { length: 255 }).notNull(),
    mimeType: text('mime_type').notNull(),
    /** Of the file at `filePath`, in bytes; of the original while that is all there is. */
    fileSize: bigint('file_size', { mode: 'number' }).notNull(),
    /** Of the file as it was sent, hexadecimal. */
    sha256: text().notNull(),
    /** How often somebody has begun to make `filePath`, and until when that is somebody's work. */
    attempts: integer().notNull().default(0),
    claimedUntil: instant('claimed_until'),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** When the message was deleted: nobody opens it any more. */
    releasedAt: instant('released_at'),
  },
  (t) => [
    uniqueIndex('idx_media_name').on(t.name),
    index('idx_media_message').on(t.chatId, t.messageId),
    index('idx_media_unmade').on(t.createdAt).where(sql`original_path is not null and released_at is null`),
    index('idx_media_released').on(t.releasedAt).where(sql`released_at is not null`),
  ],
)
