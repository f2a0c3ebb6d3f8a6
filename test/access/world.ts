/** A group and two channels with somebody of every standing to them, fresh for each question. */
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { calls } from '../../src/db/schema/index.ts'
import { addMedia } from '../features/media/support.ts'
import { request, type TestUser } from '../support/client.ts'
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
  /** An invite to the group that never ends. */
  inviteCode: string
  /** A message of the owner, and one of `member`. */
  ownersMessageId: string
  membersMessageId: string
  /** The member's unfinished upload in pieces. */
  uploadId: string
  /** Of a file of `ownersMessageId`. */
  filePath: string
  /** The direct chat: in place of the group for `dmPeer`, with the peer's message and their own. */
  dm: Pick<World, 'chatId' | 'ownersMessageId' | 'membersMessageId' | 'uploadId' | 'filePath'>
  /** Public and private, with the group's owner, admin, member (a subscriber) and target; `exMember` was removed. */
  channel: { id: string; privateId: string }
  /** `target` calls `outsider`: none of the actors is in it. */
  callId: string
  /** A plain member whom things are done to. */
  target: TestUser
  /** Nobody here has a chat with them. */
  outsider: TestUser
  actors: Record<Exclude<Role, 'anonymous'>, TestUser>
}

/** `owner` alone has premium; `revoked` was another session of `member`; `dmPeer` has a direct chat with `target`. */
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
  await owner.post('/subscriptions/purchase', { subscription_type: 'premium_monthly' })
  const chatId = await server.addGroup(owner, member, admin, exMember, deleted, target)
  await owner.patch(`/chats/${chatId}/members/${admin.id}`, { role: 'admin' })
  const ownersMessageId = await say(owner, chatId)
  const membersMessageId = await say(member, chatId)
  const uploadId = await beginUpload(member, chatId)
  const filePath = await addFile(server, owner, chatId, ownersMessageId)
  const inviteCode = String((await owner.post(`/chats/${chatId}/invites`)).body.code)
  // The marks that sending implies come late; explicit ones are there at once.
  await Promise.all([owner, member].map((user) => user.post(`/chats/${chatId}/read`)))
  await Promise.all([
    owner.delete(`/chats/${chatId}/members/${exMember.id}`),
    deleted.delete('/users/me'),
    revoked.post('/auth/logout'),
  ])
  const dmId = await server.addDm(dmPeer, target)
  const dmMessageId = await say(target, dmId)
  const dm = {
    chatId: dmId,
    ownersMessageId: dmMessageId,
    filePath: await addFile(server, target, dmId, dmMessageId),
    membersMessageId: await say(dmPeer, dmId),
    uploadId: await beginUpload(dmPeer, dmId),
  }
  await Promise.all([target, dmPeer].map((user) => user.post(`/chats/${dmId}/read`)))
  const [id, privateId] = await Promise.all([
    createChannel(true, owner, admin, member, exMember, target),
    createChannel(false, owner, admin, member, exMember, target),
  ])
  const callId = await ring(server, dmId, target, outsider)
  const actors = { stranger, member, admin, owner, exMember, deleted, revoked, dmPeer }
  return {
    chatId,
    inviteCode,
    ownersMessageId,
    membersMessageId,
    uploadId,
    filePath,
    dm,
    channel: { id, privateId },
    callId,
    target,
    outsider,
    actors,
  }
}

/** For an hour; the chat is only where its message will be. */
async function ring({ database: { db } }: TestServer, chatId: string, caller: TestUser, callee: TestUser) {
  const [id, messageId, callerDevice] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), crypto.randomUUID()]
  const until = new Date(Date.now() + 3_600_000)
  const times = { createdAt: new Date(), ringUntil: until, callerUntil: until }
  const parties = { callerId: caller.id, calleeId: callee.id, callerDevice, callerSession: caller.sessionId }
  await db.insert(calls).values({ id, chatId, messageId, media: 'audio', state: 'ringing', ...times, ...parties })
  return id
}

