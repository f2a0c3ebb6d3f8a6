/** The query about where avatars are. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { chats, users } from '../../db/schema/index.ts'

/** Gives all URLs of avatars this beginning. */
export async function updateAvatarUrls(db: Db, publicUrl: string): Promise<void> {
  for (const table of [users, chats]) {
    // Of all of them, whatever they began with.
    const wanted = sql`${publicUrl}::text || substring(${table.avatarUrl} from '/api/v1/avatars/[^/?#]+$')`
    await db.execute(sql`update ${table} set avatar_url = ${wanted} where ${table.avatarUrl} <> ${wanted}`)
  }
}
