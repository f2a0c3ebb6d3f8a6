/** The queries about the files of messages. */
import { and, asc, eq, exists, inArray, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { chatMembers, media, messages, users } from '../../db/schema/index.ts'

export type MediaRow = typeof media.$inferSelect
export type NewMediaRow = Pick<
  MediaRow,
  | 'id'
  | 'chatId'
  | 'messageId'
  | 'ownerId'
  | 'kind'
  | 'name'
  | 'filePath'
  | 'thumbnailPath'
  | 'originalPath'
  | 'fileName'
  | 'mimeType'
  | 'fileSize'
  | 'sha256'
>

/** Do it when the files are in the storage, and store the message soon: a day later a row without one is cleared away. */
export async function insertMedia(db: Db | Tx, row: NewMediaRow): Promise<void> {
  await db.insert(media).values(row)
}

export async function findMedia(db: Db | Tx, id: string): Promise<MediaRow | undefined> {
  const [row] = await db.select().from(media).where(eq(media.id, id))
  return row
}

export async function deleteMedia(db: Db | Tx, id: string): Promise<void> {
  await db.delete(media).where(eq(media.id, id))
}

/** What is told of a file to whoever may open it. */
export type OpenableRow = Pick<
  MediaRow,
  'id' | 'name' | 'kind' | 'filePath' | 'thumbnailPath' | 'fileName' | 'mimeType'
> & { isUnmade: boolean }

/** Of the files of these names those that the user may open at this moment: see access.ts, which asks. */
export function listOpenable(db: Db | Tx, userId: string, names: readonly string[]): Promise<OpenableRow[]> {
  return db
    .select({
      id: media.id,
      name: media.name,
      kind: media.kind,
      filePath: media.filePath,
      thumbnailPath: media.thumbnailPath,
      fileName: media.fileName,
      mimeType: media.mimeType,
      isUnmade: sql<boolean>`${media.originalPath} is not null`,
    })
    .from(media)
    .innerJoin(messages, and(eq(messages.chatId, media.chatId), eq(messages.id, media.messageId)))
    .innerJoin(chatMembers, and(eq(chatMembers.chatId, media.chatId), eq(chatMembers.userId, userId)))
    .innerJoin(users, eq(users.id, chatMembers.userId))
    .where(
      and(
        inArray(media.name, [...names]),
        isNull(media.releasedAt),
        isNull(messages.deletedAt),
        isNull(users.deletedAt),
        isNull(users.disabledAt),
      ),
    )
}

/** In the transaction that deletes the message: from now on nobody opens its file. */
export async function releaseMedia(tx: Tx, chatId: string, messageId: string): Promise<void> {
  await tx
    .update(media)
    .set({ releasedAt: sql`now()` })
    .where(and(eq(media.chatId, chatId), eq(media.messageId, messageId), isNull(media.releasedAt)))
}

/**
 * Takes the oldest file that is still to be made and that nobody works on, for `leaseSeconds`: whoever dies over it lets
 * go of it. Two never take the same one. Its message is there: one that is just being stored is waited for.
 */
export async function claimUnmade(db: Db, { leaseSeconds }: { leaseSeconds: number }): Promise<MediaRow | undefined> {
  const message = db
    .select({ one: sql`1` })
    .from(messages)
    .where(and(eq(messages.chatId, media.chatId), eq(messages.id, media.messageId)))
  const next = db
    .select({ id: media.id })
    .from(media)
    .where(and(isUnmade, exists(message), or(isNull(media.claimedUntil), lt(media.claimedUntil, sql`now()`))))
    .orderBy(asc(media.createdAt))
    .limit(1)
    .for('update', { skipLocked: true })
  const [row] = await db
    .update(media)
    .set({ attempts: sql`${media.attempts} + 1`, claimedUntil: inSeconds(leaseSeconds) })
    .where(eq(media.id, sql`(${next})`))
    .returning()
  return row
}

/** Goes on working on a file. `attempts` is that of the claim. @returns false when it is somebody else's now, or nobody's */
export async function extendClaim(
  db: Db,
  { id, attempts }: Pick<MediaRow, 'id' | 'attempts'>,
  leaseSeconds: number,
): Promise<boolean> {
  const rows = await db
    .update(media)
    .set({ claimedUntil: inSeconds(leaseSeconds) })
    .where(and(eq(media.id, id), eq(media.attempts, attempts), isUnmade))
    .returning({ id: media.id })
  return rows.length > 0
}

/** Nobody works on it any more. @param isTry whether that counts as an attempt */
export async function releaseClaim(
  db: Db,
  { id, attempts }: Pick<MediaRow, 'id' | 'attempts'>,
  isTry: boolean,
): Promise<void> {
  await db
    .update(media)
    .set({ claimedUntil: null, attempts: isTry ? attempts : attempts - 1 })
    .where(and(eq(media.id, id), eq(media.attempts, attempts), isUnmade))
}

/**
 * What a file has become: it is at `filePath` now, and the original is not needed any more.
 * @returns false when the message was deleted meanwhile, or somebody else has the claim
 */
export async function finishMedia(
  db: Db | Tx,
  { id, attempts }: Pick<MediaRow, 'id' | 'attempts'>,
  made: Partial<Pick<MediaRow, 'kind' | 'filePath' | 'thumbnailPath' | 'mimeType' | 'fileSize'>>,
): Promise<boolean> {
  const rows = await db
    .update(media)
    .set({ ...made, originalPath: null, claimedUntil: null })
    .where(and(eq(media.id, id), eq(media.attempts, attempts), isUnmade))
    .returning({ id: media.id })
  return rows.length > 0
}

/** How many are still to be made, those somebody is making included. */
export const countUnmade = (db: Db): Promise<number> => db.$count(media, isUnmade)

const isUnmade = and(isNotNull(media.originalPath), isNull(media.releasedAt)) as SQL
const inSeconds = (seconds: number) => sql`now() + make_interval(secs => ${seconds})`
