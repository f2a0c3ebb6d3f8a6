import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { parseQuery, toQuery, toVector } from '../../../src/features/messages/search-query.ts'
import { tokenize } from '../../../src/features/messages/search-text.ts'

const wordsOf = (text: string) => tokenize(text).map((token) => token.text)

describe('words', () => {
  it.each([
    ['in lower case', 'Hello, WORLD!', ['hello', 'world']],
    ['with digits', 'covid19 on 2026-01-15', ['covid19', 'on', '2026', '01', '15']],
    ['Russian, е for ё', 'Ёлка ещё', ['елка', 'еще']],
    ['German, ss for ß', 'Straße STRASSE', ['strasse', 'strasse']],
    ['Greek, whatever its last sigma', 'ΟΔΟΣ οδός', ['οδοσ', 'οδόσ']],
    ['Turkish capital İ', 'İstanbul', ['istanbul']],
    ['composed and decomposed alike', 'café cafe\u0301', ['café', 'café']],
    ['Arabic without diacritics and tatweel', 'مُحَمَّد محمــد', ['محمد', 'محمد']],
    ['Arabic, one alef', 'أحمد إحمد آحمد', ['احمد', 'احمد', 'احمد']],
    ['Persian with its half-space', 'می\u200cخواهم', ['ميخواهم']],
    ['Hebrew without points', 'שָׁלוֹם', ['שלום']],
    ['Hindi with its vowels', 'किताब', ['किताब']],
    ['Korean, whole and in parts', '한국 \u1112\u1161\u11ab', ['한국', '한']],
    ['fullwidth forms', 'Ｈｅｌｌｏ１', ['hello1']],
    ['a ligature of several words', '\ufdfa', ['صلي', 'الله', 'عليه', 'وسلم']],
    ['with soft hyphens', 'Wort\u00adteil', ['wortteil']],
    ['apart at zero-width spaces', 'a\u200bb', ['a', 'b']],
    ['none in emoji', '👨‍👩‍👧 1️⃣ ❤️', ['1']],
    ['Chinese by the character', '北京2026年', ['北', '京', '2026', '年']],
    ['Japanese in all scripts', 'ｶﾞが東', ['ガ', 'が', '東']],
    ['Thai without tone marks', 'กิน', ['ก', 'น']],
    ['cut when nobody would type them whole', 'x'.repeat(100), ['x'.repeat(40)]],
    ['cut by code points', '𝒳'.normalize('NFD').repeat(30), ['x'.repeat(30)]],
  ])('%s', (_, text, words) => {
    expect(wordsOf(text)).toEqual(words)
  })

  it('stand where they stood in the original, in code units', () => {
    const text = '😀 cafe\u0301 ｶﾞ東 👍End'
    expect(tokenize(text).map(({ start, end }) => text.slice(start, end))).toEqual(['cafe\u0301', 'ｶﾞ', '東', 'End'])
  })

  it('are bounded in number, whatever a text expands to', () => {
    expect(tokenize('\ufdfa '.repeat(4096)).length).toBe(8000)
    expect(Math.max(...tokenize('東 '.repeat(4096)).map(({ place = 0 }) => place))).toBeLessThan(16_383)
  })

  it('are the same in a part as in the whole', () => {
    const letters = fc.constantFrom(...'aB1éßΣς½⑴中京がガｶﾞ กิไخأ\u0301\u200d\u3099한\u1112\u1161\u11abकि😀İ.')
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 30 }), (parts) => {
        const text = parts.join('')
        for (const { text: word, start, end } of tokenize(text)) {
          expect(wordsOf(text.slice(start, end))).toContain(word)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a message as a tsvector', () => {
  it('names each word once, and where characters stand', () => {
    expect(toVector(tokenize('b a b 东京东'))).toBe("'%b' '%a' '%东':4,6 '%京':5")
  })

  it('is empty without words', () => {
    expect(toVector(tokenize('… 🎉'))).toBe('')
  })
})

describe('a query as a tsquery', () => {
  it.each([
    ['the last word may be unfinished', 'I am he', "('%i') & ('%am') & ('%he':*)"],
    ['longer words may have endings', 'сообщение от', "('%сообщение':*) & ('%от':*)"],
    [
      'neighbouring characters stay neighbours',
      '北京 图书馆x',
      "('%北' <-> '%京') & ('%图' <-> '%书' <-> '%馆') & ('%x':*)",
    ],
    ['nothing is asked for twice', 'да да да', "('%да') & ('%да':*)"],
    ['nothing of its syntax gets in', `a' | !(b):* \\ & 'c`, "('%a') & ('%b') & ('%c':*)"],
  ])('%s', (_, q, query) => {
    expect(toQuery(parseQuery(q))).toBe(query)
  })
})
