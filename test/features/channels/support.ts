/** What the tests of channels share. */
import type { Json, TestUser } from '../../support/client.ts'
import type { TestServer } from '../../support/server.ts'

/** Makes the user the owner of a channel. @returns it */
export async function addChannel(owner: TestUser, fields: Record<string, unknown> = {}): Promise<Json> {
  const { status, body } = await owner.post('/channels', { name: 'Announcements', ...fields })
  if (status !== 201) throw new Error(`No channel: ${status} ${JSON.stringify(body)}`)
  return body
}

/** Each of them subscribes by themselves. */
export const subscribe = (channelId: string, ...users: TestUser[]) =>
  Promise.all(users.map((user) => user.post(`/channels/${channelId}/subscribe`)))

/** What a channel and its chat say of it, and who is really in it. */
export async function readBoth({ database: { sql } }: TestServer, channelId: string) {
  const [row] = await sql`
    select json_build_array(c.name, c.owner_id, c.member_count) as chat,
      json_build_array(ch.name, ch.owner_id, ch.subscriber_count) as channel,
      (select count(*)::int from chat_members m where m.chat_id = c.id) as members
    from chats c join channels ch using (id) where id = ${channelId}`
  return row as { chat: unknown[]; channel: unknown[]; members: number } | undefined
}

export const nobody = () => Bun.randomUUIDv7()
