import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { addSeq, clip, type Interval, intervalOf } from '../../../src/web/sync/intervals.ts'

const built = (seqs: readonly number[]): Interval[] => {
  const held: Interval[] = []
  for (const seq of seqs) addSeq(held, seq)
  return held
}
const spread = (held: readonly Interval[]) =>
  held.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, at) => from + at))
const anySeqs = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 })

describe('intervals', () => {
  it('hold what was added, sorted, and never touch', () => {
    fc.assert(
      fc.property(anySeqs, (seqs) => {
        const held = built(seqs)
        expect(spread(held)).toEqual([...new Set(seqs)].sort((a, b) => a - b))
        for (const [at, { from }] of held.entries()) expect(from - (held[at - 1]?.to ?? -1)).toBeGreaterThan(1)
      }),
    )
  })

  it('find the one that holds a number, and cut what lies outside', () => {
    fc.assert(
      fc.property(anySeqs, fc.integer({ min: 0, max: 45 }), fc.integer({ min: 0, max: 45 }), (seqs, a, b) => {
        const held = built(seqs)
        const found = intervalOf(held, a)
        expect(found !== undefined).toBe(seqs.includes(a))
        if (found) expect(found.from <= a && a <= found.to).toBe(true)
        const inside = [...new Set(seqs)].filter((seq) => seq >= a && seq <= b).sort((x, y) => x - y)
        expect(spread(clip(held, a, b))).toEqual(inside)
      }),
    )
  })
})
