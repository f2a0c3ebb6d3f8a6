/**
 * Who may do what in a chat: the one place that decides. Loading a chat and being permitted are one call; whoever is not
 * in the chat is told that it does not exist.
 */
import type { Db, Tx } from '../../db/client.ts'
import {
  type AppError,
  blockedByUser,
  callOutsideDm,
  chatIsReadOnly,
  chatNotFound,
  dmCannotBeLeft,
  notAllowed,
  removedFromChat,
} from '../../errors.ts'
import { isBanned } from './bans-store.ts'
import type { Role } from './model.ts'
import { findAccess, lockChat } from './store.ts'

/** A chat as its member stands to it. */
export interface ChatAccess {
  chatId: string
  type: 'dm' | 'group' | 'channel'
  role: Role
  ownerId: string | null
  isReadOnly: boolean
  /** In a direct chat: the other one has blocked this member. */
  isBlocked: boolean
  memberCount: number
  lastSeq: number
  lastRev: number
  lastReadSeq: number
}

export type ChatAction = 'read' | 'write' | 'call' | 'list members' | 'manage' | 'leave' | 'own' | 'delete any message'

const isStaff = ({ role }: Pick<ChatAccess, 'role'>) => role !== 'member'

/** Why a member may not write; false when they may. The message writer asks it too, of what it reads for a whole batch. */
export const whyNotWrite = (chat: Pick<ChatAccess, 'isReadOnly' | 'isBlocked' | 'type' | 'role'>): AppError | false =>
  (chat.isReadOnly && chatIsReadOnly()) ||
  (chat.isBlocked && blockedByUser()) ||
  (chat.type === 'channel' && !isStaff(chat) && notAllowed('post in this channel'))

/** For each action, why a member may not take it. */
const refusals: Record<ChatAction, (chat: ChatAccess) => AppError | false> = {
  read: () => false,
  write: whyNotWrite,
  call: (chat) => (chat.type !== 'dm' && callOutsideDm()) || whyNotWrite(chat),
  'list members': (chat) => chat.type === 'channel' && !isStaff(chat) && notAllowed("see this channel's subscribers"),
  // Name, members: the owner and the admins.
  manage: (chat) => (chat.type === 'dm' && dmCannotBeLeft()) || (!isStaff(chat) && notAllowed('manage this chat')),
  leave: (chat) => chat.type === 'dm' && dmCannotBeLeft(),
  // Roles, hand-over, deletion.
  own: (chat) =>
    (chat.type === 'dm' && dmCannotBeLeft()) || (chat.role !== 'owner' && notAllowed('do this: only the owner may')),
  'delete any message': (chat) => !isStaff(chat) && notAllowed("delete somebody else's message"),
}

export const mayIn = (chat: ChatAccess, action: ChatAction): boolean => refusals[action](chat) === false

/**
 * The chat, if the user may do `action` in it.
 * @throws AppError 404 for strangers, 403 or 400 for members who may not
 */
export async function accessChat(db: Db | Tx, userId: string, chatId: string, action: ChatAction): Promise<ChatAccess> {
  const chat = await findAccess(db, chatId, userId)
  if (!chat) throw chatNotFound()
  const refusal = refusals[action](chat)
  if (refusal) throw refusal
  return chat
}

/** For those who are told what is there, and of nothing else. */
export const isMember = async (db: Db | Tx, userId: string, chatId: string): Promise<boolean> =>
  (await findAccess(db, chatId, userId)) !== undefined

/**
 * The same with the chat's row locked: until the transaction ends nobody joins, leaves or posts there. Two statements,
 * because one that waited for the lock would still see the members of before.
 */
export async function accessLockedChat(
  tx: Tx,
  userId: string,
  chatId: string,
  action: ChatAction,
): Promise<ChatAccess> {
  await lockChat(tx, chatId)
  return accessChat(tx, userId, chatId, action)
}

/**
 * Of somebody who wants to join by themselves. Ask with the chat's row locked: its staff may be removing them right now.
 * @throws removedFromChat when only being added lets them back in
 */
export async function requireNotBanned(tx: Tx, userId: string, chatId: string): Promise<void> {
  if (await isBanned(tx, chatId, userId)) throw removedFromChat()
}

/** Above this many members, and in channels, there is no presence, no typing and no read mark of others. */
const INTIMATE_LIMIT = 200

export const isIntimate = ({ type, memberCount }: Pick<ChatAccess, 'type' | 'memberCount'>): boolean =>
  type !== 'channel' && memberCount <= INTIMATE_LIMIT
