/** Chats: groups, direct chats and the chat list. Members are in members.ts, read marks in reads.ts. */
import type { Bus } from '../../bus/bus.ts'
import { chatJoined, chatLeft } from '../../bus/control.ts'
import { chatUpdated } from '../../bus/events.ts'
import { type Cache, remember } from '../../cache/cache.ts'
import { DM_CHAT_SECONDS, dmChatKey } from '../../cache/keys.ts'
import type { Db, Tx } from '../../db/client.ts'
import {
  blockedByUser,
  chatNotFound,
  dmWithOneself,
  groupFull,
  mayNotAdd,
  sessionEnded,
  userNotFound,
  validationFailed,
} from '../../errors.ts'
import { type CursorPage, cutPage, decodeCursor } from '../../http/cursor.ts'
import type { Avatars } from '../users/avatars.ts'
import type { BlockChange } from '../users/blocks.ts'
import type { Users } from '../users/service.ts'
import { accessChat, accessLockedChat } from './access.ts'

import { type Chat, type ChatOverview, type CreateGroup, toOverview, type UpdateChat } from './model.ts'
import { listChatIds, listHeads, listOverviews, listOwnIds, type OverviewFilter } from './overview-store.ts'
import * as store from './store.ts'

export interface ChatsOptions {
  db: Db
  bus: Bus
  cache: Cache
  users: Users
  avatars: Avatars
  /** Which of these users have an open socket. */
  listOnline(userIds: readonly string[]): Promise<ReadonlySet<string>>
  /** How many members a group of this owner may have. */
  groupLimitOf(ownerId: string): Promise<number>
}

export type Chats = ReturnType<typeof createChats>

