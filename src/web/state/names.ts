/** What people and chats are called. */

import { since } from '../i18n/format.ts'
import { t } from '../i18n/language.ts'
import type { ChatOverview, PublicProfile } from '../sync/wire.ts'
import { client, userNow } from './client.ts'

export const isMe = (userId: string | null | undefined) => userId != null && userId === client.state.session.userId

type Named = Pick<PublicProfile, 'username' | 'is_deleted'>
export const nameOfUser = (user: Named | null | undefined): string =>
  !user || user.is_deleted ? t().deletedAccount : (user.username ?? t().deletedAccount)

/** Of somebody by id: an ellipsis until the profile has come. */
export const nameOf = (userId: string | null): string => knownNameOf(userId) ?? '…'

/** Of somebody by id; undefined until the profile has come. */
export function knownNameOf(userId: string | null): string | undefined {
  if (userId === null) return t().deletedAccount
  if (isMe(userId)) return t().you
  const profile = userNow(userId)?.profile
  return profile && nameOfUser(profile)
}

export const nameOfChat = (row: ChatOverview): string => (row.type === 'dm' ? nameOfUser(row.peer) : (row.name ?? ''))

export const avatarOfChat = (row: ChatOverview) => ({
  id: row.peer?.id ?? row.id,
  name: nameOfChat(row),
  url: row.peer?.avatar_url ?? row.avatar_url,
  isSquare: row.type === 'channel',
})

/** "online", "last seen 5 minutes ago". */
export function presenceText(isOnline: boolean | undefined, lastSeen: string | null | undefined): string {
  if (isOnline) return t().online
  return lastSeen ? t().lastSeen(since(new Date(lastSeen))) : t().lastSeenLong
}
