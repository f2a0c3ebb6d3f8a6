/** The load test: its scenario on a small scale, and how it reads the figures. */
import { describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { asksOf, personOf, quantileBetween } from '../../deploy/k6/scenario.js'
import { signInAll, talk } from '../bench/talkers.ts'
import { startServer } from '../support/server.ts'

describe('a quantile', () => {
  const histogram = (...counts: [string, string, number][]) =>
    counts.map(([pool, bound, count]) => `x_bucket{pool="${pool}",le="${bound}"} ${count}\n`).join('')
  const before = histogram(['a', '0.01', 100], ['a', '0.02', 100], ['a', '+Inf', 100])

  it('is that of what was counted between two readings, over all series', () => {
    const after = `${histogram(['a', '0.01', 180], ['a', '0.02', 200], ['a', '+Inf', 200])}y_bucket{le="0.01"} 9\n`
    expect(quantileBetween(before, after, 'x', 0.8)).toBeCloseTo(0.01, 6)
    expect(quantileBetween(before, after, 'x', 0.9)).toBeCloseTo(0.015, 6)
    expect(quantileBetween(before, after, 'x', 0.4)).toBeCloseTo(0.005, 6)
    const two = after + histogram(['b', '0.01', 0], ['b', '0.02', 100], ['b', '+Inf', 100])
    expect(quantileBetween(before, two, 'x', 0.4)).toBeCloseTo(0.01, 6)
    expect(quantileBetween(before, two, 'x', 0.7)).toBeCloseTo(0.015, 6)
  })

  it('is the highest bound for what lies beyond, and nothing where nothing was counted', () => {
    expect(quantileBetween('', histogram(['a', '0.01', 0], ['a', '0.02', 1], ['a', '+Inf', 9]), 'x', 0.95)).toBe(0.02)
    expect(quantileBetween(before, before, 'x', 0.95)).toBeNaN()
  })
})

describe('the scenario', () => {
  it('is a conversation that the server takes without a fault', async () => {
    const server = await startServer({ PASSWORD_HASH: 'argon2id' }, { instances: 1 })
    const members = await signInAll(server.url, 4)
    // Whoever is there already signs in.
    expect((await signInAll(server.url, 4)).map(({ chatId }) => chatId)).toEqual(members.map(({ chatId }) => chatId))
    const measured = await talk(server.url, members, { sendEveryMs: 100, askEveryMs: 100 }, 1)
    expect(measured).toMatchObject({ faults: [], missing: 0 })
    expect(measured.acknowledged).toBe(40)
    expect(measured.deliveries).toHaveLength(80)
    expect(measured.answers).toHaveLength(40)
    await server.stop()
  })

  it('asks for routes that are there', () => {
    const paths = asksOf('CHAT').map(({ method, path }) => `${method} ${path}`)
    expect(new Set(paths).size).toBe(paths.length)
    expect(personOf(0).phone).toMatch(/^\+1999\d{7}$/)
  })

  it('is what k6 is given: modules of its own and this scenario', async () => {
    const code = await Bun.file(join(import.meta.dir, '../../deploy/k6/load-test.js')).text()
    const imports = new Bun.Transpiler({ loader: 'js' }).scanImports(code).map(({ path }) => path)
    expect(imports.sort()).toEqual(['./scenario.js', 'k6', 'k6/http', 'k6/metrics', 'k6/websockets'])
  })
})
