/** Who is in a chat, and as what. Every change holds the lock of the chat's row, so limits hold under any race. */
import type { BusMessage } from '../../bus/bus.ts'
import { chatJoined, chatLeft } from '../../bus/control.ts'
import { chatUpdated, memberJoined, memberLeft } from '../../bus/events.ts'
import type { Tx } from '../../db/client.ts'
import { groupFull, memberNotFound, notAllowed, ownerMustHandOver, validationFailed } from '../../errors.ts'
import { toPublicProfile } from '../users/model.ts'
import { accessChat, accessLockedChat, isIntimate } from './access.ts'
import { type Member, type Role, roleOf } from './model.ts'
import { type ChatsOptions, requireExisting } from './service.ts'
import * as store from './store.ts'

export type Members = ReturnType<typeof createMembers>

export function createMembers({ db, bus, users, listOnline, groupLimitOf }: ChatsOptions) {
  return {
    /** In the order of joining. @throws AppError 404, 403 for a channel's subscribers */
    async list(userId: string, chatId: string, { limit = 50, offset = 0 }: { limit?: number; offset?: number }) {
      const chat = await accessChat(db, userId, chatId, 'list members')
      const rows = await store.listMembers(db, chatId, { limit, offset })
      const isShown = isIntimate(chat)
      const online = isShown ? await listOnline(rows.map((row) => row.userId)) : new Set<string>()
      const members = rows.map(
        (row): Member => ({
          user: toPublicProfile(row.user),
          role: roleOf(row, chat.ownerId),
          joined_at: row.joinedAt.toISOString(),
          is_online: online.has(row.userId),
          last_read_seq: isShown ? row.lastReadSeq : null,
        }),
      )
      return { members, total: chat.memberCount, has_more: offset + rows.length < chat.memberCount }
    },

    /** @throws AppError 404, 403 for plain members, 400 naming unknown users, 409 when the group would be too large */
    async add(userId: string, chatId: string, userIds: readonly string[]) {
      const { added, memberCount } = await db.transaction(async (tx) => {
        await accessChat(tx, userId, chatId, 'manage')
        // Accounts before chats, as a deletion locks them, or the two could wait for each other.
        await requireExisting(users, tx, userIds, 'user_ids')
        const chat = await accessLockedChat(tx, userId, chatId, 'manage')
        const joined = await store.insertMembers(tx, chatId, [...new Set(userIds)], { lastReadSeq: chat.lastSeq })
        const limit = await groupLimitOf(chat.ownerId ?? userId)
        if (joined.length > 0 && chat.memberCount + joined.length > limit) throw groupFull(limit)
        return { added: joined, memberCount: await store.addToMemberCount(tx, chatId, joined.length) }
      })
      bus.publish(added.flatMap((id) => [chatJoined(id, chatId), memberJoined(chatId, id, memberCount)]))
      return { added, member_count: memberCount }
    },

    /**
     * Removes somebody, or (`targetId` oneself) leaves. Admins remove members, the owner anybody.
     * @throws AppError 404, 403, 400 in a direct chat, 409 for an owner who leaves
     */
    async remove(userId: string, chatId: string, targetId: string): Promise<void> {
      const isLeaving = userId === targetId
      const memberCount = await db.transaction(async (tx) => {
        const chat = await accessLockedChat(tx, userId, chatId, isLeaving ? 'leave' : 'manage')
        if (isLeaving && chat.role === 'owner') throw ownerMustHandOver()
        const target = await store.findMember(tx, chatId, targetId)
        if (!target) throw memberNotFound()
        const isPeer = chat.role !== 'owner' && roleOf(target, chat.ownerId) !== 'member'
        if (!isLeaving && isPeer) throw notAllowed('remove an admin: only the owner may')
        await store.deleteMember(tx, chatId, targetId)
        return store.addToMemberCount(tx, chatId, -1)
      })
      bus.publish([chatLeft(targetId, chatId), memberLeft(chatId, targetId, memberCount)])
    },

    /** The owner makes admins and members; `owner` hands the ownership over. @throws AppError 404, 403, 400 for oneself */
    async setRole(userId: string, chatId: string, targetId: string, role: Role) {
      await db.transaction(async (tx) => {
        await accessLockedChat(tx, userId, chatId, 'own')
        if (userId === targetId) throw validationFailed({ user_id: 'the owner’s role changes by handing over' })
        const target = await store.findMember(tx, chatId, targetId)
        if (!target) throw memberNotFound()
        await store.updateRole(tx, chatId, targetId, role === 'member' ? 'member' : 'admin')
        // The chat's row changes with every role: a post that waits for it looks again at what its sender may.
        await store.updateChat(tx, chatId, role === 'owner' ? { ownerId: targetId } : {})
      })
      const handedOver = role === 'owner' ? { owner_id: targetId } : {}
      const member = { user_id: targetId, role }
      bus.publish([chatUpdated(chatId, { ...handedOver, member })])
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
        // Removed by somebody else while this waited for the lock: counted already.
        if (!(await store.deleteMember(tx, chat.id, userId))) continue
        const memberCount = await store.addToMemberCount(tx, chat.id, -1)
        messages.push(memberLeft(chat.id, userId, memberCount))
      }
      return messages
    },
  }
}

/** A group passes to its oldest admin, else its oldest member; a channel to its oldest admin, else nobody posts any more. */
async function passOn(tx: Tx, chatId: string, ownerId: string, isChannel: boolean): Promise<BusMessage> {
  const heirId = await store.findHeir(tx, chatId, ownerId, isChannel)
  await store.updateChat(tx, chatId, { ownerId: heirId ?? null, isReadOnly: heirId === undefined })
  if (heirId) await store.updateRole(tx, chatId, heirId, 'admin')
  return chatUpdated(chatId, { owner_id: heirId ?? null, is_read_only: heirId === undefined })
}
