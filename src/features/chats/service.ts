/** Chats: groups, direct chats and the chat list. Members are in members.ts, read marks in reads.ts. */
import type { Bus } from '../../bus/bus.ts'
import { chatJoined, chatLeft } from '../../bus/control.ts'
import { chatUpdated } from '../../bus/events.ts'
import type { Db, Tx } from '../../db/client.ts'
import { chatNotFound, dmWithOneself, groupFull, sessionEnded, userNotFound, validationFailed } from '../../errors.ts'
import type { Users } from '../users/service.ts'
import { accessChat, accessLockedChat } from './access.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { type Chat, type ChatOverview, type ChatPage, type CreateGroup, toOverview } from './model.ts'
import { listHeads, listOverviews, type OverviewFilter } from './overview-store.ts'
import * as store from './store.ts'

export interface ChatsOptions {
  db: Db
  bus: Bus
  users: Users
  /** Which of these users have an open socket. */
  listOnline(userIds: readonly string[]): Promise<ReadonlySet<string>>
  /** How many members a group of this owner may have. */
  groupLimitOf(ownerId: string): Promise<number>
}

export type Chats = ReturnType<typeof createChats>

export function createChats({ db, bus, users, listOnline, groupLimitOf }: ChatsOptions) {
  async function listOverviewsOf(userId: string, filter: OverviewFilter, on: Db | Tx = db): Promise<ChatOverview[]> {
    const rows = await listOverviews(on, userId, filter)
    const online = await listOnline(rows.flatMap(({ peer }) => (peer ? [peer.id] : [])))
    return rows.map((row) => toOverview(row, online))
  }

  async function get(userId: string, chatId: string): Promise<ChatOverview> {
    const [chat] = await listOverviewsOf(userId, { chatIds: [chatId] })
    if (!chat) throw chatNotFound()
    return chat
  }

  return {
    /** Chats of the user as they see them; `on` may be a transaction that reads one snapshot. */
    listOverviewsOf,
    /** @throws chatNotFound */
    get,
    /** Where each of the user's chats stands. */
    listHeads: (userId: string) => listHeads(db, userId),

    async list(userId: string, { limit = 50, cursor }: ChatPage) {
      const before = cursor === undefined ? undefined : decodeCursor(cursor)
      const found = await listOverviewsOf(userId, { before, limit: limit + 1 })
      const chats = found.slice(0, limit)
      const last = chats.at(-1)
      const has_more = found.length > limit
      return { chats, has_more, next_cursor: has_more && last ? encodeCursor(last) : null }
    },

    /**
     * @returns the group, and everybody named in it once, the creator included
     * @throws AppError 400 naming each unknown member, 409 when there are too many
     */
    async createGroup(ownerId: string, { name, member_ids = [] }: CreateGroup): Promise<Chat> {
      const memberIds = [...new Set([ownerId, ...member_ids])]
      const limit = await groupLimitOf(ownerId)
      if (memberIds.length > limit) throw groupFull(limit)
      const id = Bun.randomUUIDv7()
      const memberCount = memberIds.length
      const createdAt = await db.transaction(async (tx) => {
        await requireMyself(users, tx, ownerId)
        await requireExisting(users, tx, member_ids, 'member_ids')
        const group = await store.insertGroup(tx, { id, name, ownerId, memberCount })
        await store.insertMembers(tx, id, memberIds, { adminId: ownerId })
        return group?.createdAt ?? new Date()
      })
      bus.publish(memberIds.map((userId) => chatJoined(userId, id)))
      const created_at = createdAt.toISOString()
      return { id, name, type: 'group', owner_id: ownerId, member_count: memberCount, created_at }
    },

    /**
     * The one direct chat of two users, made when it is not there.
     * @throws AppError 400 with oneself, 404 when it would have to be made with somebody who is not there
     */
    async getOrCreateDm(userId: string, peerId: string): Promise<{ chat: ChatOverview; isNew: boolean }> {
      if (userId === peerId) throw dmWithOneself()
      const dmKey = [userId, peerId].sort().join(':')
      const existing = await store.findDmId(db, dmKey)
      if (existing) return { chat: await get(userId, existing), isNew: false }

      const id = Bun.randomUUIDv7()
      const isNew = await db.transaction(async (tx) => {
        await requireMyself(users, tx, userId)
        const [peer] = await users.listExistingIds(tx, [peerId])
        if (!peer) throw userNotFound()
        const inserted = await store.insertDm(tx, { id, dmKey })
        if (inserted) await store.insertMembers(tx, id, [userId, peerId])
        return inserted
      })
      if (isNew) bus.publish([userId, peerId].map((memberId) => chatJoined(memberId, id)))
      // Whoever lost the race finds the chat of the winner, which the conflict waited for.
      const chatId = isNew ? id : await store.findDmId(db, dmKey)
      if (!chatId) throw chatNotFound()
      return { chat: await get(userId, chatId), isNew }
    },

    /** @throws AppError 404, 403 for plain members, 400 for a direct chat */
    async rename(userId: string, chatId: string, name: string): Promise<ChatOverview> {
      await db.transaction(async (tx) => {
        await accessLockedChat(tx, userId, chatId, 'manage')
        await store.updateChat(tx, chatId, { name })
      })
      bus.publish([chatUpdated(chatId, { name })])
      return get(userId, chatId)
    },

    /** Deletes the chat and all that was said in it, for everybody. @throws AppError 404, 403 for all but the owner */
    async delete(userId: string, chatId: string): Promise<void> {
      const memberIds = await db.transaction(async (tx) => {
        await accessLockedChat(tx, userId, chatId, 'own')
        const ids = await store.listMemberIds(tx, chatId)
        await store.deleteMessages(tx, chatId)
        await store.deleteChat(tx, chatId)
        return ids
      })
      bus.publish(memberIds.map((memberId) => chatLeft(memberId, chatId)))
    },

    /** Whether the user may read the chat, and how they stand to it. @throws chatNotFound */
    access: (userId: string, chatId: string) => accessChat(db, userId, chatId, 'read'),
  }
}

/** @throws AppError 400 naming each of `userIds` that is nobody, by its place in the list */
export async function requireExisting(users: Users, tx: Tx, userIds: readonly string[], field: string): Promise<void> {
  const existing = new Set(await users.listExistingIds(tx, userIds))
  const unknown = userIds.flatMap((id, index) => (existing.has(id) ? [] : [[`${field}.${index}`, 'is no user']]))
  if (unknown.length > 0) throw validationFailed(Object.fromEntries(unknown))
}

/** One who deletes their account at this moment must not own or share a chat afterwards. @throws sessionEnded */
async function requireMyself(users: Users, tx: Tx, userId: string): Promise<void> {
  const [myself] = await users.listExistingIds(tx, [userId])
  if (!myself) throw sessionEnded()
}
