import { describe, expect, it } from 'bun:test'
import { connectDatabase } from '../../src/db/client.ts'
import { followDatabaseClock } from '../../src/db/clock.ts'
import { createLog } from '../../src/observability/log.ts'
import { createDatabase } from '../support/postgres.ts'

const connect = async () => connectDatabase({ url: await createDatabase(), poolMax: 1, name: 'tests' })

describe('the clock of the database', () => {
  it('is told without asking it, and goes on while it is away', async () => {
    const database = await connect()
    const lines: string[] = []
    const clock = await followDatabaseClock(
      database,
      createLog('warn', (line) => lines.push(line)),
    )
    await database.close()
    const [first, startedAt] = [clock.now(), performance.now()]
    await Bun.sleep(50)
    // Of the same machine here: what it says is what this process sees.
    expect(Math.abs(first - Date.now())).toBeLessThan(2000)
    expect(clock.now() - first).toBeCloseTo(performance.now() - startedAt, -1)
    expect(lines).toEqual([])
    clock.stop()
  })

  it('counts where it differs from that of this machine, which the log tells once', async () => {
    const database = await connect()
    // What a query for the time finds here first (PostgreSQL's documentation, search_path).
    await database.sql`create schema later`
    await database.sql.unsafe(
      "create function later.clock_timestamp() returns timestamptz language sql as $$ select pg_catalog.clock_timestamp() + interval '1 hour' $$",
    )
    await database.sql`set search_path to later, pg_catalog`
    const lines: string[] = []
    const clock = await followDatabaseClock(
      database,
      createLog('warn', (line) => lines.push(line)),
    )
    expect(Math.abs(clock.now() - Date.now() - 3_600_000)).toBeLessThan(2000)
    expect(lines.map((line) => JSON.parse(line).seconds)).toEqual([-3600])
    clock.stop()
    await database.close()
  })
})
