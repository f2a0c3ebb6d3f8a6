/** One round of indexing for search: what is new or changed in some chats, in one transaction. */
import { setImmediate } from 'node:timers/promises'
import type { Tx } from '../../db/client.ts'
import * as store from './search-index-store.ts'
import { toVector } from './search-query.ts'
import { tokenize } from './search-text.ts'
import { isDictionaryWord } from './search-typos.ts'

/** What became of the chats of a round; those named in neither are done or gone. */
export interface Progress {
  /** There is more than one round takes. */
  unfinished: readonly string[]
  /** Another instance has them. */
  busy: readonly string[]
}

/**
 * Messages of a round, and of a chat in it at least. Few: while a round is written PostgreSQL has a processor less for
 * everybody else, and whoever asks for something waits for it.
 */
const MESSAGES_A_ROUND = 96
const MESSAGES_A_CHAT = 8
/** Messages that are taken apart at once. */
const MESSAGES_A_STEP = 16

/** Of chats that have heads. `newWords` are those that `words` is to know once the transaction is committed. */
export async function indexChats(tx: Tx, chatIds: readonly string[], words: WordMemory) {
  const backlogs = await store.lockBacklogs(tx, chatIds)
  const busy = backlogs.filter(({ isLocked }) => !isLocked).map(({ chatId }) => chatId)
  const behind = backlogs.filter((b) => b.isLocked && (b.lastSeq > b.seq || b.lastRev > b.rev))
  if (behind.length === 0) return { progress: { unfinished: [], busy }, newWords: [] }

  const limit = Math.max(MESSAGES_A_CHAT, Math.floor(MESSAGES_A_ROUND / behind.length))
  const changed = await store.listChanged(tx, behind, limit)
  const { entries, gone, newWords } = await analyse(changed, words)
  if (entries.length > 0) await store.upsertEntries(tx, entries)
  if (gone.length > 0) await store.deleteEntries(tx, gone)
  if (newWords.length > 0) await store.insertWords(tx, newWords)
  const byChat = Map.groupBy(changed, ({ chat_id }) => chat_id)
  const heads = behind.map((backlog) => advance(backlog, byChat.get(backlog.chatId) ?? [], limit))
  await store.updateHeads(tx, heads)
  return { progress: { unfinished: heads.filter(({ isDone }) => !isDone).map(({ chatId }) => chatId), busy }, newWords }
}

/** What is to be written, without the words that `words` has. Between two steps the event loop delivers what came in. */
export async function analyse(changed: readonly store.Changed[], words: WordMemory) {
  const entries: store.Entry[] = []
  const gone: store.Entry[] = []
  const newWords = new Set<string>()
  for (const [index, { chat_id: chatId, id, created_at: createdAt, rev, content, is_deleted }] of changed.entries()) {
    if (index > 0 && index % MESSAGES_A_STEP === 0) await setImmediate()
    const found = is_deleted ? [] : tokenize(content)
    const entry = { chatId, id, createdAt, rev, tokens: toVector(found) }
    if (found.length > 0) entries.push(entry)
    else gone.push(entry)
    for (const { text } of found) if (isDictionaryWord(text) && !words.has(text)) newWords.add(text)
  }
  return { entries, gone, newWords: [...newWords].sort() }
}

/**
 * Where the head stands after a round that took `limit` new and `limit` changed messages at most. A change of a message
 * that is still to come is indexed with it, in its latest state.
 */
function advance({ chatId, lastSeq, lastRev }: store.Backlog, taken: readonly store.Changed[], limit: number) {
  const [fresh, older] = [taken.filter(({ is_new }) => is_new), taken.filter(({ is_new }) => !is_new)]
  const seq = fresh.length < limit ? lastSeq : Math.max(...fresh.map((message) => message.seq))
  const rev = older.length < limit ? lastRev : Math.max(...older.map((message) => message.rev))
  return { chatId, seq, rev, isDone: seq === lastSeq && rev === lastRev }
}

export interface WordMemory {
  has(word: string): boolean
  add(words: readonly string[]): void
}

const MAX_REMEMBERED = 20_000

/** Words that the dictionary has for certain: those used last, so that few are written again and again. */
export function createWordMemory(): WordMemory {
  const words = new Set<string>()
  const remember = (word: string) => {
    words.delete(word)
    words.add(word)
  }
  return {
    has(word) {
      const isKnown = words.has(word)
      if (isKnown) remember(word)
      return isKnown
    },
    add(added) {
      for (const word of added) remember(word)
      const tooMany = Math.max(0, words.size - MAX_REMEMBERED)
      for (const word of [...words.values().take(tooMany)]) words.delete(word)
    },
  }
}
