/** The shapes of chats and their members. */
import { t } from 'elysia'
import { pageFields } from '../../http/cursor.ts'
import { cleanText, Instant, PageLimit, QueryCount, Uuid, Whole, wholeNumber } from '../../http/text.ts'
import { Message, toMessage } from '../messages/model.ts'
import { Avatar, PublicProfile, toPublicProfile } from '../users/model.ts'
import type { InviteRow } from './invites-store.ts'
import type { OverviewRow } from './overview-store.ts'

// Not t.UnionEnum, which fills in its first value where none was sent.
export const Role = t.Union([t.Literal('owner'), t.Literal('admin'), t.Literal('member')], {
  error: 'must be owner, admin or member',
})
export type Role = typeof Role.static

export const ChatName = cleanText(1, 255, { examples: ['My Group'] })

/** The largest group an offer of members can describe; the group's own limit is far below. */
const MAX_IDS = 1000
const UserIds = t.Array(Uuid, { maxItems: MAX_IDS, error: `must be a list of at most ${MAX_IDS} user ids` })

export const CreateGroup = t.Object({
  name: ChatName,
  type: t.Literal('group', { error: 'must be group' }),
  member_ids: t.Optional(UserIds),
})
export type CreateGroup = typeof CreateGroup.static

export const UpdateChat = t.Object({ name: t.Optional(ChatName), avatar: t.Optional(Avatar) })
export type UpdateChat = typeof UpdateChat.static

/** What a chat is to anybody in it. */
export const Chat = t.Object({
  id: Uuid,
  name: t.Nullable(t.String({ examples: ['My Group'] })),
  type: t.UnionEnum(['dm', 'group', 'channel']),
  owner_id: t.Nullable(Uuid),
  member_count: Whole(),
  created_at: Instant,
})
export type Chat = typeof Chat.static

/** A chat as one of its members sees it. */
export const ChatOverview = t.Object({
  ...Chat.properties,
  avatar_url: t.Nullable(t.String({ description: 'Of a direct chat: that of the other one' })),
  is_read_only: t.Boolean(),
  role: Role,
  last_seq: Whole(),
  last_rev: Whole(),
  last_read_seq: Whole(),
  unread_count: Whole(),
  peer_read_seq: t.Nullable(
    Whole({ description: 'The highest read mark of the others; null in channels and above 200 members' }),
  ),
  last_message: t.Nullable(Message),
  last_message_at: Instant,
  peer: t.Nullable(
    t.Object(
      { ...PublicProfile.properties, is_online: t.Boolean() },
      { description: 'The other one of a direct chat' },
    ),
  ),
})
export type ChatOverview = typeof ChatOverview.static

export const ChatList = t.Object({ chats: t.Array(ChatOverview), ...pageFields })
export type ChatList = typeof ChatList.static

export const Member = t.Object({
  user: PublicProfile,
  role: Role,
  joined_at: Instant,
  is_online: t.Boolean(),
  last_read_seq: t.Nullable(Whole()),
})
export type Member = typeof Member.static

export const MemberPage = t.Object({
  limit: t.Optional(PageLimit),
  offset: t.Optional(QueryCount),
})
export const MemberList = t.Object({ members: t.Array(Member), total: Whole(), has_more: t.Boolean() })

export const AddMembers = t.Object({
  user_ids: t.Array(Uuid, { minItems: 1, maxItems: MAX_IDS, error: `must be 1 to ${MAX_IDS} user ids` }),
})
export const AddedMembers = t.Object({
  added: t.Array(Uuid, { description: 'Who was not a member before' }),
  member_count: Whole(),
})

export const MarkRead = t.Object({
  seq: t.Optional(
    wholeNumber(0, Number.MAX_SAFE_INTEGER, {
      error: 'must be a whole number',
      description: 'Read up to here; unset: all',
      examples: [42],
    }),
  ),
})
export const Marked = t.Object({
  message: t.Literal('Marked as read'),
  unread_count: Whole(),
  last_read_seq: Whole(),
})

