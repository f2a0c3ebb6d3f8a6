/** Cutting a square out of a picture: it never leaves the picture, and moves as a hand expects. */
import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import {
  areaOf,
  type Cut,
  dragged,
  held,
  mostZoom,
  type Size,
  sideOf,
  standing,
  wholeCut,
  zoomed,
} from '../../../src/web/features/media/crop.ts'

const size = fc.record({ width: fc.integer({ min: 1, max: 8000 }), height: fc.integer({ min: 1, max: 8000 }) })
const number = fc.double({ min: -20_000, max: 20_000, noNaN: true })
const place = fc.record({
  x: fc.double({ min: 0, max: 1, noNaN: true }),
  y: fc.double({ min: 0, max: 1, noNaN: true }),
})
const step = fc.oneof(
  fc.record({ x: number, y: number }).map((by) => (of: Size, cut: Cut) => dragged(of, cut, by)),
  fc.tuple(number, place).map(
    ([zoom, at]) =>
      (of: Size, cut: Cut) =>
        zoomed(of, cut, zoom, at),
  ),
)

describe('a cut', () => {
  it('has picture everywhere, whatever is done to it', () => {
    fc.assert(
      fc.property(size, fc.array(step), (of, steps) => {
        const cut = steps.reduce((before, act) => act(of, before), wholeCut(of))
        const { x, y, side } = areaOf(of, cut)
        expect(side).toBeGreaterThan(0)
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(-1e-6)
        expect(x + side).toBeLessThanOrEqual(of.width + 1e-6)
        expect(y + side).toBeLessThanOrEqual(of.height + 1e-6)
        expect(held(of, cut)).toEqual(cut)
        const { x: across, y: down } = standing(of, cut)
        for (const share of [across, down]) expect(share).toBeWithin(-1e-6, 1 + 1e-6)
      }),
    )
  })

  it('keeps what is pointed at while it zooms, away from the edges', () => {
    const of = { width: 3000, height: 2000 }
    const before: Cut = { zoom: 2, x: 1500, y: 1000 }
    const at = { x: 0.8, y: 0.3 }
    const pointOf = (cut: Cut) => {
      const { x, y, side } = areaOf(of, cut)
      return [x + at.x * side, y + at.y * side]
    }
    const [x = 0, y = 0] = pointOf(zoomed(of, before, 3, at))
    const [wasX = 0, wasY = 0] = pointOf(before)
    expect(x).toBeCloseTo(wasX)
    expect(y).toBeCloseTo(wasY)
  })

  it('follows the hand: to the right shows what is on the left', () => {
    const of = { width: 3000, height: 2000 }
    expect(dragged(of, wholeCut(of), { x: 0.1, y: 0 })).toEqual({ zoom: 1, x: 1300, y: 1000 })
    expect(dragged(of, wholeCut(of), { x: 9, y: 9 })).toEqual({ zoom: 1, x: 1000, y: 1000 })
  })

  it('never makes a smudge of a small picture', () => {
    expect(mostZoom({ width: 50, height: 400 })).toBe(1)
    expect(sideOf({ width: 200, height: 400 }, { zoom: mostZoom({ width: 200, height: 400 }) })).toBe(96)
    expect(mostZoom({ width: 4000, height: 4000 })).toBe(5)
  })
})
