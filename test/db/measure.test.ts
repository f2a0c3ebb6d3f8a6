import { afterAll, beforeAll, expect, it } from 'bun:test'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { createQueryMeter } from '../../src/db/measure.ts'
import { createLog } from '../../src/observability/log.ts'
import { createMetrics, type Metrics } from '../../src/observability/metrics.ts'
import { createDatabase } from '../support/postgres.ts'

const lines: string[] = []
let metrics: Metrics
let database: Database
beforeAll(async () => {
  metrics = createMetrics()
  const queries = createQueryMeter(
    metrics,
    createLog('warn', (line) => lines.push(line)),
    100,
  )
  const url = await createDatabase()
  database = connectDatabase({ url, poolMax: 1, name: 'tests', onAnswered: queries.of('one') })
  queries.watch('one', database)
})
afterAll(() => database.close())

const read = async (series: string) => {
  const line = (await metrics.print()).split('\n').find((one) => one.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1))
}
const bucket = (bound: string) => read(`messenger_db_query_seconds_bucket{pool="one",le="${bound}"}`)

it('measures every statement, failed ones too, each from when it was the next', async () => {
  const { sql } = database
  await sql`select 1`
  const before = await bucket('+Inf')
  // On one connection, so that the second waits for the first.
  await Promise.all([sql`select pg_sleep(0.3)`, sql`select 2`])
  await sql`select 1 / 0`.then(
    () => expect.unreachable(),
    () => {},
  )
  await sql.begin((tx) => tx`select 3`)
  expect((await bucket('+Inf')) - before).toBe(6)
  const slow = (await bucket('+Inf')) - (await bucket('0.25'))
  expect(slow).toBe(1)
})

it('logs what is slow, without its values', async () => {
  lines.length = 0
  const secret = 'what somebody wrote'
  await database.sql`
    select pg_sleep(${0.15}),
      ${secret}::text`
  await database.sql`select ${secret}::text`
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    message: 'A slow query',
    pool: 'one',
    ms: expect.any(Number),
    statement: 'select pg_sleep($1), $2::text',
  })
  expect(lines[0]).not.toContain('somebody')
})

it('tells of the connections', async () => {
  const of = (state: string) => read(`messenger_db_pool_connections{pool="one",state="${state}"}`)
  expect([await of('idle'), await of('busy')]).toEqual([1, 0])
  const running = database.sql.begin((tx) => tx`select pg_sleep(0.3)`)
  const waiting = Bun.sleep(50).then(() => database.sql`select 1`)
  await Bun.sleep(100)
  expect([await of('idle'), await of('busy')]).toEqual([0, 1])
  expect(await read('messenger_db_pool_waiting{pool="one"}')).toBe(1)
  await Promise.all([running, waiting])
})