export function createChats({ db, bus, cache, users, avatars, listOnline, groupLimitOf }: ChatsOptions) {
  async function listOverviewsOf(userId: string, filter: OverviewFilter, on: Db | Tx = db): Promise<ChatOverview[]> {
    const rows = await listOverviews(on, userId, filter)
    const online = await listOnline(rows.flatMap(({ peer }) => (peer ? [peer.id] : [])))
    return rows.map((row) => toOverview(row, userId, online))
  }

  async function get(userId: string, chatId: string): Promise<ChatOverview> {
    const [chat] = await listOverviewsOf(userId, { chatIds: [chatId] })
    if (!chat) throw chatNotFound()
    return chat
  }

  /**
   * The direct chat of the two. Its id never changes, so it is kept; the chat itself is always read, as its member, and an
   * id that does not lead to the peer counts for nothing.
   */
  async function findDm(userId: string, peerId: string): Promise<ChatOverview | undefined> {
    const dmKey = dmKeyOf(userId, peerId)
    const kept = await remember(cache, dmChatKey(dmKey), DM_CHAT_SECONDS, () => store.findDmId(db, dmKey))
    if (!kept) return undefined
    const [chat] = await listOverviewsOf(userId, { chatIds: [kept] })
    if (chat?.peer?.id === peerId) return chat
    await cache.forget(dmChatKey(dmKey))
    const id = await store.findDmId(db, dmKey)
    return id ? get(userId, id) : undefined
  }

  return {
    /** Chats of the user as they see them; `on` may be a transaction that reads one snapshot. */
    listOverviewsOf,
    /** @throws chatNotFound */
    get,
    /** Where each of the user's chats stands. */
    listHeads: (userId: string) => listHeads(db, userId),
    /** The ids of the user's chats. */
    listOwnIds: (userId: string) => listOwnIds(db, userId),
    /** The ids of the chats of each of these users. */
    listChatIds: (userIds: readonly string[]) => listChatIds(db, userIds),

    /** The latest activity first. @throws AppError 400 for a cursor that is none */
    async list(userId: string, { limit = 50, cursor }: CursorPage) {
      const before = cursor === undefined ? undefined : decodeCursor(cursor)
      const found = await listOverviewsOf(userId, { before, limit: limit + 1 })
      const placeOf = ({ last_message_at, id }: ChatOverview) => ({ at: new Date(last_message_at), id })
      const { page, ...rest } = cutPage(found, limit, placeOf)
      return { chats: page, ...rest }
    },

    /**
     * @returns the group, and everybody named in it once, the creator included
     * @throws AppError 400 naming each unknown member, 403 naming each who has blocked the creator, 409 when there are
     *   too many
     */
    async createGroup(ownerId: string, { name, member_ids = [] }: CreateGroup): Promise<Chat> {
      const memberIds = [...new Set([ownerId, ...member_ids])]
      const limit = await groupLimitOf(ownerId)
      if (memberIds.length > limit) throw groupFull(limit)
      const id = Bun.randomUUIDv7()
      const memberCount = memberIds.length
      const createdAt = await db.transaction(async (tx) => {
        await requireAddable(users, tx, { adderId: ownerId, userIds: member_ids, field: 'member_ids' })
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
     * @throws AppError 400 with oneself; when it would have to be made: 404 with somebody who is not there, 403 with one
     *   who has blocked the user
     */
    async getOrCreateDm(userId: string, peerId: string): Promise<{ chat: ChatOverview; isNew: boolean }> {
      if (userId === peerId) throw dmWithOneself()
      const existing = await findDm(userId, peerId)
      if (existing) return { chat: existing, isNew: false }

      const dmKey = dmKeyOf(userId, peerId)
      const id = Bun.randomUUIDv7()
      const isNew = await db.transaction(async (tx) => {
        const living = await users.listExistingIds(tx, [userId, peerId])
        if (!living.includes(userId)) throw sessionEnded()
        if (!living.includes(peerId)) throw userNotFound()
        const isRefused = (await users.listBlockers(tx, userId, [peerId])).has(peerId)
        if (isRefused) throw blockedByUser()
        const isPeerBlocked = (await users.listBlockers(tx, peerId, [userId])).has(userId)
        const inserted = await store.insertDm(tx, { id, dmKey })
        const blockedId = isPeerBlocked ? peerId : undefined
        if (inserted) await store.insertMembers(tx, id, [userId, peerId], { blockedId })
        return inserted
      })
      if (isNew) bus.publish([userId, peerId].map((memberId) => chatJoined(memberId, id)))
      // Whoever lost the race finds the chat of the winner, which the conflict waited for.
      const chatId = isNew ? id : await store.findDmId(db, dmKey)
      if (!chatId) throw chatNotFound()
      return { chat: await get(userId, chatId), isNew }
    },

    /**
     * Shuts or opens a direct chat for whoever was blocked or unblocked, if the two have one, within the transaction
     * that holds both accounts: nobody makes theirs meanwhile.
     */
    async followBlock(tx: Tx, { blockerId, blockedId, isBlocked }: BlockChange): Promise<void> {
      const chatId = await store.findDmId(tx, dmKeyOf(blockerId, blockedId))
      if (!chatId) return
      await store.lockChat(tx, chatId)
      await store.updateBlocked(tx, chatId, blockedId, isBlocked)
      // The chat's row changes with it: a message that waits for it looks again at what its sender may.
      await store.updateChat(tx, chatId, {})
    },

    /**
     * @throws AppError 404, 403 for plain members, 400 for a direct chat; 400, 415, 429, 503 for an avatar that cannot be made
     */
    async update(userId: string, chatId: string, { name, avatar }: UpdateChat): Promise<ChatOverview> {
      if (name === undefined && avatar === undefined) throw validationFailed({ name: 'or avatar must be given' })
      // Pictures are made for those alone who may show them.
      await accessChat(db, userId, chatId, 'manage')
      const findAvatar = () => store.findAvatar(db, chatId)
      const avatar_url = await avatars.exchange(userId, avatar, findAvatar, (avatarUrl) =>
        db.transaction(async (tx) => {
          await accessLockedChat(tx, userId, chatId, 'manage')
          return { done: avatarUrl, replaced: await setLook(tx, chatId, { name, avatarUrl }) }
        }),
      )
      bus.publish([chatUpdated(chatId, { name, avatar_url })])
      return get(userId, chatId)
    },

    /** For whoever has decided, in a transaction that holds the lock of the chat's row, that they may. */
    setLook,
    /** The URL of its picture. */
    findAvatar: (chatId: string): Promise<string | null> => store.findAvatar(db, chatId),

    /** Deletes the chat and all that was said in it, for everybody. @throws AppError 404, 403 for all but the owner */
    async delete(userId: string, chatId: string): Promise<void> {
      const { memberIds, avatarUrl } = await db.transaction(async (tx) => {
        await accessLockedChat(tx, userId, chatId, 'own')
        const former = {
          memberIds: await store.listMemberIds(tx, chatId),
          avatarUrl: await store.findAvatar(tx, chatId),
        }
        await store.deleteMessages(tx, chatId)
        await store.deleteChat(tx, chatId)
        return former
      })
      bus.publish(memberIds.map((memberId) => chatLeft(memberId, chatId)))
      await avatars.drop(avatarUrl)
    },

    /** Whether the user may read the chat, and how they stand to it. @throws chatNotFound */
    access: (userId: string, chatId: string) => accessChat(db, userId, chatId, 'read'),
  }
}

/** @returns the URL of the picture that it had */
async function setLook(
  tx: Tx,
  chatId: string,
  look: { name?: string; avatarUrl?: string | null },
): Promise<string | null> {
  const replaced = await store.findAvatar(tx, chatId)
  await store.updateChat(tx, chatId, look)
  return replaced
}

/** The same for both: there is one direct chat for a pair. */
const dmKeyOf = (oneId: string, otherId: string): string => [oneId, otherId].sort().join(':')

/**
 * Whoever adds and whoever is to be added stay as they are until the transaction ends. All are locked at once and before
 * any chat, as a deletion and a block lock them, or two of them could wait for each other.
 * @throws AppError 401 for an adder who is not there any more; each of `userIds` by its place in the list that is nobody
 *   (400) or has blocked the adder (403)
 */
export async function requireAddable(
  users: Users,
  tx: Tx,
  { adderId, userIds, field }: { adderId: string; userIds: readonly string[]; field: string },
): Promise<void> {
  const existing = new Set(await users.listExistingIds(tx, [adderId, ...userIds]))
  if (!existing.has(adderId)) throw sessionEnded()
  const placesOf = (isOne: (id: string) => boolean, why: string) =>
    Object.fromEntries(userIds.flatMap((id, index) => (isOne(id) ? [[`${field}.${index}`, why]] : [])))

  const isUnknown = (id: string) => !existing.has(id)
  if (userIds.some(isUnknown)) throw validationFailed(placesOf(isUnknown, 'is no user'))
  const blockers = await users.listBlockers(tx, adderId, userIds)
  if (blockers.size > 0) throw mayNotAdd(placesOf((id) => blockers.has(id), 'does not want to be added by you'))
}

/** One who deletes their account at this moment must not own or share a chat afterwards. @throws sessionEnded */
export async function requireMyself(users: Users, tx: Tx, userId: string): Promise<void> {
  const [myself] = await users.listExistingIds(tx, [userId])
  if (!myself) throw sessionEnded()
}
