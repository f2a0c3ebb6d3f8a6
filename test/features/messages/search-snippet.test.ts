import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { parseQuery, type Term } from '../../../src/features/messages/search-query.ts'
import { makeSnippet } from '../../../src/features/messages/search-snippet.ts'
import { tokenize } from '../../../src/features/messages/search-text.ts'
import { countSlips, isDictionaryWord, pickMeant } from '../../../src/features/messages/search-typos.ts'

const snippetOf = (content: string, q: string) => makeSnippet(content, parseQuery(q))
/** What is highlighted. */
const marked = ({ text, highlights }: ReturnType<typeof makeSnippet>) =>
  highlights.map(({ start, length }) => text.slice(start, start + length))

describe('a snippet', () => {
  it.each([
    ['whole words for their beginnings', 'Unfinished business, unfinished', 'unfin', ['Unfinished', 'unfinished']],
    ['every word of the query', 'one two three', 'three one', ['one', 'three']],
    ['neighbouring characters as one', '我爱北京，北 京', '北京', ['北京']],
    ['characters that overlap as one', '哈哈哈', '哈哈', ['哈哈哈']],
    ['what is written otherwise', 'Ёлка у Straße', 'елка strasse', ['Ёлка', 'Straße']],
    ['a word with its marks', 'مُحَمَّد هنا', 'محمد', ['مُحَمَّد']],
  ])('marks %s', (_, content, q, expected) => {
    expect(marked(snippetOf(content, q))).toEqual(expected)
  })

  it('marks the words that resemble', () => {
    const terms: Term[] = [{ word: 'helo', isPrefix: true, similar: ['hello'] }]
    expect(marked(makeSnippet('Hello there', terms))).toEqual(['Hello'])
  })

  it('is a short message as it is', () => {
    expect(snippetOf(`${'x'.repeat(150)} word`, 'word').text).toHaveLength(155)
  })

  it('is the part around the first place in a long one', () => {
    const found = snippetOf(`${'before '.repeat(100)}needle ${'after '.repeat(100)}needle`, 'needle')
    expect(found.text).toHaveLength(160)
    expect(found.highlights).toEqual([{ start: 40, length: 6 }])
  })

  it('keeps its length at the end of a message', () => {
    const found = snippetOf(`${'before '.repeat(100)}needle`, 'needle')
    expect(found.text).toHaveLength(160)
    expect(found.text).toEndWith('needle')
  })

  it('is filled by what was found where that is longer than it', () => {
    const phrase = '哈'.repeat(200)
    const found = snippetOf(`${'before '.repeat(100)}${phrase} after`, phrase)
    expect(found.text).toHaveLength(160)
    expect(found.highlights).toEqual([{ start: 40, length: 120 }])
  })

  it('cuts no surrogate pair, and marks only what it shows', () => {
    const parts = fc.constantFrom('😀', 'a', ' ', 'needle', '北京', '.')
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 300 }), (content) => {
        const found = snippetOf(content.join(''), 'needle 北京')
        expect(found.text.isWellFormed()).toBe(true)
        expect(found.text.length).toBeLessThanOrEqual(161)
        for (const { start, length } of found.highlights) {
          expect(start).toBeGreaterThanOrEqual(0)
          expect(length).toBeGreaterThan(0)
          expect(start + length).toBeLessThanOrEqual(found.text.length)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('the time that a snippet takes', () => {
  const timeOf = (work: () => void): number => {
    const startedAt = performance.now()
    work()
    return performance.now() - startedAt
  }

  it.each([
    // One letter that stands for four words.
    ['the same words again and again', '\uFDFA'.repeat(4096), '\uFDFA'.repeat(256)],
    ['a long phrase of one character', '的'.repeat(4096), '的'.repeat(256)],
    ['as many beginnings of words as there can be', 'abc xyz '.repeat(512), 'xy '.repeat(85)],
  ])('is little more than that of reading the message: %s', (_, content, q) => {
    const terms = parseQuery(q)
    // By turns, so that whatever else the machine does befalls both; the fastest of each.
    let [reading, marking] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let n = 0; n < 30; n++) {
      reading = Math.min(
        reading,
        timeOf(() => tokenize(content)),
      )
      marking = Math.min(
        marking,
        timeOf(() => makeSnippet(content, terms)),
      )
    }
    expect(marking / reading).toBeLessThan(5)
  })
})

describe('slips of the finger', () => {
  it.each([
    ['привет', 'привет', 0],
    ['привет', 'превет', 1],
    ['привет', 'приет', 1],
    ['привет', 'пирвет', 1],
    ['hello', 'helllo', 1],
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
  ])('between %s and %s', (a, b, slips) => {
    expect(countSlips(a, b)).toBe(slips)
    expect(countSlips(b, a)).toBe(slips)
  })

  it('are one in a short word, two in a long one', () => {
    expect(pickMeant('cats', ['cat', 'cots', 'coat', 'dogs'])).toEqual(['cat', 'cots'])
    expect(pickMeant('recieveing', ['receiving', 'receive', 'recieveing'])).toEqual(['recieveing', 'receiving'])
  })

  it('are looked for in words alone', () => {
    expect(['abcd', 'привет', 'abc', 'abc1', 'x'.repeat(33)].map(isDictionaryWord)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })
})
