import { afterAll, afterEach, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { type FaultyPostgres, startFaultyPostgres } from './faulty-postgres.ts'
import type { Report } from './load.ts'
import { startLoad } from './load-process.ts'

setDefaultTimeout(30_000)

const poolMax = 8

describe('under load, the client', () => {
  let postgres: FaultyPostgres
  let load: Awaited<ReturnType<typeof startLoad>> | undefined

  beforeAll(async () => {
    postgres = await startFaultyPostgres()
  })
  afterEach(() => {
    load?.kill()
    postgres.thaw()
  })
  afterAll(() => postgres.stop())

  const start = (limits: { deadlineMs: number; silenceSeconds?: number; connectTimeoutSeconds?: number }) => {
    const { deadlineMs, ...database } = limits
    return startLoad({ deadlineMs, database: { socket: postgres.socket, poolMax, name: 'load', ...database } })
  }

  it('survives the loss of every connection, 30 times and until much was done between', async () => {
    load = await start({ deadlineMs: 5_000 })
    let ended = 0
    for (let cycle = 0; cycle < 30 || (await load.resolved()) <= 500; cycle++) {
      // At all phases of a reconnection: while it connects, in its first query, and long after.
      await Bun.sleep(20 + ((cycle * 37) % 200))
      ended += postgres.terminateBackends()
    }
    const report = await load.report()
    expect(ended).toBeGreaterThan(30)
    expectSoundness(report)
    expect(report.resolved).toBeGreaterThan(500)
  })

  it('is back within 5 s after PostgreSQL fell and came up again, 3 times', async () => {
    load = await start({ deadlineMs: 5_000 })
    for (let cycle = 0; cycle < 3; cycle++) {
      await Bun.sleep(500)
      await postgres.restartAtOnce()
      expect(await load.recoveryMs()).toBeLessThan(5_000)
    }
    await Bun.sleep(500)
    expectSoundness(await load.report())
  })

  it('lets nothing hang while its connections are silent', async () => {
    load = await start({ deadlineMs: 5_000, silenceSeconds: 1 })
    await Bun.sleep(300)
    expect(postgres.freeze({ whole: false })).toBe(poolMax)
    // New connections may be of no use either: a frozen process can hold what others wait for.
    await Bun.sleep(3_000)
    postgres.thaw()
    await Bun.sleep(300)
    expectSoundness(await load.report())
  })

  it('lets nothing hang while PostgreSQL neither answers nor accepts', async () => {
    load = await start({ deadlineMs: 5_000, silenceSeconds: 1, connectTimeoutSeconds: 1 })
    await Bun.sleep(300)
    postgres.freeze({ whole: true })
    await Bun.sleep(5_000)
    postgres.thaw()
    expect(await load.recoveryMs()).toBeLessThan(5_000)
    await Bun.sleep(300)
    expectSoundness(await load.report())
  })
})

/** Everything settled, as what it was, and the whole pool is still there. */
function expectSoundness(report: Report): void {
  expect(report).toMatchObject({
    hung: {},
    strange: [],
    wrongAnswers: 0,
    brokenTransactions: 0,
    usableConnections: poolMax,
  })
  expect(report.rejected).toBeGreaterThan(0)
}
