/** The queries about channels. Who joins and leaves, and what a channel repeats of its chat, is in the store of chats. */
import { and, desc, eq, isNotNull, or, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { channels, chatMembers, chats } from '../../db/schema/index.ts'
import type { Place } from './cursor.ts'

export type ChannelRow = Awaited<ReturnType<typeof listPublic>>[number]

/** Channels, each with the user's membership or null. */
const selectFor = (db: Db | Tx, userId: string) =>
  db
    .select({
      id: channels.id,
      name: channels.name,
      description: channels.description,
      ownerId: channels.ownerId,
      isPublic: channels.isPublic,
      subscriberCount: channels.subscriberCount,
      createdAt: channels.createdAt,
      isReadOnly: chats.isReadOnly,
      avatarUrl: chats.avatarUrl,
      lastSeq: chats.lastSeq,
      member: { userId: chatMembers.userId, role: chatMembers.role },
    })
    .from(channels)
    .innerJoin(chats, eq(chats.id, channels.id))
    .leftJoin(chatMembers, and(eq(chatMembers.chatId, channels.id), eq(chatMembers.userId, userId)))

/** The channel, if it is public or the user has subscribed. */
export async function findVisible(db: Db | Tx, channelId: string, userId: string): Promise<ChannelRow | undefined> {
  const isVisible = or(channels.isPublic, isNotNull(chatMembers.userId))
  const [row] = await selectFor(db, userId).where(and(eq(channels.id, channelId), isVisible))
  return row
}

/** Public channels after a place, those with the most subscribers first. `part` of the name in any case. */
export function listPublic(
  db: Db,
  userId: string,
  { part, after, limit }: { part?: string; after?: Place; limit: number },
) {
  const { id, name, subscriberCount, isPublic } = channels
  const order = [desc(subscriberCount), desc(id)]
  const conditions: (SQL | undefined)[] = [eq(isPublic, true)]
  if (part) conditions.push(sql`lower(${name}) like lower(${`%${part.replace(/[\\%_]/g, '\\$&')}%`})`)
  if (after) conditions.push(sql`(${subscriberCount}, ${id}) < (${after.subscriberCount}::int, ${after.id}::uuid)`)
  // Chats and memberships are looked up for the page alone, not for all that match.
  const page = db
    .select({ id })
    .from(channels)
    .where(and(...conditions))
    .orderBy(...order)
    .limit(limit)
    .as('page')
  return selectFor(db, userId)
    .innerJoin(page, eq(page.id, id))
    .orderBy(...order)
}

/** Locks the row of the channel's chat until the transaction ends: nobody joins, leaves or posts there. */
export async function lockChannel(tx: Tx, channelId: string): Promise<void> {
  await tx
    .select({ id: chats.id })
    .from(chats)
    .where(and(eq(chats.id, channelId), eq(chats.type, 'channel')))
    .for('update')
}

export interface NewChannel {
  id: string
  name: string
  ownerId: string
  description: string | null
  isPublic: boolean
}

/** A channel is a chat too, and its owner the first to be in it: one statement. */
export async function insertChannel(tx: Tx, { description, isPublic, ...common }: NewChannel): Promise<void> {
  const { id, ownerId } = common
  const chat = tx.$with('chat').as(tx.insert(chats).values({ ...common, type: 'channel', memberCount: 1 }))
  const channel = tx
    .$with('channel')
    .as(tx.insert(channels).values({ ...common, description, isPublic, subscriberCount: 1 }))
  await tx.with(chat, channel).insert(chatMembers).values({ chatId: id, userId: ownerId, role: 'admin' })
}

/** What a channel has beyond its chat. */
export async function updateDetails(
  tx: Tx,
  channelId: string,
  details: { description?: string | null; isPublic?: boolean },
): Promise<void> {
  await tx.update(channels).set(details).where(eq(channels.id, channelId))
}
