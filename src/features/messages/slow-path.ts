/**
 * What the writer does when a batch could not be stored as a whole, or holds more than texts: under the locks of the chats
 * it finds out who was refused and what was a repeat, and stores the rest. Rare, so it may cost more.
 */
import type postgres from 'postgres'
import { type AppError, chatNotFound } from '../../errors.ts'
import { whyNotWrite } from '../chats/access.ts'
import { byChat, hasAttachment, number, type Outcome, repeatKey, type Sent } from './drafts.ts'
import { type MessageRow, toMessage } from './model.ts'
import {
  attach,
  type Draft,
  insertDrafts,
  type LockedChat,
  listPosters,
  listRepeats,
  lockChats,
  type Poster,
} from './writer-store.ts'

/** The outcome of each draft, at its place, in one transaction. */
export async function storeCarefully(sql: postgres.Sql, drafts: readonly Draft[]): Promise<Outcome[]> {
  return await sql.begin(async (tx) => {
    const chatIds = [...new Set(drafts.map(({ chatId }) => chatId))].sort()
    const chats = new Map((await lockChats(tx, chatIds)).map((chat) => [chat.id, chat]))
    const posters = new Map((await listPosters(tx, drafts)).map((p) => [`${p.chatId}:${p.userId}`, p]))
    const known = new Map((await listRepeats(tx, drafts)).map((row) => [keyOf(row), toRepeat(row)]))

    const refusals = new Map<string, AppError>()
    const fresh = new Map<string, Draft>()
    for (const draft of drafts) {
      const refusal = whyRefused(chats.get(draft.chatId), posters.get(`${draft.chatId}:${draft.senderId}`))
      const key = repeatKey(draft)
      // A member who may not write any more still learns what became of an earlier send.
      const isRepeat = known.has(key) && posters.has(`${draft.chatId}:${draft.senderId}`)
      if (isRepeat || fresh.has(key)) continue
      if (refusal) refusals.set(draft.id, refusal)
      else fresh.set(key, draft)
    }

    const sent = await store(tx, [...fresh.values()])
    return drafts.map((draft): Outcome => {
      const refused = refusals.get(draft.id)
      if (refused) return { refused }
      const key = repeatKey(draft)
      const first = fresh.get(key)
      const stored = first && sent.get(first.id)
      // Not by its id: requests that end one upload at once have that in common too.
      if (stored && first === draft) return { sent: stored }
      const earlier = known.get(key) ?? stored
      return earlier ? { sent: { ...earlier, isRepeat: true } } : { refused: new Error('The writer lost a message') }
    })
  })
}

async function store(tx: postgres.ISql, drafts: readonly Draft[]): Promise<Map<string, Sent>> {
  if (drafts.length === 0) return new Map()
  const batches = byChat(drafts)
  const { bases, storedAt } = await insertDrafts(tx, batches)
  const attached = drafts.filter(hasAttachment)
  if (attached.length > 0) await attach(tx, attached)
  return number(batches, bases, storedAt)
}

function whyRefused(chat: LockedChat | undefined, poster: Poster | undefined): AppError | false {
  return chat === undefined || poster === undefined ? chatNotFound() : whyNotWrite({ ...chat, ...poster })
}

const keyOf = ({ chatId, senderId, clientId }: MessageRow) => repeatKey({ chatId, senderId: senderId ?? '', clientId })

function toRepeat(row: MessageRow): Sent {
  const message = toMessage(row)
  return { message, json: JSON.stringify(message), isRepeat: true }
}
