import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { contentDisposition } from '../../src/http/content-disposition.ts'

describe('Content-Disposition (RFC 6266)', () => {
  it.each([
    ['holiday.jpg', `attachment; filename="holiday.jpg"; filename*=UTF-8''holiday.jpg`],
    ['a b.txt', `attachment; filename="a b.txt"; filename*=UTF-8''a%20b.txt`],
    ['Grüße.pdf', `attachment; filename="Gr__e.pdf"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf`],
    ['💩', `attachment; filename="_"; filename*=UTF-8''%F0%9F%92%A9`],
    ['a"b\\c%41.txt', `attachment; filename="a_b_c_41.txt"; filename*=UTF-8''a%22b%5Cc%2541.txt`],
    ["it's (1)*.txt", `attachment; filename="it's (1)*.txt"; filename*=UTF-8''it%27s%20%281%29%2A.txt`],
    [
      'x\r\nset-cookie: a=b',
      `attachment; filename="x__set-cookie: a=b"; filename*=UTF-8''x%0D%0Aset-cookie%3A%20a%3Db`,
    ],
    ['\ud800.txt', `attachment; filename="_.txt"; filename*=UTF-8''%EF%BF%BD.txt`],
    ['', `attachment; filename=""; filename*=UTF-8''`],
  ])('of %j', (name, expected) => {
    expect(contentDisposition('attachment', name)).toBe(expected)
  })

  it('can be put into a header and read back, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (name) => {
        const value = contentDisposition('inline', name)
        expect(value).toMatch(/^inline; filename="[ !#$&-[\]-~]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]*$/)
        expect(new Headers({ 'content-disposition': value }).get('content-disposition')).toBe(value)
        expect(decodeURIComponent(value.split("UTF-8''")[1] ?? '')).toBe(name.toWellFormed())
      }),
      { numRuns: 2000 },
    )
  })
})
