/** A group with somebody of every standing to it, fresh for each question. */
import { sql } from 'drizzle-orm'
import type { TestUser } from '../support/client.ts'
import type { TestServer } from '../support/server.ts'

export const ROLES = [
  'anonymous',
  'stranger',
  'member',
  'admin',
  'owner',
  'exMember',
  'deleted',
  'revoked',
  'dmPeer',
] as const
export type Role = (typeof ROLES)[number]

export interface World {
  chatId: string
  /** A message of the owner, and one of `member`. */
  ownersMessageId: string
  membersMessageId: string
  /** The direct chat: in place of the group for `dmPeer`, with the peer's message and their own. */
  dm: Pick<World, 'chatId' | 'ownersMessageId' | 'membersMessageId'>
  /** A plain member whom things are done to. */
  target: TestUser
  /** Nobody here has a chat with them. */
  outsider: TestUser
  actors: Record<Exclude<Role, 'anonymous'>, TestUser>
}

/** `revoked` was another session of `member`; `dmPeer` has a direct chat with `target`. */
export async function createWorld(server: TestServer): Promise<World> {
  const [stranger, member, admin, owner, exMember, deleted, dmPeer, target, outsider] = await Promise.all([
    server.addUser(),
    server.addUser(),
    server.addUser(),
    server.addUser(),
    server.addUser(),
    server.addUser(),
    server.addUser(),
    server.addUser(),
    server.addUser(),
  ])
  const revoked = await server.addSession(member.id)
  const chatId = await server.addGroup(owner, member, admin, exMember, deleted, target)
  await owner.patch(`/chats/${chatId}/members/${admin.id}`, { role: 'admin' })
  const ownersMessageId = await say(owner, chatId)
  const membersMessageId = await say(member, chatId)
  // The marks that sending implies come late; explicit ones are there at once.
  await Promise.all([owner, member].map((user) => user.post(`/chats/${chatId}/read`)))
  await Promise.all([
    owner.delete(`/chats/${chatId}/members/${exMember.id}`),
    deleted.delete('/users/me'),
    revoked.post('/auth/logout'),
  ])
  const dmId = await server.addDm(dmPeer, target)
  const dm = {
    chatId: dmId,
    ownersMessageId: await say(target, dmId),
    membersMessageId: await say(dmPeer, dmId),
  }
  await Promise.all([target, dmPeer].map((user) => user.post(`/chats/${dmId}/read`)))
  const actors = { stranger, member, admin, owner, exMember, deleted, revoked, dmPeer }
  return { chatId, ownersMessageId, membersMessageId, dm, target, outsider, actors }
}

async function say(user: TestUser, chatId: string): Promise<string> {
  const { status, body } = await user.post('/messages', { chat_id: chatId, content: 'said before' })
  if (status !== 201) throw new Error(`The world is broken: ${JSON.stringify(body)}`)
  return String(body.id)
}

/** All that a refused action must leave as it was: the chat, who is in it, what was said, and the caller's account. */
export async function takeSnapshot({ database: { db } }: TestServer, { chatId, dm, actors }: World): Promise<unknown> {
  const ids = sql.join(
    Object.values(actors).map(({ id }) => sql`${id}::uuid`),
    sql`, `,
  )
  const [row] = await db.execute(sql`select
    (select jsonb_agg(to_jsonb(c) order by c.id) from chats c where c.id in (
      select chat_id from chat_members where user_id in (${ids}) union select ${chatId}::uuid)) as chats,
    (select jsonb_agg(to_jsonb(m) - 'last_read_at' order by m.chat_id, m.user_id) from chat_members m
      where m.user_id in (${ids}) or m.chat_id = ${chatId}) as members,
    (select jsonb_agg(to_jsonb(m) order by m.id) from messages m where m.chat_id in (${chatId}, ${dm.chatId})) as messages,
    (select jsonb_agg(to_jsonb(u) - 'last_seen_at' order by u.id) from users u where u.id in (${ids})) as users,
    (select jsonb_agg(s.id order by s.id) from session_tokens s where s.user_id in (${ids})) as sessions`)
  return row
}
