/** Which part of a long conversation is in the page: arithmetic, for any loaded range and any walk through it. */
import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import {
  boundsOf,
  CHUNK,
  chunkOf,
  keep,
  type Loaded,
  shiftDown,
  shiftUp,
  type View,
  viewAround,
  viewOfEnd,
} from '../../../src/web/list/window.ts'

const MOST_ROWS = 120
const loadedRange = fc
  .record({ first: fc.integer({ min: 1, max: 5000 }), count: fc.integer({ min: 1, max: 2000 }) })
  .map(({ first, count }): Loaded => ({ first, last: first + count - 1 }))

const rowsOf = (view: View, loaded: Loaded): number[] =>
  Array.from({ length: view.to - view.from + 1 }, (_, i) => boundsOf(view.from + i, loaded)).flatMap(({ from, to }) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i),
  )

function check(view: View, loaded: Loaded) {
  const rows = rowsOf(view, loaded)
  expect(rows.length).toBeGreaterThan(0)
  expect(rows.length).toBeLessThanOrEqual(MOST_ROWS)
  expect(rows[0]).toBeGreaterThanOrEqual(loaded.first)
  expect(rows.at(-1)).toBeLessThanOrEqual(loaded.last)
  // Without a gap.
  expect(rows).toEqual(Array.from(rows, (_, i) => (rows[0] ?? 0) + i))
}

describe('the window', () => {
  it('has chunks whose borders never move', () => {
    expect([1, CHUNK, CHUNK + 1].map(chunkOf)).toEqual([0, 0, 1])
    const [first, last] = [CHUNK + 2, CHUNK + 4]
    expect(boundsOf(1, { first, last })).toEqual({ from: first, to: last })
  })

  it('shows the end, or what is around a message, and never more than it holds', () => {
    fc.assert(
      fc.property(loadedRange, fc.double({ min: 0, max: 1, noNaN: true }), (loaded, share) => {
        const end = viewOfEnd(loaded)
        check(end, loaded)
        expect(rowsOf(end, loaded).at(-1)).toBe(loaded.last)
        const seq = Math.round(loaded.first + share * (loaded.last - loaded.first))
        const around = viewAround(seq, loaded)
        check(around, loaded)
        expect(rowsOf(around, loaded)).toContain(seq)
      }),
    )
  })

  it('overlaps what was there with every step, and reaches both ends', () => {
    fc.assert(
      fc.property(loadedRange, (loaded) => {
        let view = viewOfEnd(loaded)
        const walk = (step: typeof shiftUp, isThere: (rows: number[]) => boolean) => {
          for (let steps = 0; !isThere(rowsOf(view, loaded)); steps++) {
            expect(steps).toBeLessThanOrEqual((loaded.last - loaded.first) / CHUNK + 1)
            const before = new Set(rowsOf(view, loaded))
            view = step(view, loaded)
            check(view, loaded)
            expect(rowsOf(view, loaded).some((seq) => before.has(seq))).toBeTrue()
          }
        }
        walk(shiftUp, (rows) => rows[0] === loaded.first)
        walk(shiftDown, (rows) => rows.at(-1) === loaded.last)
      }),
      { numRuns: 50 },
    )
  })

  it('stays within what is loaded when that changes', () => {
    fc.assert(
      fc.property(loadedRange, loadedRange, (before, after) => {
        check(keep(viewOfEnd(before), after), after)
      }),
    )
  })
})
