/** The shapes of channels. */
import { t } from 'elysia'
import { CursorPage, pageFields } from '../../http/cursor.ts'
import { cleanText, Instant, Uuid, Whole } from '../../http/text.ts'
import { Role, roleOf } from '../chats/model.ts'
import { Avatar } from '../users/model.ts'
import type { ChannelRow } from './store.ts'

const ChannelName = cleanText(1, 255, { examples: ['Announcements'] })

// Within a union TypeBox takes a number for its digits when it looks for what is wrong, unless there is a length to compare.
const DescriptionText = { ...cleanText(0, 500, { examples: ['Official announcements'] }), minLength: 0 }
const Description = t.Nullable(DescriptionText, { error: 'must be null or text of up to 500 characters' })
const IsPublic = t.Boolean({
  error: 'must be true or false',
  description: 'Whether everybody finds it and may subscribe; a private one is for those who are added or invited',
})

export const CreateChannel = t.Object({
  name: ChannelName,
  description: t.Optional(Description),
  is_public: t.Optional(IsPublic),
})
export type CreateChannel = typeof CreateChannel.static

export const UpdateChannel = t.Partial(t.Object({ ...CreateChannel.properties, avatar: Avatar }))
export type UpdateChannel = typeof UpdateChannel.static

/** A channel as somebody sees it who may: subscribed or not. */
export const Channel = t.Object({
  id: Uuid,
  name: t.String({ examples: ['Announcements'] }),
  description: t.Nullable(t.String({ examples: ['Official announcements'] })),
  avatar_url: t.Nullable(t.String()),
  owner_id: t.Nullable(Uuid),
  is_public: t.Boolean(),
  is_read_only: t.Boolean({ description: 'Nobody posts there any more' }),
  subscriber_count: Whole(),
  created_at: Instant,
  is_subscribed: t.Boolean(),
  role: t.Nullable(Role, { description: 'Mine; null for one who has not subscribed' }),
})
export type Channel = typeof Channel.static

export const ChannelPage = t.Object({
  q: t.Optional(cleanText(0, 255, { description: 'Any part of the name, in any case', examples: ['announce'] })),
  ...CursorPage.properties,
})
export interface ChannelPage extends CursorPage {
  q?: string
}

export const ChannelList = t.Object({ channels: t.Array(Channel), ...pageFields })

export const toChannel = (row: ChannelRow): Channel => ({
  id: row.id,
  name: row.name,
  description: row.description,
  avatar_url: row.avatarUrl,
  owner_id: row.ownerId,
  is_public: row.isPublic,
  is_read_only: row.isReadOnly,
  subscriber_count: row.subscriberCount,
  created_at: row.createdAt.toISOString(),
  is_subscribed: row.member !== null,
  role: row.member && roleOf(row.member, row.ownerId),
})