async function createChannel(
  is_public: boolean,
  owner: TestUser,
  admin: TestUser,
  member: TestUser,
  exMember: TestUser,
  target: TestUser,
): Promise<string> {
  const { status, body } = await owner.post('/channels', { name: 'Channel', is_public })
  if (status !== 201) throw new Error(`The world is broken: ${JSON.stringify(body)}`)
  const members = `/chats/${body.id}/members`
  await owner.post(members, { user_ids: [admin, member, exMember, target].map((user) => user.id) })
  await owner.patch(`${members}/${admin.id}`, { role: 'admin' })
  await owner.delete(`${members}/${exMember.id}`)
  return String(body.id)
}

async function say(user: TestUser, chatId: string): Promise<string> {
  const { status, body } = await user.post('/messages', { chat_id: chatId, content: 'said before' })
  if (status !== 201) throw new Error(`The world is broken: ${JSON.stringify(body)}`)
  return String(body.id)
}

/** @returns its path */
async function addFile(server: TestServer, owner: TestUser, chatId: string, messageId: string): Promise<string> {
  const { filePath } = await addMedia(server.database.db, owner.id, { chatId, messageId, kind: 'file' })
  await Bun.write(join(server.config.DATA_DIR, 'media', filePath), 'a file')
  return filePath
}

/** Of 11 bytes, none of which is there. */
async function beginUpload(user: TestUser, chatId: string): Promise<string> {
  const headers = { 'upload-length': '11', 'upload-metadata': `chat_id ${btoa(chatId)}` }
  const { status, body } = await request(`${user.serverUrl}/api/v1/uploads`, 'POST', user.token, undefined, headers)
  if (status !== 201) throw new Error(`The world is broken: ${JSON.stringify(body)}`)
  return String(body.id)
}

/** All that a refused action must leave as it was: the chat, who is in it, what was said, and the caller's account. */
export async function takeSnapshot(server: TestServer, { chatId, dm, channel, actors }: World): Promise<unknown> {
  const { db } = server.database
  const ids = sql.join(
    Object.values(actors).map(({ id }) => sql`${id}::uuid`),
    sql`, `,
  )
  const [row] = await db.execute(sql`select
    (select jsonb_agg(to_jsonb(c) order by c.id) from chats c where c.id in (
      select chat_id from chat_members where user_id in (${ids}) union select ${chatId}::uuid)) as chats,
    (select jsonb_agg(to_jsonb(m) - 'last_read_at' order by m.chat_id, m.user_id) from chat_members m
      where m.user_id in (${ids}) or m.chat_id in (${chatId}, ${channel.id}, ${channel.privateId})) as members,
    (select jsonb_agg(to_jsonb(b) order by b.user_id) from bans b where b.chat_id = ${chatId}) as bans,
    (select jsonb_agg(to_jsonb(i) order by i.code) from invites i where i.chat_id in (${chatId}, ${dm.chatId})) as invites,
    (select jsonb_agg(to_jsonb(b) order by b.blocker_id, b.blocked_id) from blocks b where b.blocker_id in (${ids})) as blocks,
    (select jsonb_agg(to_jsonb(m) order by m.id) from messages m where m.chat_id in (${chatId}, ${dm.chatId}, ${channel.id}, ${channel.privateId})) as messages,
    (select jsonb_agg(to_jsonb(m) order by m.id) from media m where m.chat_id in (${chatId}, ${dm.chatId})) as media,
    (select jsonb_agg(to_jsonb(u) order by u.id) from uploads u where u.owner_id in (${ids})) as uploads,
    (select jsonb_agg(to_jsonb(c) order by c.id) from channels c where c.id in (${channel.id}, ${channel.privateId})) as channels,
    (select jsonb_agg(to_jsonb(b) order by b.chat_id, b.user_id) from bans b where b.chat_id in (
      ${chatId}, ${channel.id}, ${channel.privateId})) as bans,
    (select jsonb_agg(to_jsonb(u) - 'last_seen_at' order by u.id) from users u where u.id in (${ids})) as users,
    (select jsonb_agg(to_jsonb(s) order by s.id) from subscriptions s where s.user_id in (${ids})) as subscriptions,
    (select jsonb_agg(to_jsonb(p) order by p.id) from payment_logs p where p.user_id in (${ids})) as payments,
    (select jsonb_agg(to_jsonb(c) order by c.id) from calls c where c.chat_id in (${chatId}, ${dm.chatId})) as calls,
    (select jsonb_agg(s.id order by s.id) from session_tokens s where s.user_id in (${ids})) as sessions`)
  return row
}
