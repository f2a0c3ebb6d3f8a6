/** Who is in a chat, and as what. Every change holds the lock of the chat's row, so limits hold under any race. */
import type { BusMessage } from '../../bus/bus.ts'
import { chatJoined, chatLeft } from '../../bus/control.ts'
import { chatUpdated, memberJoined, memberLeft, roleChanged } from '../../bus/events.ts'
import type { Tx } from '../../db/client.ts'
import { groupFull, memberNotFound, notAllowed, ownerMustHandOver, validationFailed } from '../../errors.ts'
import { toPublicProfile } from '../users/model.ts'
import { accessChat, accessLockedChat, type ChatAccess, isIntimate } from './access.ts'
import { deleteBans, insertBan } from './bans-store.ts'
import { deleteInvitesOf } from './invites-store.ts'
import { type Member, type Role, roleOf } from './model.ts'
import { type ChatsOptions, requireAddable } from './service.ts'
import * as store from './store.ts'

export type Members = ReturnType<typeof createMembers>

export function createMembers({ db, bus, users, listOnline, groupLimitOf }: ChatsOptions) {
  /**
   * How many members a chat may have. Ask before the transaction: those who wait for the chat's lock may hold every
   * connection that the answer needs.
   */
  const limitOf = async ({ type, ownerId }: Pick<ChatAccess, 'type' | 'ownerId'>): Promise<number> =>
    type === 'channel' || ownerId === null ? Number.POSITIVE_INFINITY : groupLimitOf(ownerId)

  return {
    /** In the order of joining. @throws AppError 404, 403 for a channel's subscribers */
    async list(userId: string, chatId: string, { limit = 50, offset = 0 }: { limit?: number; offset?: number }) {
      const chat = await accessChat(db, userId, chatId, 'list members')
      const rows = await store.listMembers(db, chatId, { limit, offset })
      const isShown = isIntimate(chat)
      const userIds = rows.map((row) => row.userId)
      const online = isShown ? await listOnline(userIds) : new Set<string>()
      const blockers = await users.listBlockers(db, userId, userIds)
      const members = rows.map(
        (row): Member => ({
          user: toPublicProfile(row.user, blockers.has(row.userId)),
          role: roleOf(row, chat.ownerId),
          joined_at: row.joinedAt.toISOString(),
          is_online: online.has(row.userId) && !blockers.has(row.userId),
          last_read_seq: isShown ? row.lastReadSeq : null,
        }),
      )
      return { members, total: chat.memberCount, has_more: offset + rows.length < chat.memberCount }
    },

    /**
     * @throws AppError 404, 403 for plain members and naming those who have blocked the adder, 400 naming unknown users,
     *   409 when the group would be too large
     */
    async add(userId: string, chatId: string, userIds: readonly string[]) {
      const limit = await limitOf(await accessChat(db, userId, chatId, 'manage'))
      const { added, memberCount, messages } = await db.transaction(async (tx) => {
        await requireAddable(users, tx, { adderId: userId, userIds, field: 'user_ids' })
        const chat = await accessLockedChat(tx, userId, chatId, 'manage')
        // For whoever was removed before this is the way back.
        await deleteBans(tx, chatId, userIds)
        return joinWithin(limit, tx, chat, userIds)
      })
      bus.publish(messages)
      return { added, member_count: memberCount }
    },

    /** For whoever has decided, under the lock of the chat's row, that they may. */
    join,
    joinWithin,
    limitOf,
    leave,

    /**
     * Removes somebody, who comes back only by being added and whose invites end, or (`targetId` oneself) leaves. Admins remove members, the
     * owner anybody.
     * @throws AppError 404, 403, 400 in a direct chat, 409 for an owner who leaves
     */
    async remove(userId: string, chatId: string, targetId: string): Promise<void> {
      const isLeaving = userId === targetId
      const messages = await db.transaction(async (tx) => {
        const chat = await accessLockedChat(tx, userId, chatId, isLeaving ? 'leave' : 'manage')
        if (isLeaving && chat.role === 'owner') throw ownerMustHandOver()
        const target = await store.findMember(tx, chatId, targetId)
        if (!target) throw memberNotFound()
        const isPeer = chat.role !== 'owner' && roleOf(target, chat.ownerId) !== 'member'
        if (!isLeaving && isPeer) throw notAllowed('remove an admin: only the owner may')
        if (!isLeaving) {
          await insertBan(tx, chatId, targetId)
          await deleteInvitesOf(tx, chatId, targetId)
        }
        return leave(tx, chat, targetId)
      })
      bus.publish(messages)
    },

    /**
     * The owner makes admins and members; `owner` hands the ownership over. The invites of who is made a member end.
     * @throws AppError 404, 403, 400 for oneself
     */
    async setRole(userId: string, chatId: string, targetId: string, role: Role) {
      const chat = await db.transaction(async (tx) => {
        const owned = await accessLockedChat(tx, userId, chatId, 'own')
        if (userId === targetId) throw validationFailed({ user_id: 'the owner’s role changes by handing over' })
        const target = await store.findMember(tx, chatId, targetId)
        if (!target) throw memberNotFound()
        await store.updateRole(tx, chatId, targetId, role === 'member' ? 'member' : 'admin')
        if (role === 'member') await deleteInvitesOf(tx, chatId, targetId)
        // The chat's row changes with every role: a post that waits for it looks again at what its sender may.
        await store.updateChat(tx, chatId, role === 'owner' ? { ownerId: targetId } : {})
        return owned
      })
      const member = { user_id: targetId, role }
      bus.publish(toldOfRole(chat, member, userId))
      return member
    },

    /**
     * What becomes of the chats of an account that is being deleted, within that transaction: groups and channels are
     * left, owned ones pass on, direct chats stay readable for the other one.
     * @returns what to publish after the commit
     */
    async releaseAccount(tx: Tx, userId: string): Promise<BusMessage[]> {
      const messages: BusMessage[] = []
      for (const chat of await store.lockChatsOf(tx, userId)) {
        if (chat.type === 'dm') {
          await store.updateChat(tx, chat.id, { isReadOnly: true })
          messages.push(chatUpdated(chat.id, { is_read_only: true }))
          continue
        }
        if (chat.ownerId === userId) messages.push(await passOn(tx, chat.id, userId, chat.type === 'channel'))
        messages.push(...(await leave(tx, { chatId: chat.id, type: chat.type }, userId)))
      }
      return messages
    },
  }
}