const MIN_INVITE_SECONDS = 60
const MAX_INVITE_SECONDS = 31_536_000
const MAX_INVITE_USES = 100_000

export const CreateInvite = t.Object({
  expires_in: t.Optional(
    wholeNumber(MIN_INVITE_SECONDS, MAX_INVITE_SECONDS, {
      error: `must be ${MIN_INVITE_SECONDS} to ${MAX_INVITE_SECONDS} seconds`,
      description: 'Seconds; unset: for ever',
      examples: [86_400],
    }),
  ),
  max_uses: t.Optional(
    wholeNumber(1, MAX_INVITE_USES, {
      error: `must be 1 to ${MAX_INVITE_USES}`,
      description: 'How many may join by it; unset: any number',
      examples: [10],
    }),
  ),
})
export type CreateInvite = typeof CreateInvite.static

/** 16 bytes in base64url (RFC 4648, 5), without padding. */
export const InviteCode = t.String({
  pattern: '^[A-Za-z0-9_-]{22}$',
  error: 'must be the code of an invite',
  examples: ['q3J8wq1pQ0m2tXo9Zb7LrA'],
})

export const Invite = t.Object({
  code: InviteCode,
  chat_id: Uuid,
  created_by: t.Nullable(Uuid),
  expires_at: t.Nullable(Instant),
  max_uses: t.Nullable(Whole()),
  uses: Whole({ description: 'How many have joined by it' }),
  created_at: Instant,
})
export type Invite = typeof Invite.static
export const InviteList = t.Object({ invites: t.Array(Invite) })

/** What somebody who holds a code sees of the chat before joining it. */
export const InvitePreview = t.Object({
  chat: t.Object({
    name: t.Nullable(t.String({ examples: ['My Group'] })),
    avatar_url: t.Nullable(t.String()),
    type: Chat.properties.type,
    member_count: Whole(),
  }),
})
export type InvitePreview = typeof InvitePreview.static

/** Where a chat stands. */
export interface Head {
  chatId: string
  type: 'dm' | 'group' | 'channel'
  memberCount: number
  seq: number
  rev: number
}

export const toInvite = (row: InviteRow): Invite => ({
  code: row.code,
  chat_id: row.chatId,
  created_by: row.createdBy,
  expires_at: row.expiresAt?.toISOString() ?? null,
  max_uses: row.maxUses,
  uses: row.uses,
  created_at: row.createdAt.toISOString(),
})

export const roleOf = (row: { userId: string; role: 'admin' | 'member' }, ownerId: string | null): Role =>
  row.userId === ownerId ? 'owner' : row.role

/** As `userId`, who is in the chat, sees it. */
export function toOverview(row: OverviewRow, userId: string, onlineIds: ReadonlySet<string>): ChatOverview {
  const isConcealed = row.peer?.isConcealed ?? false
  const peer = row.peer && toPublicProfile(row.peer, isConcealed)
  return {
    id: row.id,
    name: row.type === 'dm' ? (peer?.username ?? null) : row.name,
    avatar_url: row.type === 'dm' ? (peer?.avatar_url ?? null) : row.avatarUrl,
    type: row.type,
    owner_id: row.ownerId,
    member_count: row.memberCount,
    created_at: row.createdAt.toISOString(),
    is_read_only: row.isReadOnly,
    role: roleOf({ userId, role: row.role }, row.ownerId),
    last_seq: row.lastSeq,
    last_rev: row.lastRev,
    last_read_seq: row.lastReadSeq,
    unread_count: Math.max(0, row.lastSeq - row.lastReadSeq),
    peer_read_seq: row.peerReadSeq,
    last_message: row.lastMessage && toMessage({ ...row.lastMessage, chatId: row.id, deletedAt: null }),
    last_message_at: row.lastMessageAt.toISOString(),
    peer: peer && { ...peer, is_online: !isConcealed && onlineIds.has(peer.id) },
  }
}
