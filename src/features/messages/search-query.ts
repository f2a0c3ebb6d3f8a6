/**
 * From words to PostgreSQL's tsvector and tsquery, as templates: in place of each `%` comes the key of a chat. Words are
 * letters and digits alone, so there is nothing to escape. Pure.
 */
import { CHAT_KEY_MARK } from './search-store.ts'
import { type Token, tokenize } from './search-text.ts'

/** One thing that must be found. */
export type Term =
  | { word: string; isPrefix: boolean; similar?: readonly string[] }
  /** Characters one after the other, of a script that is written without spaces. */
  | { phrase: readonly string[] }

/** Shorter words mean themselves alone, unless they are still being typed. */
const MIN_PREFIX_LENGTH = 3

/** The words of a message as a tsvector. Empty when there are none. */
export function toVector(tokens: readonly Token[]): string {
  const places = new Map<string, string>()
  for (const { text: word, place } of tokens) {
    const known = places.get(word)
    // Places count from 1 in a tsvector.
    if (place !== undefined) places.set(word, known ? `${known},${place + 1}` : `:${place + 1}`)
    else if (known === undefined) places.set(word, '')
  }
  let vector = ''
  for (const [word, at] of places) vector += `${vector === '' ? '' : ' '}${lexeme(word)}${at}`
  return vector
}

/** What a query asks for; all of it must be found. Empty when there is no letter and no digit in it. */
export function parseQuery(q: string): Term[] {
  const tokens = tokenize(q)
  const terms: Term[] = []
  let phrase: string[] = []
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1]
    if (token.place === undefined) {
      const isPrefix = token === tokens.at(-1) || token.text.length >= MIN_PREFIX_LENGTH
      terms.push({ word: token.text, isPrefix })
    } else if (isNext(before, token)) {
      phrase.push(token.text)
    } else {
      phrase = [token.text]
      terms.push({ phrase })
    }
  }
  return terms
}

/** Whether two characters stand side by side. */
export const isNext = (before: Token | undefined, token: Token): boolean =>
  before?.place !== undefined && before.place + 1 === token.place

/** The terms as a tsquery. */
export const toQuery = (terms: readonly Term[]): string => [...new Set(terms.map(termQuery))].join(' & ')

function termQuery(term: Term): string {
  if ('phrase' in term) return `(${term.phrase.map(lexeme).join(' <-> ')})`
  const own = `${lexeme(term.word)}${term.isPrefix ? ':*' : ''}`
  return `(${[own, ...(term.similar ?? []).map(lexeme)].join(' | ')})`
}

const lexeme = (word: string): string => `'${CHAT_KEY_MARK}${word}'`
