/** Channels with many subscribers, put into the database directly. */
import type postgres from 'postgres'

export interface Crowd {
  channelId: string
  ownerId: string
}

/** A public channel of so many, the owner included, who is made unless `existingOwnerId` names one. */
export async function addCrowd(sql: postgres.Sql, subscribers: number, existingOwnerId?: string): Promise<Crowd> {
  const newIds = Array.from({ length: existingOwnerId ? subscribers - 1 : subscribers }, () => Bun.randomUUIDv7())
  const ownerId = existingOwnerId ?? newIds[0] ?? ''
  const channelId = Bun.randomUUIDv7()
  await sql.begin(async (tx) => {
    await insertCrowd(tx, { channelId, ownerId }, newIds)
    // What this session counted is handed over now, not in the middle of a measurement.
    await tx`select pg_stat_force_next_flush()`
  })
  return { channelId, ownerId }
}

async function insertCrowd(sql: postgres.ISql, { channelId, ownerId }: Crowd, newIds: string[]): Promise<void> {
  const userIds = [...new Set([ownerId, ...newIds])]
  await sql`
    insert into users (id, phone, username, password_hash)
    select id, right(replace(id::text, '-', ''), 19), 'u' || right(id::text, 12), 'none' from unnest(${newIds}::uuid[]) id`
  await sql`
    insert into chats (id, type, name, owner_id, member_count)
    values (${channelId}, 'channel', 'Crowd', ${ownerId}, ${userIds.length})`
  await sql`
    insert into channels (id, name, owner_id, subscriber_count) values (${channelId}, 'Crowd', ${ownerId}, ${userIds.length})`
  await sql`
    insert into chat_members (chat_id, user_id, role)
    select ${channelId}, id, (case when id = ${ownerId} then 'admin' else 'member' end)::member_role
    from unnest(${userIds}::uuid[]) id`
}
