/** Invite links: whoever knows the code may join. The chat's staff makes and revokes them. */
import type { Bus } from '../../bus/bus.ts'
import type { Db, Tx } from '../../db/client.ts'
import { inviteNotFound, tooManyInvites } from '../../errors.ts'
import type { Users } from '../users/service.ts'
import { accessChat, accessLockedChat, requireNotBanned } from './access.ts'
import * as store from './invites-store.ts'
import type { Members } from './members.ts'
import { type ChatOverview, type CreateInvite, type Invite, type InvitePreview, toInvite } from './model.ts'
import { type Chats, requireMyself } from './service.ts'
import { findMember, lockChat } from './store.ts'

export interface InvitesOptions {
  db: Db
  bus: Bus
  users: Users
  chats: Chats
  members: Members
}

export type Invites = ReturnType<typeof createInvites>

/** Living ones of one chat. */
const MAX_INVITES = 100
const CODE_BYTES = 16

export function createInvites({ db, bus, users, chats, members }: InvitesOptions) {
  /** Unknown, expired, revoked and used up look the same. @throws inviteNotFound */
  async function getInvited(on: Db | Tx, code: string) {
    const invited = await store.findInvited(on, code)
    if (!invited) throw inviteNotFound()
    return invited
  }

  return {
    /** @throws AppError 404, 403 for plain members, 400 in a direct chat, 409 for a chat that has too many */
    create: (userId: string, chatId: string, { expires_in, max_uses }: CreateInvite): Promise<Invite> =>
      db.transaction(async (tx) => {
        await accessLockedChat(tx, userId, chatId, 'manage')
        if ((await store.countLiving(tx, chatId)) >= MAX_INVITES) throw tooManyInvites(MAX_INVITES)
        const code = Buffer.from(crypto.getRandomValues(new Uint8Array(CODE_BYTES))).toString('base64url')
        const limits = { expiresInSeconds: expires_in ?? null, maxUses: max_uses ?? null }
        return toInvite(await store.insertInvite(tx, { code, chatId, createdBy: userId, ...limits }))
      }),

    /** Those that somebody can still join by, the latest first. @throws AppError 404, 403 for plain members, 400 */
    async list(userId: string, chatId: string): Promise<{ invites: Invite[] }> {
      await accessChat(db, userId, chatId, 'manage')
      return { invites: (await store.listLiving(db, chatId)).map(toInvite) }
    },

    /** Nobody joins by it any more when this resolves. @throws AppError 404, 403 for plain members, 400 */
    revoke: (userId: string, chatId: string, code: string): Promise<void> =>
      db.transaction(async (tx) => {
        await accessLockedChat(tx, userId, chatId, 'manage')
        if (!(await store.deleteInvite(tx, chatId, code))) throw inviteNotFound()
      }),

    /** What the code leads to, for anybody who has it. @throws inviteNotFound */
    async preview(code: string): Promise<InvitePreview> {
      const { name, avatarUrl, type, memberCount, isUsedUp } = await getInvited(db, code)
      if (isUsedUp) throw inviteNotFound()
      return { chat: { name, avatar_url: avatarUrl, type, member_count: memberCount } }
    },

    /**
     * Whoever is in the chat already uses nothing up, so that a lost answer can be asked for again.
     * @throws AppError 404, 403 for one whom its staff has removed, 409 when the group is full
     */
    async join(userId: string, code: string): Promise<ChatOverview> {
      const found = await getInvited(db, code)
      const { chatId } = found
      const limit = await members.limitOf(found)
      const messages = await db.transaction(async (tx) => {
        // Accounts before chats, as a deletion locks them, or the two could wait for each other.
        await requireMyself(users, tx, userId)
        await lockChat(tx, chatId)
        // What it was while this waited for the lock is no matter.
        const invited = await getInvited(tx, code)
        if (await findMember(tx, chatId, userId)) return []
        if (!(await store.useInvite(tx, code))) throw inviteNotFound()
        await requireNotBanned(tx, userId, chatId)
        return (await members.joinWithin(limit, tx, invited, [userId])).messages
      })
      bus.publish(messages)
      return chats.get(userId, chatId)
    },

    /** Forgets those that have expired: a job. */
    sweep: (): Promise<void> => store.deleteExpired(db),
  }
}