/**
 * In a transaction that holds the lock of the chat's row.
 * @returns who was not in it before, how many are in it now, and what to publish after the commit
 */
async function join(tx: Tx, chat: Pick<ChatAccess, 'chatId' | 'type' | 'lastSeq'>, userIds: readonly string[]) {
  const { chatId, type, lastSeq } = chat
  const added = await store.insertMembers(tx, chatId, [...new Set(userIds)], { lastReadSeq: lastSeq })
  const memberCount = await store.addToMemberCount(tx, chatId, added.length)
  const messages = added.flatMap((id) => [
    chatJoined(id, chatId),
    ...toldOf(type, memberJoined(chatId, id, memberCount)),
  ])
  return { added, memberCount, messages }
}

/** `join`, into a chat of at most `limit` members; whoever is in it already needs no room. @throws groupFull */
async function joinWithin(limit: number, ...of: Parameters<typeof join>) {
  const joined = await join(...of)
  const isTooMuch = joined.added.length > 0 && joined.memberCount > limit
  if (isTooMuch) throw groupFull(limit)
  return joined
}

/**
 * In a transaction that holds the lock of the chat's row. Whoever is not in it any more was counted already.
 * @returns what to publish after the commit
 */
async function leave(tx: Tx, { chatId, type }: Pick<ChatAccess, 'chatId' | 'type'>, userId: string) {
  if (!(await store.deleteMember(tx, chatId, userId))) return []
  const memberCount = await store.addToMemberCount(tx, chatId, -1)
  return [chatLeft(userId, chatId), ...toldOf(type, memberLeft(chatId, userId, memberCount))]
}

/** Who subscribes to a channel is for its staff to know, and telling each of thousands of each other would be endless. */
const toldOf = (type: ChatAccess['type'], event: BusMessage): BusMessage[] => (type === 'channel' ? [] : [event])

/** Everybody in a group hears of a role; in a channel only those whose it is, and everybody of another owner. */
function toldOfRole(
  { type, chatId }: Pick<ChatAccess, 'chatId' | 'type'>,
  member: { user_id: string; role: Role },
  formerOwnerId: string,
): BusMessage[] {
  const isHandedOver = member.role === 'owner'
  const owner = isHandedOver ? { owner_id: member.user_id } : {}
  if (type !== 'channel') return [chatUpdated(chatId, { ...owner, member })]
  if (!isHandedOver) return [roleChanged(chatId, member)]
  const former = roleChanged(chatId, { user_id: formerOwnerId, role: 'admin' })
  return [chatUpdated(chatId, owner), roleChanged(chatId, member), former]
}

/** A group passes to its oldest admin, else its oldest member; a channel to its oldest admin, else nobody posts any more. */
async function passOn(tx: Tx, chatId: string, ownerId: string, isChannel: boolean): Promise<BusMessage> {
  const heirId = await store.findHeir(tx, chatId, ownerId, isChannel)
  await store.updateChat(tx, chatId, { ownerId: heirId ?? null, isReadOnly: heirId === undefined })
  if (heirId) await store.updateRole(tx, chatId, heirId, 'admin')
  return chatUpdated(chatId, { owner_id: heirId ?? null, is_read_only: heirId === undefined })
}
