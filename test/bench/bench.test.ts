/** The benchmark's own parts: its client against a real server, and what its table says. */
import { describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { startLoad } from './load/start.ts'
import { readOptions } from './options.ts'
import { rotate } from './part.ts'
import { figuresOf, isHeld, show, tableOf } from './report.ts'
import { measureDisk, waitsOf } from './systems/disk.ts'
import { startProgram } from './systems/server.ts'

describe('the load', () => {
  it('counts every message that came to every socket, and times them from when they were due', async () => {
    const server = await startProgram('raw', [process.execPath, join(import.meta.dir, 'systems/raw.ts'), 'publish'])
    const members = Array.from({ length: 5 }, (_, n) => ({
      url: server.url,
      token: '',
      chatId: 'one',
      isSilent: n > 1,
    }))
    const load = await startLoad({ protocol: 'messenger', members, content: 'x'.repeat(200), copies: 5 })
    try {
      // It would throw if something were missing or came twice.
      const { acknowledged, arrived } = await load.saturate(4, 0.2)
      expect(acknowledged).toBeGreaterThan(0)
      expect(arrived).toBeGreaterThan(acknowledged)
      const { arrivals, sendings } = await load.schedule(200, 0.5)
      const latencies = arrivals['']
      expect(latencies?.p50).toBeGreaterThan(0)
      expect(latencies?.most).toBeGreaterThanOrEqual(latencies?.p50 ?? Number.NaN)
      // What the load itself is late by is a part of it.
      expect(sendings.p50).toBeGreaterThanOrEqual(0)
      expect(latencies?.most).toBeGreaterThanOrEqual(sendings.p50)
    } finally {
      await load.stop()
      await server.stop()
    }
  })
})

describe('the disk', () => {
  it('makes any moment wait for the whole sync that begins after it', () => {
    const syncs = [
      { from: 0, to: 1 },
      { from: 1, to: 11 },
      { from: 11, to: 12 },
    ]
    // At 0 until 1, at 1 until 11, from 2 to 11 until 12.
    expect(waitsOf(syncs, 1)).toEqual({ p50: 6, p95: 10, p99: 10, most: 10 })
    expect(waitsOf([], 1).p99).toBeNaN()
  })

  it('is asked with real syncs', async () => {
    const { p50, most } = await measureDisk(0.2)
    expect(p50).toBeGreaterThan(0)
    expect(most).toBeGreaterThanOrEqual(p50)
  })
})

describe('the report', () => {
  const row = { what: 'messages/s', unit: '/s', ours: [20_000, 24_000, 22_000], goal: { atLeast: 10 } }
  const against = { name: 'plain', values: [2000, 2000, 2000] }

  it('compares round by round, and holds the goal against the median', () => {
    expect(figuresOf({ ...row, against })).toEqual([10, 12, 11])
    expect(isHeld({ ...row, against })).toBe(true)
    expect(isHeld({ ...row, against, goal: { atLeast: 11.5 } })).toBe(false)
    expect(isHeld({ ...row, goal: { atMost: 120 } })).toBe(false)
    expect(isHeld({ ...row, goal: undefined })).toBeUndefined()
  })

  it('holds no goal with a figure that is none', () => {
    expect(isHeld({ ...row, ours: [Number.NaN] })).toBe(false)
    expect(isHeld({ ...row, ours: [Number.POSITIVE_INFINITY], goal: { atMost: 20 } })).toBe(false)
  })

  it('prints a table with figures, spread, goal and outcome', () => {
    const lines = tableOf([{ ...row, against }]).split('\n')
    expect(lines).toHaveLength(3)
    for (const text of ['22,000/s', 'plain: 2,000/s', '11.0 x', '10.0 to 12.0', 'at least 10.0 x', 'held']) {
      expect(lines[2]).toContain(text)
    }
    expect([show(0.1234), show(9.99), show(123.4), show(12_345.6)]).toEqual(['0.123', '9.99', '123', '12,346'])
  })
})

describe('the command line', () => {
  it('has three rounds and fifteen minutes unless it says otherwise', () => {
    expect(readOptions([])).toMatchObject({ rounds: 3, minutes: 15, names: [] })
    expect(readOptions(['dm', '--rounds', '1', 'fanout'])).toMatchObject({ rounds: 1, names: ['dm', 'fanout'] })
  })

  it('refuses what it does not understand', () => {
    for (const args of [['--rounds', '0'], ['--seconds', 'x'], ['--minutes', '-1'], ['--sizes', '9'], ['--what']]) {
      expect(() => readOptions(args)).toThrow()
    }
  })

  it('lets another one begin in each round', () => {
    expect(rotate([1, 2, 3], 4)).toEqual([2, 3, 1])
    expect(rotate([], 4)).toEqual([])
  })
})
