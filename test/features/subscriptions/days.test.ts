import { describe, expect, it } from 'bun:test'
import { addMonths, utcDay } from '../../../src/features/subscriptions/days.ts'

describe('a month later', () => {
  it.each([
    ['2026-01-15', 1, '2026-02-15'],
    ['2026-12-15', 1, '2027-01-15'],
    ['2026-01-31', 1, '2026-02-28'],
    ['2028-01-31', 1, '2028-02-29'],
    ['2028-01-29', 1, '2028-02-29'],
    ['2026-01-29', 1, '2026-02-28'],
    ['2026-03-31', 1, '2026-04-30'],
    ['2026-12-31', 1, '2027-01-31'],
    // Not 2100, which is no leap year; 2000 was one.
    ['2100-01-31', 1, '2100-02-28'],
    ['2000-01-31', 1, '2000-02-29'],
    // Where clocks change in between.
    ['2026-03-28', 1, '2026-04-28'],
    ['2026-10-24', 1, '2026-11-24'],
  ])('is the same day, or the last of a shorter month: %s', (day, months, expected) => {
    expect(addMonths(day, months)).toBe(expected)
  })
})

describe('a year later', () => {
  it.each([
    ['2026-01-15', '2027-01-15'],
    ['2028-02-29', '2029-02-28'],
    ['2027-02-28', '2028-02-28'],
    ['2096-02-29', '2097-02-28'],
    ['2026-12-31', '2027-12-31'],
    ['9999-06-01', '9999-12-31'],
    ['9999-12-31', '9999-12-31'],
    ['9998-12-31', '9999-12-31'],
  ])('is the same day, if there is one, and never beyond four digits: %s', (day, expected) => {
    expect(addMonths(day, 12)).toBe(expected)
  })
})

describe('the day of an instant', () => {
  it.each([
    ['2026-03-28T23:59:59.999Z', '2026-03-28'],
    ['2026-03-29T00:00:00.000Z', '2026-03-29'],
    ['2026-03-29T01:30:00+02:00', '2026-03-28'],
    ['2026-12-31T23:59:59.999-05:00', '2027-01-01'],
  ])('is that of UTC: %s', (instant, day) => {
    expect(utcDay(new Date(instant))).toBe(day)
  })
})
