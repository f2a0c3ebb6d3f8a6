/** Rows of media and their files, without an upload. */
import { join } from 'node:path'
import { and, eq } from 'drizzle-orm'
import type { Db } from '../../../src/db/client.ts'
import { type MediaJson, messages } from '../../../src/db/schema/index.ts'
import { newName } from '../../../src/features/media/names.ts'
import { insertMedia, type NewMediaRow } from '../../../src/features/media/store.ts'
import type { TestUser } from '../../support/client.ts'
import type { TestServer } from '../../support/server.ts'

/** A row of a file that somebody might have sent; `changes` over it. */
export function rowOf(ownerId: string, changes: Partial<NewMediaRow> = {}): NewMediaRow {
  const name = changes.name ?? newName()
  return {
    id: Bun.randomUUIDv7(),
    chatId: Bun.randomUUIDv7(),
    messageId: Bun.randomUUIDv7(),
    ownerId,
    kind: 'image',
    name,
    filePath: `${name}.webp`,
    thumbnailPath: `${name}_thumb.jpg`,
    originalPath: null,
    fileName: 'holiday.jpg',
    mimeType: 'image/webp',
    fileSize: 12,
    sha256: '0'.repeat(64),
    ...changes,
  }
}

/** @returns the row that was stored */
export async function addMedia(db: Db, ownerId: string, changes: Partial<NewMediaRow> = {}): Promise<NewMediaRow> {
  const row = rowOf(ownerId, changes)
  await insertMedia(db, row)
  return row
}

/** A file in the storage of a server that keeps them on the disk. */
export async function writeStored({ config }: TestServer, path: string, bytes: string | Uint8Array): Promise<void> {
  await Bun.write(join(config.DATA_DIR, 'media', path), bytes)
}

/** A message with a file: its row and the file itself. @returns the row */
export async function sendFile(
  server: TestServer,
  sender: TestUser,
  chatId: string,
  bytes: string | Uint8Array = '0123456789',
  changes: Partial<NewMediaRow> = {},
): Promise<NewMediaRow> {
  const { body: message } = await sender.post('/messages', { chat_id: chatId, content: 'see' })
  const row = await addMedia(server.database.db, sender.id, { chatId, messageId: message.id, ...changes })
  const { filePath: mediaUrl, thumbnailPath } = row
  // As if it had been sent with its file: deleting it asks for that.
  const media = { file_path: mediaUrl } as MediaJson
  const isIt = and(eq(messages.chatId, chatId), eq(messages.id, row.messageId))
  await server.database.db.update(messages).set({ mediaUrl, media }).where(isIt)
  await writeStored(server, mediaUrl, bytes)
  if (thumbnailPath) await writeStored(server, thumbnailPath, 'thumbnail')
  return row
}
