/** The queries about uploads in pieces. */
import { and, asc, eq, gt, isNull, lte, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { uploadPieces, uploads } from '../../db/schema/index.ts'

export type UploadRow = typeof uploads.$inferSelect
export type NewUpload = Pick<
  UploadRow,
  'id' | 'ownerId' | 'chatId' | 'fileName' | 'size' | 'content' | 'clientId' | 'replyToId'
>

const isCurrent = gt(uploads.expiresAt, sql`now()`)

export async function insertUpload(db: Db, upload: NewUpload, lifeSeconds: number): Promise<UploadRow> {
  const expiresAt = sql`now() + make_interval(secs => ${lifeSeconds})`
  const [row] = await db
    .insert(uploads)
    .values({ ...upload, expiresAt })
    .returning()
  if (!row) throw new Error('An insert returned no row')
  return row
}

export const countUnfinished = (db: Db, ownerId: string): Promise<number> =>
  db.$count(uploads, and(eq(uploads.ownerId, ownerId), isNull(uploads.finishedAt), isCurrent))

export async function findUpload(db: Db, id: string): Promise<UploadRow | undefined> {
  const [row] = await db
    .select()
    .from(uploads)
    .where(and(eq(uploads.id, id), isCurrent))
  return row
}

/** Adds a piece where the others end. Of two at once for the same place one is added. @returns whether it was */
export function addPiece(
  db: Db,
  piece: { uploadId: string; start: number; end: number; key: string },
): Promise<boolean> {
  const { uploadId, start, end, key } = piece
  return db.transaction(async (tx) => {
    const moved = await tx
      .update(uploads)
      .set({ received: end })
      .where(and(eq(uploads.id, uploadId), eq(uploads.received, start), isNull(uploads.finishedAt), isCurrent))
      .returning({ id: uploads.id })
    if (moved.length > 0) await tx.insert(uploadPieces).values({ uploadId, start, key })
    return moved.length > 0
  })
}

/** The keys of its pieces, in their order. */
export async function listPieces(db: Db, uploadId: string): Promise<string[]> {
  const rows = await db
    .select({ key: uploadPieces.key })
    .from(uploadPieces)
    .where(eq(uploadPieces.uploadId, uploadId))
    .orderBy(asc(uploadPieces.start))
  return rows.map(({ key }) => key)
}

export async function finishUpload(db: Db, id: string): Promise<void> {
  await db.update(uploads).set({ finishedAt: sql`now()` }).where(eq(uploads.id, id))
}

export async function deletePieces(db: Db, uploadId: string): Promise<void> {
  await db.delete(uploadPieces).where(eq(uploadPieces.uploadId, uploadId))
}

/** With what is known of its pieces. */
export async function deleteUpload(db: Db, id: string): Promise<void> {
  await db.delete(uploads).where(eq(uploads.id, id))
}

export async function listExpired(db: Db, limit: number): Promise<string[]> {
  const rows = await db
    .select({ id: uploads.id })
    .from(uploads)
    .where(lte(uploads.expiresAt, sql`now()`))
    .orderBy(asc(uploads.expiresAt))
    .limit(limit)
  return rows.map(({ id }) => id)
}
