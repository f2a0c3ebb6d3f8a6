/** The queries about what nobody needs any more. */
import { and, asc, eq, exists, gt, inArray, isNotNull, lt, not, or, type SQL, sql } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Db, Tx } from '../../db/client.ts'
import { chats, media, messages, users } from '../../db/schema/index.ts'

export interface UnneededRow {
  id: string
  filePath: string
  thumbnailPath: string | null
  originalPath: string | null
  /** Its message was deleted; else there never was one, or its chat is gone. */
  wasReleased: boolean
}

const CLEANUP_LOCK = 7_301_004

/**
 * Whoever copies all files holds this meanwhile: nothing is cleared away then. Several may.
 * @returns what lets go of it
 */
export async function holdFiles(sql: postgres.Sql): Promise<() => Promise<void>> {
  const connection = await sql.reserve()
  try {
    await connection`select pg_advisory_lock_shared(${CLEANUP_LOCK})`
  } catch (error) {
    connection.release()
    throw error
  }
  return async () => {
    try {
      await connection`select pg_advisory_unlock_shared(${CLEANUP_LOCK})`
    } finally {
      connection.release()
    }
  }
}

/** Until the transaction ends nobody else clears away, and nobody holds the files. @returns false when somebody does */
export async function tryToClear(tx: Tx): Promise<boolean> {
  const [row] = await tx.execute<{ is_mine: boolean }>(
    sql`select pg_try_advisory_xact_lock(${CLEANUP_LOCK}) as is_mine`,
  )
  return row?.is_mine ?? false
}

/** A page of all rows by id. @returns how far it goes (undefined behind the last), and which of them nobody needs */
export async function pageUnneeded(
  db: Db,
  afterId: string,
  limit: number,
): Promise<{ lastId?: string; ids: string[] }> {
  const rows = await db
    .select({ id: media.id, isUnneeded: sql<boolean>`${isUnneeded(db)}` })
    .from(media)
    .where(gt(media.id, afterId))
    .orderBy(asc(media.id))
    .limit(limit)
  return { lastId: rows.at(-1)?.id, ids: rows.filter((row) => row.isUnneeded).map(({ id }) => id) }
}

/** Those of the rows that nobody needs at this moment. */
export function listUnneeded(db: Db | Tx, ids: readonly string[]): Promise<UnneededRow[]> {
  return db
    .select({
      id: media.id,
      filePath: media.filePath,
      thumbnailPath: media.thumbnailPath,
      originalPath: media.originalPath,
      wasReleased: sql<boolean>`${media.releasedAt} is not null`,
    })
    .from(media)
    .where(and(inArray(media.id, [...ids]), isUnneeded(db)))
}

export async function deleteRows(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.delete(media).where(inArray(media.id, [...ids]))
}

/** Of these names those that have a row, with the paths that it knows. */
export function listPathsOf(db: Db | Tx, names: readonly string[]) {
  return db
    .select({ filePath: media.filePath, thumbnailPath: media.thumbnailPath, originalPath: media.originalPath })
    .from(media)
    .where(inArray(media.name, [...names]))
}

/** Of these paths of avatars those that a user or a chat has, as a path or as the end of a URL. */
export async function listWornAvatars(db: Db | Tx, paths: readonly string[]): Promise<string[]> {
  const asked = sql.param([...paths])
  const rows = await db.execute<{ path: string }>(sql`
    select worn.path from (
      select substring(${users.avatarUrl} from 'avatars/[^?#]*') as path from ${users} where ${isNotNull(users.avatarUrl)}
      union all
      select substring(${chats.avatarUrl} from 'avatars/[^?#]*') from ${chats} where ${isNotNull(chats.avatarUrl)}
    ) worn
    where worn.path = any(${asked}::text[])`)
  return rows.map(({ path }) => path)
}

/**
 * Of a message that was deleted 30 days ago; or a day old and of no message: the upload ended half way, or the chat is gone.
 * A message is stored within seconds of its row.
 */
function isUnneeded(db: Db | Tx): SQL {
  const message = db
    .select({ one: sql`1` })
    .from(messages)
    .where(and(eq(messages.chatId, media.chatId), eq(messages.id, media.messageId)))
  return or(
    lt(media.releasedAt, sql`now() - interval '30 days'`),
    and(lt(media.createdAt, sql`now() - interval '1 day'`), not(exists(message))),
  ) as SQL
}
