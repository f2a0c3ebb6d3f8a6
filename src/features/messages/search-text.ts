/**
 * What is a word, in any language, without a locale: the same for messages as they are indexed, for queries, and for
 * finding the words again in a text. Pure.
 */

export interface Token {
  /** Normalized: letters and digits alone. */
  text: string
  /** Where it stands in the original, in UTF-16 code units. */
  start: number
  end: number
  /**
   * Of a character of a script that is written without spaces: its place, neighbours being one apart. Words have none:
   * they are found wherever they stand.
   */
  place?: number
}

/** Longer words are cut, in code points: nobody types them whole. */
const MAX_WORD_LENGTH = 40
/** The places of a tsvector end at 16,383, and each token takes two at most. */
const MAX_TOKENS = 8000

// Format characters (joiners, directions, soft hyphens) stand within words; a zero-width space (U+200B) parts them.
const RUN = /[\p{L}\p{N}\p{M}\u00AD\u200C-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]+/gu
/** What `normalize` does nothing to but making it lower case, and most runs of many languages. */
const PLAIN = /^[0-9A-Za-z]+$/
const IS_WORD = /^[\p{L}\p{N}\p{Mc}]+$/u
const WORD = /[\p{L}\p{N}\p{Mc}]+/gu
const DROPPED = /[\p{Mn}\p{Me}\p{Cf}\u0640]/gu
const UNSPACED = '\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{scx=Thai}\\p{scx=Khmer}\\p{scx=Lao}\\p{scx=Myanmar}'
const HAS_UNSPACED = new RegExp(`[${UNSPACED}]`, 'u')
/** A character that is a token by itself, or a word of others. */
const PIECE = new RegExp(`(?=[${UNSPACED}])([\\p{L}\\p{N}]\\p{Mc}*)|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{Mc}])+`, 'gu')
// A character with what belongs to it: marks, the later parts of a Hangul syllable, the voicing of halfwidth Katakana.
const ATTACHED = '\\p{M}\\p{Cf}\\u1160-\\u11FF\\uD7B0-\\uD7FF\\uFF9E\\uFF9F'
const CLUSTER = new RegExp(`[^${ATTACHED}][${ATTACHED}]*|[${ATTACHED}]+`, 'gu')

/** Letters that are written one for the other. */
const FOLDED: Record<string, string> = {
  ё: 'е',
  ß: 'ss',
  ς: 'σ',
  أ: 'ا',
  إ: 'ا',
  آ: 'ا',
  ٱ: 'ا',
  ى: 'ي',
  ی: 'ي',
  ک: 'ك',
}
const FOLDABLE = new RegExp(`[${Object.keys(FOLDED).join('')}]`, 'g')

/** Unicode's compatible form (UAX 15) in lower case, without marks and tatweel. */
const normalize = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(DROPPED, '')
    .replace(FOLDABLE, (letter) => FOLDED[letter] ?? letter)

/** The words of a text, in their order. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let place = 0
  for (const { 0: run, index: start } of text.matchAll(RUN)) {
    if (tokens.length >= MAX_TOKENS) break
    const end = start + run.length
    if (PLAIN.test(run)) {
      tokens.push({ text: cut(run.toLowerCase()), start, end })
    } else if (!HAS_UNSPACED.test(run)) {
      const words = normalize(run)
      if (IS_WORD.test(words)) tokens.push({ text: cut(words), start, end })
      else for (const [word] of words.matchAll(WORD)) tokens.push({ text: cut(word), start, end })
    } else {
      for (const { isCharacter, ...token } of splitRun(run, start)) {
        tokens.push(isCharacter ? { ...token, place } : token)
        place++
      }
    }
    // Characters on both sides of a space or a comma are no neighbours.
    place++
  }
  return tokens.slice(0, MAX_TOKENS)
}

/** Normalized piece by piece, so that each knows where it stood. */
function splitRun(run: string, runStart: number): (Token & { isCharacter: boolean })[] {
  let normalized = ''
  // For each code unit of the normalized run.
  const origins: { start: number; end: number }[] = []
  for (const { 0: cluster, index } of run.matchAll(CLUSTER)) {
    const origin = { start: runStart + index, end: runStart + index + cluster.length }
    const text = normalize(cluster)
    for (let n = 0; n < text.length; n++) origins.push(origin)
    normalized += text
  }
  return [...normalized.matchAll(PIECE)].map(({ 0: piece, 1: character, index }) => ({
    text: character ?? cut(piece),
    start: origins[index]?.start ?? runStart,
    end: origins[index + piece.length - 1]?.end ?? runStart,
    isCharacter: character !== undefined,
  }))
}

const cut = (word: string): string =>
  word.length <= MAX_WORD_LENGTH ? word : [...word].slice(0, MAX_WORD_LENGTH).join('')
