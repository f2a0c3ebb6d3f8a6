/** Which words may have been meant by a mistyped one. Pure. */

/** Shorter words resemble too many others, longer ones are no words. In UTF-16 code units. */
const LETTERS = /^\p{L}{4,32}$/u
const MAX_MEANT = 50

/** Whether a word is one that people mistype: letters alone, 4 to 32. */
export const isDictionaryWord = (word: string): boolean => LETTERS.test(word)

/** Of words that resemble the typed one those that a slip of the finger or two explains, the nearest first. */
export function pickMeant(typed: string, candidates: readonly string[]): string[] {
  const maxSlips = typed.length < 8 ? 1 : 2
  return candidates
    .map((word) => ({ word, slips: countSlips(typed, word) }))
    .filter(({ slips }) => slips <= maxSlips)
    .sort((a, b) => a.slips - b.slips)
    .slice(0, MAX_MEANT)
    .map(({ word }) => word)
}

/**
 * How many letters were left out, put in, changed, or swapped with their neighbour (the optimal string alignment
 * distance).
 */
export function countSlips(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}
