/** Catching up: what a client missed, read from one snapshot of the primary database. */
import type { Db, Tx } from '../../db/client.ts'
import { accessChat } from '../chats/access.ts'
import type { ChatOverview } from '../chats/model.ts'
import type { Chats } from '../chats/service.ts'
import { type Message, toMessage } from '../messages/model.ts'
import type { Messages } from '../messages/service.ts'
import type { Changes, ChangesPage, Head, SyncedChat, SyncRequest } from './model.ts'
import { findHead, inSnapshot, listChanged, type Place } from './store.ts'

const PAGE = 100
/** Further behind than this, reading pages anew is cheaper than catching up. */
const RESET_BEHIND = 1000
/** What one answer carries at most; the remaining chats say `has_more`. */
const MAX_MESSAGES = 2000

export type Sync = ReturnType<typeof createSync>

export function createSync({ db, chats, messages }: { db: Db; chats: Chats; messages: Messages }) {
  /** What is new in each chat after its place, by chat id. In one snapshot a head tells whether there is anything to ask for. */
  async function readNews(tx: Tx, places: readonly Behind[], limit: number): Promise<Map<string, News>> {
    const news = new Map<string, News>(places.map(({ chatId }) => [chatId, { fresh: [], changed: [] }]))
    const withFresh = places.filter(({ afterSeq, head }) => head.seq > afterSeq)
    const withChanged = places.filter(({ afterRev, head }) => head.rev > afterRev)
    // Both on their way at once.
    const [fresh, changed] = await Promise.all([
      withFresh.length > 0 ? messages.listAfter(tx, withFresh, limit) : [],
      withChanged.length > 0 ? listChanged(tx, withChanged, limit) : [],
    ])
    for (const message of fresh) news.get(message.chat_id)?.fresh.push(message)
    for (const row of changed) news.get(row.chatId)?.changed.push(toMessage(row))
    return news
  }

  return {
    /** What happened in a chat after a place. @throws chatNotFound */
    changes: (userId: string, chatId: string, { after_seq = 0, after_rev = 0, limit = PAGE }: ChangesPage) =>
      inSnapshot(db, async (tx): Promise<Changes> => {
        await accessChat(tx, userId, chatId, 'read')
        const head = await findHead(tx, chatId)
        const news = await readNews(tx, [{ chatId, afterSeq: after_seq, afterRev: after_rev, head }], limit)
        return toChanges({ seq: after_seq, rev: after_rev }, head, news.get(chatId), limit)
      }),

    /** Every chat of the user as it is now, with what is new in it, and which of the chats asked for are gone. */
    sync: (userId: string, { chats: held }: SyncRequest) =>
      inSnapshot(db, async (tx) => {
        const overviews = await chats.listOverviewsOf(userId, {}, tx)
        const standings = overviews.map((chat) => ({
          chat,
          held: held[chat.id],
          standing: compare(chat, held[chat.id]),
        }))
        const news = await readNews(tx, withinBudget(standings), PAGE)
        const current = new Set(overviews.map(({ id }) => id))
        return {
          chats: standings.map((each): SyncedChat => toSynced(each, news.get(each.chat.id))),
          gone: Object.keys(held).filter((id) => !current.has(id)),
        }
      }),
  }
}

interface Behind extends Place {
  /** Where the chat stands. */
  head: Head
}

interface News {
  fresh: Message[]
  changed: Message[]
}

/** A chat of the user beside what the client holds of it. */
interface Compared {
  chat: ChatOverview
  held: Head | undefined
  standing: 'new' | 'lost' | 'current' | 'behind'
}

const headOf = ({ last_seq, last_rev }: ChatOverview): Head => ({ seq: last_seq, rev: last_rev })

function compare(chat: ChatOverview, held: Head | undefined): Compared['standing'] {
  if (!held) return 'new'
  const [messages, changes] = [chat.last_seq - held.seq, chat.last_rev - held.rev]
  // Ahead of the server is a client whose server was restored from a backup: it starts anew.
  if (messages < 0 || changes < 0 || messages + changes > RESET_BEHIND) return 'lost'
  return messages + changes === 0 ? 'current' : 'behind'
}

/** The places to read from: of the chats that are behind, as many as one answer carries. */
function withinBudget(compared: readonly Compared[]): Behind[] {
  let budget = MAX_MESSAGES
  return compared.flatMap(({ chat, held, standing }) => {
    if (standing !== 'behind' || !held || budget <= 0) return []
    budget -= Math.min(PAGE, chat.last_seq - held.seq) + Math.min(PAGE, chat.last_rev - held.rev)
    return [{ chatId: chat.id, afterSeq: held.seq, afterRev: held.rev, head: headOf(chat) }]
  })
}

function toSynced({ chat, held, standing }: Compared, news: News | undefined): SyncedChat {
  const row = { chat, is_new: standing === 'new', reset: standing === 'lost' }
  const head = headOf(chat)
  if (standing !== 'behind' || !held) return { ...row, messages: [], changes: [], next: head, has_more: false }
  if (!news) return { ...row, messages: [], changes: [], next: held, has_more: true }
  return { ...row, ...toChanges(held, head, news, PAGE) }
}

function toChanges(
  held: Head,
  head: Head,
  { fresh, changed }: News = { fresh: [], changed: [] },
  limit: number,
): Changes {
  const isAllFresh = fresh.length < limit || fresh.at(-1)?.seq === head.seq
  // While messages are still to come the changes wait. A client may have heard of one of those messages by an event and
  // count it as held, so it must go on asking for what was changed since `held.rev`.
  if (!isAllFresh) {
    return { messages: fresh, changes: [], next: { seq: fresh.at(-1)?.seq ?? held.seq, rev: held.rev }, has_more: true }
  }
  const isAllChanged = changed.length < limit
  return {
    messages: fresh,
    changes: changed,
    next: {
      seq: Math.max(head.seq, held.seq),
      rev: isAllChanged ? Math.max(head.rev, held.rev) : (changed.at(-1)?.rev ?? held.rev),
    },
    has_more: !isAllChanged,
  }
}
