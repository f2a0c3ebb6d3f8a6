import { describe, expect, it } from 'bun:test'
import { readRange } from '../../src/http/range.ts'

describe('a range of bytes (RFC 9110, 14)', () => {
  const of = (start: number, end: number) => ({ start, end })
  const cases: [string | null, number, ReturnType<typeof readRange>][] = [
    [null, 10, undefined],
    ['', 10, undefined],
    ['bytes=0-0', 10, of(0, 1)],
    ['bytes=0-9', 10, of(0, 10)],
    ['bytes=2-4', 10, of(2, 5)],
    ['bytes=9-9', 10, of(9, 10)],
    ['Bytes= 2-4 ', 10, of(2, 5)],
    // Beyond the end it ends there.
    ['bytes=5-100', 10, of(5, 10)],
    ['bytes=5-99999999999999999999999', 10, of(5, 10)],
    // Open-ended, and the last so many.
    ['bytes=7-', 10, of(7, 10)],
    ['bytes=0-', 10, of(0, 10)],
    ['bytes=-3', 10, of(7, 10)],
    ['bytes=-10', 10, of(0, 10)],
    ['bytes=-11', 10, of(0, 10)],
    // Nothing of the file.
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=10-20', 10, 'unsatisfiable'],
    ['bytes=99999999999999999999999-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-5', 0, 'unsatisfiable'],
    // Several, and what is none: the whole file.
    ['bytes=0-1,3-4', 10, undefined],
    ['bytes=4-2', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=a-b', 10, undefined],
    ['bytes=1.5-3', 10, undefined],
    ['bytes=+1-3', 10, undefined],
    ['bytes=--3', 10, undefined],
    ['bytes 0-1', 10, undefined],
    ['lines=0-1', 10, undefined],
    ['bytes=0-1\r\nx: y', 10, undefined],
  ]
  it.each(cases)('%j of %d bytes', (header, size, expected) => {
    expect(readRange(header, size)).toEqual(expected)
  })
})
