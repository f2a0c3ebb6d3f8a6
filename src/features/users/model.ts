/** The JSON of profiles. */
import { t } from 'elysia'
import { cleanText, Instant, Uuid } from '../../http/text.ts'
import { emailRule, phoneRule, type Rule, usernameRule } from './rules.ts'
import type { OwnRow, PublicRow } from './store.ts'

// Not t.RegExp: in a union its pattern is asked even of what is no text.
const ruled = ({ pattern, error }: Rule, example: string) =>
  t.String({ pattern: pattern.source, error, examples: [example] })
export const Phone = ruled(phoneRule, '+1234567890')
export const Email = ruled(emailRule, 'user@example.com')
export const Username = ruled(usernameRule, 'johndoe')

const NullableText = (example: string) => t.Nullable(t.String({ examples: [example] }))

export const PublicProfile = t.Object({
  id: Uuid,
  username: NullableText('johndoe'),
  avatar_url: t.Nullable(t.String()),
  bio: NullableText("Hello, I'm using Messenger!"),
  is_premium: t.Boolean(),
  last_seen: t.Nullable(Instant),
  is_deleted: t.Boolean({ description: 'A deleted account: all that was personal is null' }),
})
export type PublicProfile = typeof PublicProfile.static

export const OwnProfile = t.Object({
  ...PublicProfile.properties,
  phone: NullableText('+1234567890'),
  email: NullableText('user@example.com'),
  created_at: Instant,
})
export type OwnProfile = typeof OwnProfile.static

// Within a union TypeBox takes a number for its digits when it looks for what is wrong, unless there is a length to compare.
const Bio = { ...cleanText(0, 500), minLength: 0 }

export const UpdateProfile = t.Object({
  username: t.Optional(Username),
  bio: t.Optional(t.Nullable(Bio, { error: 'must be null or text of up to 500 characters' })),
  avatar: t.Optional(
    t.Nullable(t.String(), { error: 'must be null or a string', description: 'null removes the avatar' }),
  ),
})
export type UpdateProfile = typeof UpdateProfile.static

export const UpdatedProfile = t.Object({
  id: Uuid,
  username: NullableText('new_username'),
  bio: NullableText('New bio'),
  avatar_url: t.Nullable(t.String()),
  updated_at: Instant,
})
export type UpdatedProfile = typeof UpdatedProfile.static

export const UserSearch = t.Object({ q: cleanText(2, 255, { examples: ['john'] }) })
export const FoundUsers = t.Object({ users: t.Array(PublicProfile) })

/** Who did something, as far as the connection tells: for the audit log and the list of sessions. */
export interface Client {
  address: string
  userAgent: string | null
}

/** Deleted accounts keep nothing of the person, whatever the row still holds. */
export function toPublicProfile(row: PublicRow): PublicProfile {
  const isDeleted = row.deletedAt !== null
  return {
    id: row.id,
    username: isDeleted ? null : row.username,
    avatar_url: isDeleted ? null : row.avatarUrl,
    bio: isDeleted ? null : row.bio,
    is_premium: !isDeleted && row.isPremium,
    last_seen: isDeleted ? null : (row.lastSeenAt?.toISOString() ?? null),
    is_deleted: isDeleted,
  }
}

export const toOwnProfile = (row: OwnRow): OwnProfile => ({
  ...toPublicProfile(row),
  phone: row.phone,
  email: row.email,
  created_at: row.createdAt.toISOString(),
})
