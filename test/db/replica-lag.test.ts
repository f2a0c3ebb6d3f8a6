import { describe, expect, it } from 'bun:test'
import * as fc from 'fast-check'
import { addSample, lagOf, type Sample } from '../../src/db/replica-lag.ts'

const sampled = (...samples: [seconds: number, written: number][]): Sample[] =>
  samples.reduce<Sample[]>((all, [seconds, written]) => addSample(all, { at: seconds * 1000, written }), [])

describe('how far a replica is behind', () => {
  it('is not known before it has reached anything that the primary wrote', () => {
    expect(lagOf([], 100)).toBeUndefined()
    expect(lagOf(sampled([0, 100]), 99)).toBeUndefined()
    expect(lagOf(sampled([0, 100]), 100)).toBe(0)
  })

  it('is the time since the primary was where the replica is', () => {
    const samples = sampled([0, 100], [1, 200], [2, 300], [3, 400])
    expect([100, 199, 200, 350, 400, 401].map((replayed) => lagOf(samples, replayed))).toEqual([3, 3, 2, 1, 0, 0])
  })

  it('is nothing on a primary that is idle, and does not grow there', () => {
    const idle = sampled([0, 100], [1, 200], [2, 200], [60, 200])
    expect(lagOf(idle, 200)).toBe(0)
    expect(lagOf(addSample(idle, { at: 61_000, written: 300 }), 200)).toBe(1)
  })

  it('never grows by replaying more, and is no longer than was looked', () => {
    const steps = fc.array(fc.tuple(fc.nat(5), fc.nat(100)), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(steps, fc.nat(5000), fc.nat(100), (given, replayed, more) => {
        let [at, written] = [0, 0]
        const samples = sampled(
          ...given.map(([seconds, bytes]): [number, number] => {
            at += seconds
            written += bytes
            return [at, written]
          }),
        )
        const [before, after] = [lagOf(samples, replayed), lagOf(samples, replayed + more)]
        if (before === undefined) return
        expect(before).toBeWithin(0, at + 1)
        expect(after).toBeLessThanOrEqual(before)
      }),
    )
  })

  it('is remembered for an hour of looks', () => {
    let samples: Sample[] = []
    for (let n = 0; n < 4000; n++) samples = addSample(samples, { at: n * 1000, written: n })
    expect(samples).toHaveLength(3600)
    expect(lagOf(samples, 399)).toBeUndefined()
    expect(lagOf(samples, 400)).toBe(3599)
  })
})
