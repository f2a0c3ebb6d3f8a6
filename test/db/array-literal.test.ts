import { afterAll, describe, expect, it } from 'bun:test'
import { numberArray, textArray } from '../../src/db/array-literal.ts'
import { connectDatabase } from '../../src/db/client.ts'
import { createDatabase } from '../support/postgres.ts'

const { sql, close } = connectDatabase({ url: await createDatabase(), poolMax: 1, name: 'tests' })
afterAll(() => close())

describe('an array as text', () => {
  it('is what PostgreSQL reads of it, whatever the texts are', async () => {
    const texts = [
      ...[
        '',
        ' ',
        'a',
        ' a ',
        'a,b',
        '{',
        '}',
        '{}',
        '{a}',
        '(a,b)',
        'null',
        'NULL',
        "'",
        '"',
        '""',
        '\\',
        '\\\\',
        '\\"',
        '"\\',
      ],
      ...[
        'a "quoted" word',
        'C:\\temp\\',
        'two\nlines',
        'a\ttab',
        'größer',
        'привет',
        '👩‍👩‍👧',
        '\u2028',
        "'); drop table users; --",
        '$1',
        '%s',
      ],
      null,
    ]
    const [row] = await sql`select to_jsonb(${textArray(texts)}::text[]) as texts`
    expect(row?.texts).toEqual(texts)
  })

  it('may be empty, or hold ids and nothing at all', async () => {
    const ids = [Bun.randomUUIDv7(), null, Bun.randomUUIDv7()]
    const [row] = await sql`select ${textArray([])}::text[] as none, to_jsonb(${textArray(ids)}::uuid[]) as ids`
    expect(row).toEqual({ none: [], ids } as unknown as typeof row)
  })

  it('holds numbers', async () => {
    const [row] =
      await sql`select ${numberArray([1, -2, 2_147_483_647])}::int[] as numbers, ${numberArray([])}::int[] as none`
    expect(row).toEqual({ numbers: [1, -2, 2_147_483_647], none: [] } as unknown as typeof row)
  })
})
