/** Catching up: what a client missed, read from one snapshot of the primary database. */
import type { Db, Tx } from '../../db/client.ts'
import { accessChat } from '../chats/access.ts'
import type { ChatOverview } from '../chats/model.ts'
import type { Chats } from '../chats/service.ts'
import { toMessage } from '../messages/model.ts'
import type { Messages } from '../messages/service.ts'
import type { Changes, ChangesPage, Head, SyncedChat, SyncRequest } from './model.ts'
import { findHead, inSnapshot, listChanged } from './store.ts'

const PAGE = 100
/** Further behind than this, reading pages anew is cheaper than catching up. */
const RESET_BEHIND = 1000
/** What one answer carries at most; the remaining chats say `has_more`. */
const MAX_MESSAGES = 2000

export type Sync = ReturnType<typeof createSync>

export function createSync({ db, chats, messages }: { db: Db; chats: Chats; messages: Messages }) {
  return {
    /** What happened in a chat after a place. @throws chatNotFound */
    changes: (userId: string, chatId: string, { after_seq = 0, after_rev = 0, limit = PAGE }: ChangesPage) =>
      inSnapshot(db, async (tx): Promise<Changes> => {
        await accessChat(tx, userId, chatId, 'read')
        return listChanges(tx, chatId, { seq: after_seq, rev: after_rev }, await findHead(tx, chatId), limit)
      }),

    /** Every chat of the user as it is now, with what is new in it, and which of the chats asked for are gone. */
    sync: (userId: string, { chats: held }: SyncRequest) =>
      inSnapshot(db, async (tx) => {
        const overviews = await chats.listOverviewsOf(userId, {}, tx)
        const synced: SyncedChat[] = []
        let budget = MAX_MESSAGES
        for (const chat of overviews) {
          const answer = await syncChat(tx, chat, held[chat.id], budget)
          budget -= answer.messages.length + answer.changes.length
          synced.push(answer)
        }
        const current = new Set(overviews.map(({ id }) => id))
        return { chats: synced, gone: Object.keys(held).filter((id) => !current.has(id)) }
      }),
  }

  /** Asks the database only for a chat that the client is behind in. */
  async function syncChat(tx: Tx, chat: ChatOverview, held: Head | undefined, budget: number): Promise<SyncedChat> {
    const head = { seq: chat.last_seq, rev: chat.last_rev }
    const nothing = { messages: [], changes: [], next: head, has_more: false }
    if (!held) return { chat, is_new: true, reset: false, ...nothing }
    const missed = head.seq - held.seq + (head.rev - held.rev)
    // Ahead of the server is a client whose server was restored from a backup: it starts anew too.
    const isLost = missed > RESET_BEHIND || held.seq > head.seq || held.rev > head.rev
    if (isLost) return { chat, is_new: false, reset: true, ...nothing }
    if (missed === 0) return { chat, is_new: false, reset: false, ...nothing }
    if (budget <= 0) return { chat, is_new: false, reset: false, ...nothing, next: held, has_more: true }
    return { chat, is_new: false, reset: false, ...(await listChanges(tx, chat.id, held, head, PAGE)) }
  }

  async function listChanges(tx: Tx, chatId: string, held: Head, head: Head, limit: number): Promise<Changes> {
    const fresh = held.seq < head.seq ? await messages.listAfter(tx, chatId, held.seq, limit) : []
    const changed =
      held.rev < head.rev ? await listChanged(tx, chatId, { afterSeq: held.seq, afterRev: held.rev, limit }) : []
    const isAllFresh = fresh.length < limit || fresh.at(-1)?.seq === head.seq
    const isAllChanged = changed.length < limit
    return {
      messages: fresh,
      changes: changed.map(toMessage),
      next: {
        // A message still to come arrives in its latest state, so its changes need not be asked for.
        seq: isAllFresh ? Math.max(head.seq, held.seq) : (fresh.at(-1)?.seq ?? held.seq),
        rev: isAllChanged ? Math.max(head.rev, held.rev) : (changed.at(-1)?.rev ?? held.rev),
      },
      has_more: !isAllFresh || !isAllChanged,
    }
  }
}
