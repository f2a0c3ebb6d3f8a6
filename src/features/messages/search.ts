/** Search in messages: in any language, within the chats that the caller is a member of now. */
import { setImmediate } from 'node:timers/promises'
import type { Db } from '../../db/client.ts'
import { noReplicas, type Replicas } from '../../db/replicas.ts'
import { validationFailed } from '../../errors.ts'
import { type CursorPage, cutPage } from '../../http/cursor.ts'
import { accessChat } from '../chats/access.ts'
import { type Message, toMessage } from './model.ts'
import { decodeMarkedCursor, markCursor } from './search-cursor.ts'
import { parseQuery, type Term, toQuery } from './search-query.ts'
import { makeSnippet, type Snippet } from './search-snippet.ts'
import * as store from './search-store.ts'
import { createTurns } from './search-turns.ts'
import { isDictionaryWord, pickMeant } from './search-typos.ts'

export interface SearchPage extends CursorPage {
  q: string
  chat_id?: string
}

export type Search = ReturnType<typeof createSearch>

/** Each costs a look into the dictionary. */
const MAX_GUESSED_WORDS = 8
/** Snippets are made of so many without a pause: a millisecond or so. */
const CHARACTERS_AT_ONCE = 4000

export function createSearch({ db, replicas = noReplicas }: { db: Db; replicas?: Replicas }) {
  const inTurn = createTurns()

  /** Dictionary words get those that may have been meant; undefined when there are none for any. */
  async function guess(terms: readonly Term[]): Promise<Term[] | undefined> {
    const typed = terms.flatMap((term) => ('word' in term && isDictionaryWord(term.word) ? [term.word] : []))
    if (typed.length === 0) return undefined
    const words = [...new Set(typed)].slice(0, MAX_GUESSED_WORDS)
    const resembling =
      (await replicas.read((replica) => store.listResembling(replica, words))) ??
      (await store.listResembling(db, words))
    const byWord = Map.groupBy(resembling, ({ word }) => word)
    const guessed = terms.map((term) => {
      const known = 'word' in term ? byWord.get(term.word) : undefined
      if (!known || !('word' in term)) return term
      const similar = pickMeant(
        term.word,
        known.map(({ similar }) => similar),
      )
      return { ...term, similar }
    })
    const hasGuess = guessed.some((term) => 'word' in term && term.similar && term.similar.length > 0)
    return hasGuess ? guessed : undefined
  }

  /** Where a replica is asked, the primary first says in which chats, and what it has of them. */
  async function createLister(userId: string, filter: Omit<store.SearchFilter, 'query'>) {
    const heads = replicas.areUsable() ? await store.listSearchedHeads(db, userId, filter.chatId) : undefined
    return async (terms: readonly Term[]): Promise<store.FoundRow[]> => {
      const wanted = { ...filter, query: toQuery(terms) }
      const found = heads && (await replicas.read((replica) => store.listFoundSince(replica, heads, wanted)))
      return found ?? store.listFound(db, userId, wanted)
    }
  }

  async function find(userId: string, { q, chat_id: chatId, limit = 50, cursor }: SearchPage) {
    const terms = parseQuery(q)
    if (terms.length === 0) throw validationFailed({ q: 'has no letter and no digit to search for' })
    const before = cursor === undefined ? undefined : decodeMarkedCursor(cursor)
    if (chatId !== undefined) await accessChat(db, userId, chatId, 'read')

    const list = await createLister(userId, { chatId, before, limit: limit + 1 })
    if (!before?.isFuzzy) {
      const rows = await list(terms)
      const isFound = rows.length > 0 || before !== undefined
      if (isFound) return toPage(rows, terms, limit, false)
    }
    const guessed = await guess(terms)
    return guessed ? toPage(await list(guessed), guessed, limit, true) : toPage([], terms, limit, false)
  }

  return {
    /**
     * Messages with every word of `q`, newest first. Where nothing has them, those with words that resemble them
     * (`is_fuzzy`); the dictionary of these is common to all, what is answered is said in the caller's own chats.
     * What was just sent is found within a second, later while the server is busy.
     * @throws AppError 400 for nothing to search for or a foreign cursor, 404 for a chat one is not in, 429 for one whose
     *   earlier searches wait
     */
    search: (userId: string, page: SearchPage) => inTurn(userId, () => find(userId, page)),
  }
}

async function toPage(rows: readonly store.FoundRow[], terms: readonly Term[], limit: number, isFuzzy: boolean) {
  const { page, has_more, next_cursor } = cutPage(rows, limit, ({ at, id }) => ({ at, id }))
  const results: { message: Message; snippet: Snippet }[] = []
  let characters = 0
  for (const { message } of page) {
    if (!message) continue
    results.push({ message: toMessage(message), snippet: makeSnippet(message.content, terms) })
    characters += message.content.length
    if (characters < CHARACTERS_AT_ONCE) continue
    // Whatever else waits has its turn.
    await setImmediate()
    characters = 0
  }
  return {
    results,
    has_more,
    next_cursor: next_cursor === null ? null : markCursor(next_cursor, isFuzzy),
    is_fuzzy: isFuzzy && rows.length > 0,
  }
}
