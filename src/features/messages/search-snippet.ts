/** The part of a message around what was found. Pure. */
import { isNext, type Term } from './search-query.ts'
import { type Token, tokenize } from './search-text.ts'

/** A place in `text`, in UTF-16 code units, as JavaScript, Java and Swift's NSString count. */
export interface Highlight {
  start: number
  length: number
}

/** Plain text: whoever shows it as HTML escapes it. */
export interface Snippet {
  text: string
  highlights: Highlight[]
}

const MAX_LENGTH = 160
/** So much of it stands before the first place that was found. */
const LEAD = 40

/** Takes time in proportion to the text, whatever is asked for: a hundred of these stand in one answer. */
export function makeSnippet(content: string, terms: readonly Term[]): Snippet {
  const tokens = tokenize(content)
  const findAt = createFinder(terms)
  const first = tokens.findIndex((_, index) => findAt(tokens, index) !== undefined)
  const { from, to } = windowAround(content, tokens[first]?.start ?? 0)
  const highlights: Highlight[] = []
  for (const { start, end } of first < 0 ? [] : listPlaces(tokens, first, to, findAt)) {
    // The first one may be longer than the part that is shown.
    const [shownStart, shownEnd] = [Math.max(start, from), Math.min(end, to)]
    if (shownStart < shownEnd) highlights.push({ start: shownStart - from, length: shownEnd - shownStart })
  }
  return { text: content.slice(from, to), highlights }
}

interface Place {
  start: number
  end: number
}

/** What is found from the token at `first` to the end of the part that is shown: those that touch or overlap made one. */
function listPlaces(tokens: readonly Token[], first: number, to: number, findAt: Finder): Place[] {
  const places: Place[] = []
  for (let index = first; index < tokens.length; index++) {
    const start = tokens[index]?.start ?? to
    if (start >= to) break
    const end = findAt(tokens, index)
    if (end === undefined) continue
    const last = places.at(-1)
    if (last && start <= last.end) last.end = Math.max(last.end, end)
    else places.push({ start, end })
  }
  return places
}

/** Where the longest that is found ends, of what begins with the token at `index`; undefined for nothing. */
type Finder = (tokens: readonly Token[], index: number) => number | undefined

function createFinder(terms: readonly Term[]): Finder {
  const words = terms.flatMap((term) => ('word' in term ? [term] : []))
  const phrases = terms.flatMap((term) => ('phrase' in term ? [term.phrase] : []))
  const whole = new Set(words.flatMap(({ word, similar = [] }) => [word, ...similar]))
  const beginnings = new Set(words.filter(({ isPrefix }) => isPrefix).map(({ word }) => word))
  const lengths = [...new Set([...beginnings].map((word) => word.length))]
  const isWord = (text: string) =>
    whole.has(text) || lengths.some((length) => text.length > length && beginnings.has(text.slice(0, length)))

  return (tokens, index) => {
    const token = tokens[index]
    if (!token) return undefined
    const found = phrases.filter((phrase) => isPhraseAt(tokens, index, phrase)).map(({ length }) => length)
    if (found.length > 0) return tokens[index + Math.max(...found) - 1]?.end
    return isWord(token.text) ? token.end : undefined
  }
}

function isPhraseAt(tokens: readonly Token[], index: number, phrase: readonly string[]): boolean {
  for (const [n, text] of phrase.entries()) {
    const token = tokens[index + n]
    if (token?.text !== text || (n > 0 && !isNext(tokens[index + n - 1], token))) return false
  }
  return true
}

function windowAround(content: string, place: number): { from: number; to: number } {
  if (content.length <= MAX_LENGTH) return { from: 0, to: content.length }
  const from = Math.max(0, Math.min(place - LEAD, content.length - MAX_LENGTH))
  return { from: atCharacter(content, from), to: atCharacter(content, from + MAX_LENGTH) }
}

/** The index itself, or the one before where it lies within a surrogate pair. */
const atCharacter = (content: string, index: number): number =>
  isLow(content.charCodeAt(index)) && isHigh(content.charCodeAt(index - 1)) ? index - 1 : index

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff
