import { describe, expect, it } from 'bun:test'
import { growthOf, isGrowthWithin, lowestOf, type Point } from './trend.ts'

const MINUTE = 1 / 60

/** One every minute. @param noiseOf a number for each minute, the same in every run */
const measure = (minutes: number, perHour: number, noiseOf: (minute: number) => number): Point[] =>
  Array.from({ length: minutes }, (_, n) => ({ hours: n * MINUTE, mb: 100 + perHour * n * MINUTE + noiseOf(n) }))

/** Up and down by `mb` at most, without a pattern. */
const scatter = (mb: number) => (minute: number) => mb * (((minute * 7919 + 31) % 101) / 50 - 1)
/** Up for eleven minutes and down at once, as memory between two collections. */
const sawtooth = (mb: number) => (minute: number) => (mb * (minute % 11)) / 10

describe('growth', () => {
  it('is found, with what it is between', () => {
    const { perHour, least, most } = growthOf(measure(60, 5, scatter(0.5)))
    expect(perHour).toBeCloseTo(5, 0)
    expect(least).toBeLessThan(5)
    expect(least).toBeGreaterThan(4)
    expect(most).toBeGreaterThan(5)
    expect(most).toBeLessThan(6)
  })

  it('is not moved by a few measurements that are far off', () => {
    const points = measure(60, 0, (minute) => (minute > 55 ? 40 : scatter(0.1)(minute)))
    expect(Math.abs(growthOf(points).perHour)).toBeLessThan(0.3)
  })

  it('is not what a sawtooth makes of the moments in which it was looked at', () => {
    // It begins at the bottom of a tooth and ends at the top of one.
    const points = measure(121, 0, (minute) => sawtooth(30)(minute) + scatter(0.1)(minute))
    expect(isGrowthWithin(growthOf(lowestOf(points, 11)), 1)).toBe(true)
  })
})

describe('the judgement', () => {
  it('holds what is certainly within the bar, and breaks on what is certainly beyond', () => {
    expect(isGrowthWithin(growthOf(measure(60, 0, scatter(0.5))), 1)).toBe(true)
    expect(isGrowthWithin(growthOf(measure(60, -3, scatter(0.5))), 1)).toBe(true)
    expect(isGrowthWithin(growthOf(measure(60, 3, scatter(0.5))), 1)).toBe(false)
  })

  it('says nothing where noise could hide a leak, or be taken for one', () => {
    expect(isGrowthWithin(growthOf(measure(20, 0, scatter(2))), 1)).toBeUndefined()
    expect(isGrowthWithin(growthOf(measure(20, 2, scatter(2))), 1)).toBeUndefined()
  })

  it('says nothing of a few measurements, whatever they are', () => {
    for (let count = 0; count < 6; count++) {
      expect(isGrowthWithin(growthOf(measure(count, 0, scatter(0.001))), 1)).toBeUndefined()
      expect(isGrowthWithin(growthOf(measure(count, 50, scatter(0.001))), 1)).toBeUndefined()
    }
  })
})

describe('the lowest', () => {
  it('is one of each so many neighbours; a rest that is no whole group is left out', () => {
    const points = [5, 3, 4, 9, 8, 7, 1].map((mb, hours) => ({ hours, mb }))
    expect(lowestOf(points, 3)).toEqual([
      { hours: 1, mb: 3 },
      { hours: 5, mb: 7 },
    ])
  })
})
