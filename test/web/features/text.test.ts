/** Links in what people write: found where they are, and leading nowhere but to the web or to a mail. */
import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { isOnlyEmoji, isRightToLeft, piecesOf, safeHref } from '../../../src/web/features/conversation/links.ts'

const linksIn = (text: string) => piecesOf(text).flatMap(({ href }) => href ?? [])

describe('links', () => {
  it.each([
    ['https://example.org', ['https://example.org/']],
    ['see http://example.org/a?b=c#d.', ['http://example.org/a?b=c#d']],
    ['(https://en.wikipedia.org/wiki/Fog_(weather))', ['https://en.wikipedia.org/wiki/Fog_(weather)']],
    ['«https://example.org/я»', ['https://example.org/%D1%8F']],
    ['write to ann@example.org!', ['mailto:ann@example.org']],
    ['two https://a.example, https://b.example', ['https://a.example/', 'https://b.example/']],
    ['HTTPS://EXAMPLE.ORG/X', ['https://example.org/X']],
    ['javascript:alert(1)', []],
    ['JaVaScRiPt://example.org/%0aalert(1)', []],
    ['data:text/html,x', []],
    ['vbscript:x file:///etc/passwd ftp://example.org', []],
    ['https://', []],
    ['1.5 e.g. this. that', []],
  ])('%p', (text, hrefs) => {
    expect(linksIn(text)).toEqual(hrefs)
  })

  it('leave the text as it is, whatever it is', () => {
    const parts = fc.constantFrom(
      'https://a.example/',
      'a@b.example',
      'javascript:x',
      '(',
      ')',
      '"',
      '<b>',
      ' ',
      '.',
      '\u202e',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string({ unit: 'grapheme' }))), (list) => {
        const text = list.join('')
        const pieces = piecesOf(text)
        expect(pieces.map((piece) => piece.text).join('')).toBe(text)
        for (const { href } of pieces) if (href) expect(href).toMatch(/^(?:https?:\/\/|mailto:)[^\s"<>]+$/)
      }),
    )
  })

  it('are found in a long text at once', () => {
    const started = performance.now()
    for (const text of [
      'a'.repeat(4096),
      'http://'.repeat(585),
      'a@'.repeat(2048),
      `https://x.example/${'('.repeat(4000)}`,
    ])
      piecesOf(text)
    expect(performance.now() - started).toBeLessThan(1000)
  })

  it('take no other scheme', () => {
    expect(safeHref('https://example.org')).toBe('https://example.org/')
    expect(safeHref('javascript:alert(1)')).not.toMatch(/^javascript/)
  })
})

describe('text', () => {
  it('is large when it is a few emoji and nothing else', () => {
    expect(['🎉', '👍🏽', '👨‍👩‍👧', '🎉🎉🎉'].every(isOnlyEmoji)).toBeTrue()
    expect(['🎉🎉🎉🎉', 'a🎉', '1', '#', ''].some(isOnlyEmoji)).toBeFalse()
  })

  it('runs as its first letter does', () => {
    expect(['שלום', '123 مرحبا', '"שלום hello"'].every(isRightToLeft)).toBeTrue()
    expect(['hello שלום', 'Привет', '123', ''].some(isRightToLeft)).toBeFalse()
  })
})
