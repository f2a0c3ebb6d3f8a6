import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { createDatabase } from '../support/postgres.ts'

let database: Database

beforeAll(async () => {
  database = connectDatabase({ url: await createDatabase(), poolMax: 1, name: 'test' })
}, 60_000)

afterAll(() => database.close())

const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns', 'Africa/Monrovia']

/** What PostgreSQL writes of each is read by Date, beside what the driver gives. */
const readInstants = (values: readonly string[]) =>
  database.sql<{ text: string; at: Date }[]>`
    select at::text as text, at from unnest(${values}::text[]) with ordinality v (value, n),
      lateral (select value::timestamptz as at) one order by n`

describe('values read from what came', () => {
  for (const zone of ZONES) {
    it(`reads instants as Date reads their text, in ${zone}`, async () => {
      await database.sql`select set_config('TimeZone', ${zone}, false)`
      const usual = ['', '.1', '.12', '.123', '.012', '.001', '.120', '.999'].flatMap((fraction) =>
        ['2026-01-15 10:00:00', '2024-02-29 23:59:59', '1999-12-31 00:00:00', '1000-01-01 00:00:00'].map(
          (moment) => `${moment}${fraction}+00`,
        ),
      )
      const unusual = [
        ...['2026-01-15 10:00:00.123456+00', '2026-01-15 10:00:00.1239+00', '9999-12-31 23:59:59.999+00'],
        ...[
          '0099-06-01 00:00:00+00',
          '0999-06-01 00:00:00.5+00',
          '10000-01-01 00:00:00+00',
          '123456-01-01 00:00:00+00',
        ],
        ...['0044-03-15 10:00:00+00 BC', 'infinity', '-infinity', '1900-01-01 00:00:00+00'],
      ]
      const rows = await readInstants([...usual, ...unusual])
      expect(rows).toHaveLength(usual.length + unusual.length)
      expect(rows.map(({ text, at }) => [text, at.getTime()])).toEqual(
        rows.map(({ text }) => [text, new Date(text).getTime()]),
      )
    })
  }

  it('reads instants in another style of dates as Date does', async () => {
    await database.sql`select set_config('DateStyle', 'SQL, MDY', false), set_config('TimeZone', 'UTC', false)`
    const [row] = await readInstants(['2026-01-15 10:00:00.123+00'])
    await database.sql`select set_config('DateStyle', 'ISO, MDY', false)`
    expect(row?.at).toEqual(new Date(String(row?.text)))
  })

  it('reads whole numbers of 8 bytes and ids as their text', async () => {
    const numbers = ['0', '7', '-7', '10', '99', '100', '-42', '9223372036854775807', '-9223372036854775808', null]
    const rows = await database.sql`select n from unnest(${numbers}::int8[]) n`
    expect(rows.map(({ n }) => n)).toEqual(numbers)
    const ids = ['0190f6a2-7c1e-7000-8000-000000000001', null]
    expect((await database.sql`select id from unnest(${ids}::uuid[]) id`).map(({ id }) => id)).toEqual(ids)
  })

  it('reads whole numbers of 4 bytes, fractions and truths', async () => {
    const numbers = [0, 7, -7, 10, 2_147_483_647, -2_147_483_648, null]
    expect((await database.sql`select n from unnest(${numbers}::int4[]) n`).map(({ n }) => n)).toEqual(numbers)
    const fractions = [0, -0.25, 3, 1e300, Number.POSITIVE_INFINITY, null]
    expect((await database.sql`select n from unnest(${fractions}::float8[]) n`).map(({ n }) => n)).toEqual(fractions)
    const [row] =
      await database.sql`select true as yes, false as no, null::boolean as unknown, 'NaN'::float8 as nothing`
    expect(row).toEqual({ yes: true, no: false, unknown: null, nothing: Number.NaN })
  })

  it('reads rows of all lengths, wherever what came of them ends', async () => {
    const rows = await database.sql<{ n: number; text: string }[]>`
      select n, repeat('ü', n * 37 % 9973) as text from generate_series(1, 3000) n`
    expect(rows).toHaveLength(3000)
    rows.forEach(({ n, text }, at) => {
      expect(n).toBe(at + 1)
      expect(text).toBe('ü'.repeat((n * 37) % 9973))
    })
  })

  it('reads text of any script, long, short, empty and none', async () => {
    const texts = ['', 'a', 'é', '好', '😀', 'Ünïcödé \u0001', 'long '.repeat(50_000), null]
    const rows = await database.sql`select text from unnest(${texts}::text[]) with ordinality t (text, n) order by n`
    expect(rows.map(({ text }) => text)).toEqual(texts)
  })
})
