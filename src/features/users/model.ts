/** The JSON of profiles. */
import { t } from 'elysia'
import { pageFields } from '../../http/cursor.ts'
import { cleanText, Instant, UUID_PATTERN, Uuid, Whole } from '../../http/text.ts'
import type { AuditRow } from './audit-store.ts'
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
  upload_max_bytes: Whole({ description: 'The largest file that this account may send', examples: [52_428_800] }),
})
export type OwnProfile = typeof OwnProfile.static

// Within a union TypeBox takes a number for its digits when it looks for what is wrong, unless there is a length to compare.
const Bio = { ...cleanText(0, 500), minLength: 0 }

/** What an avatar is made of, of people, groups and channels. */
export const Avatar = t.Nullable(t.String({ examples: ['data:image/png;base64,iVBORw0KGgo='] }), {
  error: 'must be null or a string',
  description:
    'JPEG, PNG, WebP or GIF in base64 as a `data:` URL, or the path or URL of an image that you have sent; null removes it. ' +
    'It counts as an upload.',
})

export const UpdateProfile = t.Object({
  username: t.Optional(Username),
  bio: t.Optional(t.Nullable(Bio, { error: 'must be null or text of up to 500 characters' })),
  avatar: t.Optional(Avatar),
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

const MAX_PROFILES = 100
const ID = UUID_PATTERN.slice(1, -1)
export const SomeUsers = t.Object({
  ids: t.String({
    pattern: `^${ID}(?:,${ID}){0,${MAX_PROFILES - 1}}$`,
    error: `must be 1 to ${MAX_PROFILES} user ids with commas between`,
    examples: ['0190f6a2-7c1e-7000-8000-000000000001'],
  }),
})

export const UserSearch = t.Object({ q: cleanText(2, 255, { examples: ['john'] }) })
export const FoundUsers = t.Object({ users: t.Array(PublicProfile) })

export const BlockedUsers = t.Object({
  blocks: t.Array(t.Object({ user: PublicProfile, created_at: Instant })),
  ...pageFields,
})
export type BlockedUsers = typeof BlockedUsers.static

const AuditEntry = t.Object({
  id: Uuid,
  action: t.UnionEnum(['login', 'logout', 'register', 'password_change', 'profile_update', 'account_delete']),
  ip_address: NullableText('203.0.113.7'),
  user_agent: NullableText('Mozilla/5.0'),
  details: t.Record(t.String(), t.Unknown(), {
    description: 'Which fields changed, which sessions began or ended; `by: operator` when it was not me',
  }),
  created_at: Instant,
})
export const AuditLog = t.Object({ entries: t.Array(AuditEntry), ...pageFields })
export type AuditLog = typeof AuditLog.static

/** Who did something, as far as the connection tells: for the audit log and the list of sessions. */
export interface Client {
  address: string
  userAgent: string | null
}

/**
 * Deleted accounts keep nothing of the person, whatever the row still holds.
 * @param isConcealed whoever looks was blocked by this account: they do not learn when it is there
 */
export function toPublicProfile(row: PublicRow, isConcealed = false): PublicProfile {
  const isDeleted = row.deletedAt !== null
  return {
    id: row.id,
    username: isDeleted ? null : row.username,
    avatar_url: isDeleted ? null : row.avatarUrl,
    bio: isDeleted ? null : row.bio,
    is_premium: !isDeleted && row.isPremium,
    last_seen: isDeleted || isConcealed ? null : (row.lastSeenAt?.toISOString() ?? null),
    is_deleted: isDeleted,
  }
}

export const toAuditEntry = (row: AuditRow): AuditLog['entries'][number] => ({
  id: row.id,
  action: row.action,
  ip_address: row.ipAddress,
  user_agent: row.userAgent,
  details: row.details ?? {},
  created_at: row.createdAt.toISOString(),
})

/** @param uploadMaxBytes of the account's tier */
export const toOwnProfile = (row: OwnRow, uploadMaxBytes: number): OwnProfile => ({
  ...toPublicProfile(row),
  phone: row.phone,
  email: row.email,
  created_at: row.createdAt.toISOString(),
  upload_max_bytes: uploadMaxBytes,
})
