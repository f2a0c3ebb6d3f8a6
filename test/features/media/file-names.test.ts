import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { safeFileName } from '../../../src/features/media/file-names.ts'

describe('the name of a file', () => {
  it.each([
    ['holiday.jpg', 'holiday.jpg'],
    ['Ferien am Meer (2).jpg', 'Ferien am Meer (2).jpg'],
    ['漢字 и кириллица.txt', '漢字 и кириллица.txt'],
    // The joiners within stay.
    ['👩\u200d👩\u200d👧.png', '👩\u200d👩\u200d👧.png'],
    ['/etc/passwd', 'passwd'],
    ['../../../../etc/passwd', 'passwd'],
    ['..\\..\\windows\\system32\\a.dll', 'a.dll'],
    ['C:\\Users\\ann\\a.txt', 'a.txt'],
    ['a/b\\c/d.txt', 'd.txt'],
    ['..', 'file'],
    ['.', 'file'],
    ['/', 'file'],
    ['', 'file'],
    [undefined, 'file'],
    ['   ', 'file'],
    ['.htaccess', 'htaccess'],
    ['a.txt. . .', 'a.txt'],
    ['a\0.txt', 'a.txt'],
    ['a\r\nset-cookie: x.txt', 'aset-cookie_ x.txt'],
    ['a%0D%0Ab%22.txt', 'ab_.txt'],
    ['%2e%2e%2fetc', '%2e%2e%2fetc'],
    // Shown as if it ended in `.jpg`.
    ['invoice\u202egpj.exe', 'invoicegpj.exe'],
    ['a\u2066b\u2069\u200f\u061c\ufeffc.txt', 'abc.txt'],
    ['a\u2028b\u2029c.txt', 'abc.txt'],
    ['<script>alert(1)<>.html', '_script_alert(1)__.html'],
    ['a"b|c?d*e:f.txt', 'a_b_c_d_e_f.txt'],
    ['CON', '_CON'],
    ['nul.txt', '_nul.txt'],
    ['com1.tar.gz', '_com1.tar.gz'],
    ['console.log', 'console.log'],
    ['\ud800x.txt', '\ufffdx.txt'],
  ])('%j is %j', (name, safe) => {
    expect(safeFileName(name)).toBe(safe)
  })

  it('is cut in the middle when it is too long', () => {
    expect(safeFileName(`${'a'.repeat(300)}.jpg`)).toBe(`${'a'.repeat(251)}.jpg`)
    expect(safeFileName('漢'.repeat(300))).toBe('漢'.repeat(85))
    expect(safeFileName(`a.${'b'.repeat(300)}`)).toBe(`a.${'b'.repeat(253)}`)
  })

  it('is safe whatever it was, and stays when it is', () => {
    const parts = fc.constantFrom(
      'a',
      '漢',
      '😀',
      '.',
      '..',
      '/',
      '\\',
      '\0',
      '\u202e',
      '"',
      ' ',
      '%22',
      '\ud800',
      'CON',
      '\u200d',
    )
    const names = fc
      .array(fc.oneof(parts, fc.string({ unit: 'binary' })), { maxLength: 100 })
      .map((all) => all.join(''))
    fc.assert(
      fc.property(names, (name) => {
        const safe = safeFileName(name)
        expect(safe).not.toMatch(/[/\\<>:"|?*\p{Cc}]|^[.\s]|[.\s]$|^$/u)
        expect(safe).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
        expect(safe.isWellFormed()).toBe(true)
        expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(255)
        expect(safeFileName(safe)).toBe(safe)
      }),
      { numRuns: 2000 },
    )
  })
})
