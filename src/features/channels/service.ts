/** Channels: one speaks, many listen. What is said there goes the way of every message; who is in one, that of chats. */
import type { Bus, BusMessage } from '../../bus/bus.ts'
import { chatJoined } from '../../bus/control.ts'
import { chatUpdated } from '../../bus/events.ts'
import type { Db, Tx } from '../../db/client.ts'
import { channelNotFound, notAllowed, ownerMustHandOver } from '../../errors.ts'
import { requireNotBanned } from '../chats/access.ts'
import type { Members } from '../chats/members.ts'
import { type Chats, requireMyself } from '../chats/service.ts'
import type { Avatars } from '../users/avatars.ts'
import type { Users } from '../users/service.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { type Channel, type ChannelPage, type CreateChannel, toChannel, type UpdateChannel } from './model.ts'
import * as store from './store.ts'

export interface ChannelsOptions {
  db: Db
  bus: Bus
  users: Users
  avatars: Avatars
  chats: Chats
  members: Members
}

export type Channels = ReturnType<typeof createChannels>

export function createChannels({ db, bus, users, avatars, chats, members }: ChannelsOptions) {
  /** Runs `change`, and publishes what it returns after the commit. */
  async function publishing(change: (tx: Tx) => Promise<BusMessage[]>): Promise<void> {
    bus.publish(await db.transaction(change))
  }

  const get = async (userId: string, channelId: string): Promise<Channel> =>
    toChannel(await getVisible(db, userId, channelId))

  return {
    /** @throws channelNotFound for a private one that the user has not subscribed to, too */
    get,

    /** Public ones, those with the most subscribers first. @throws AppError 400 */
    async list(userId: string, { q, limit = 50, cursor }: ChannelPage) {
      const after = cursor === undefined ? undefined : decodeCursor(cursor)
      const found = await store.listPublic(db, userId, { part: q, after, limit: limit + 1 })
      const shown = found.slice(0, limit)
      const last = shown.at(-1)
      const has_more = found.length > limit
      return { channels: shown.map(toChannel), has_more, next_cursor: has_more && last ? encodeCursor(last) : null }
    },

    /** The creator owns it and is its first subscriber. */
    async create(ownerId: string, { name, description = null, is_public = true }: CreateChannel): Promise<Channel> {
      const id = Bun.randomUUIDv7()
      const channel = await db.transaction(async (tx) => {
        await requireMyself(users, tx, ownerId)
        await store.insertChannel(tx, { id, name, ownerId, description, isPublic: is_public })
        return getVisible(tx, ownerId, id)
      })
      bus.publish([chatJoined(ownerId, id)])
      return toChannel(channel)
    },

    /**
     * Owner and admins.
     * @throws AppError 404, 403 for all others who see it; 400, 415, 429, 503 for an avatar that cannot be made
     */
    async update(userId: string, channelId: string, changes: UpdateChannel): Promise<Channel> {
      const { name, description, is_public, avatar } = changes
      const hasDetails = description !== undefined || is_public !== undefined
      // Pictures are made for those alone who may show them.
      requireStaff(await get(userId, channelId))
      const findAvatar = () => chats.findAvatar(channelId)
      const messages = await avatars.exchange(userId, avatar, findAvatar, (avatarUrl) =>
        db.transaction(async (tx) => {
          requireStaff(toChannel(await lockVisible(tx, userId, channelId)))
          const hasLook = name !== undefined || avatarUrl !== undefined
          const replaced = hasLook ? await chats.setLook(tx, channelId, { name, avatarUrl }) : null
          if (hasDetails) await store.updateDetails(tx, channelId, { description, isPublic: is_public })
          const event = chatUpdated(channelId, { name, description, is_public, avatar_url: avatarUrl })
          return { done: hasLook || hasDetails ? [event] : [], replaced }
        }),
      )
      bus.publish(messages)
      return get(userId, channelId)
    },

    /**
     * Subscribing again changes nothing.
     * @throws AppError 404, a private one included; 403 for one whom its staff has removed
     */
    async subscribe(userId: string, channelId: string): Promise<Channel> {
      await publishing(async (tx) => {
        // Accounts before chats, as a deletion locks them, or the two could wait for each other.
        await requireMyself(users, tx, userId)
        const channel = await lockVisible(tx, userId, channelId)
        if (channel.member) return []
        await requireNotBanned(tx, userId, channelId)
        const joining = { chatId: channelId, type: 'channel', lastSeq: channel.lastSeq } as const
        return (await members.join(tx, joining, [userId])).messages
      })
      return get(userId, channelId)
    },

    /** One who has not subscribed has nothing to take back. @throws AppError 404, 409 for the owner */
    unsubscribe: (userId: string, channelId: string): Promise<void> =>
      publishing(async (tx) => {
        const { ownerId } = await lockVisible(tx, userId, channelId)
        if (ownerId === userId) throw ownerMustHandOver()
        return members.leave(tx, { chatId: channelId, type: 'channel' }, userId)
      }),
  }
}

function requireStaff({ role }: Channel): void {
  const isStaff = role === 'owner' || role === 'admin'
  if (!isStaff) throw notAllowed('manage this channel')
}

/** @throws channelNotFound */
async function getVisible(on: Db | Tx, userId: string, channelId: string): Promise<store.ChannelRow> {
  const channel = await store.findVisible(on, channelId, userId)
  if (!channel) throw channelNotFound()
  return channel
}

/** The same with its chat's row locked: two statements, because one that waited for the lock would see what was before. */
async function lockVisible(tx: Tx, userId: string, channelId: string): Promise<store.ChannelRow> {
  await store.lockChannel(tx, channelId)
  return getVisible(tx, userId, channelId)
}
