import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { migrate, NewerDatabase } from '../../src/db/migrate.ts'
import { type Migration, migrations } from '../../src/db/migrations.ts'
import { createLog } from '../../src/observability/log.ts'
import { createDatabase } from '../support/postgres.ts'
import { PATIENCE_MS } from '../support/until.ts'

const log = createLog('error', () => {})
const tags = migrations.map(({ tag }) => tag)

let url: string
let database: Database
const connect = () => connectDatabase({ url, poolMax: 2, name: 'test', statementTimeoutSeconds: 0 })
beforeEach(async () => {
  url = await createDatabase()
  database = connect()
})
afterEach(() => database.close())

const applied = () =>
  database.sql`select id, tag from schema_migrations order by id`.then((rows) => rows.map((r) => r.tag))
const hasTable = async (name: string) => {
  const [row] = await database.sql`select to_regclass(${name}) is not null as exists`
  return row?.exists === true
}

/** What came of it: the tags, or the error. */
const attempt = (list?: readonly Migration[]): Promise<string[] | Error> =>
  migrate(database.sql, log, list).catch((error: Error) => error)

const first: Migration = { id: 0, tag: '0000_one', statements: ['create table one (id integer)'] }
const second: Migration = {
  id: 1,
  tag: '0001_two',
  statements: ['create table two (id integer)', 'alter table one add column two integer'],
}
const broken: Migration = {
  id: 1,
  tag: '0001_broken',
  statements: [
    'create table two (id integer)',
    'insert into two values (1)',
    'alter table nothing add column x integer',
  ],
}

describe('migrating', () => {
  it('runs every migration of this version in order, and the second time none', async () => {
    expect(await attempt()).toEqual(tags)
    expect(await applied()).toEqual(tags)
    expect(await attempt()).toEqual([])
    expect(await applied()).toEqual(tags)
  })

  it('runs only what is missing', async () => {
    expect(await attempt([first])).toEqual(['0000_one'])
    expect(await attempt([first, second])).toEqual(['0001_two'])
    expect(await applied()).toEqual(['0000_one', '0001_two'])
  })

  it('lets one of several runners work and the others find the work done', async () => {
    const others = Array.from({ length: 5 }, connect)
    const runs = await Promise.all([database, ...others].map(({ sql }) => migrate(sql, log)))
    expect(runs.filter((run) => run.length > 0)).toEqual([tags])
    expect(await applied()).toEqual(tags)
    await Promise.all(others.map((other) => other.close()))
  })

  it('takes a failed migration back whole, names it, and goes on once it is mended', async () => {
    const error = await attempt([first, broken])
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toContain('0001_broken')
    expect(String((error as Error).cause)).toContain('nothing')
    // The one before stays, of the broken one nothing does.
    expect(await applied()).toEqual(['0000_one'])
    expect(await hasTable('two')).toBe(false)
    expect(await attempt([first, second])).toEqual(['0001_two'])
  })

  it('frees the way for others when it failed', async () => {
    await attempt([broken])
    const other = connect()
    const finished = migrate(other.sql, log, [first]).then((run) => run.join())
    expect(await Promise.race([finished, Bun.sleep(PATIENCE_MS).then(() => 'blocked')])).toBe('0000_one')
    await other.close()
  })

  it('refuses a database of a later version in one clear line, and changes nothing', async () => {
    await attempt([first, second])
    const error = await attempt([first])
    expect(error).toBeInstanceOf(NewerDatabase)
    const { message } = error as Error
    expect(message).toContain('newer')
    expect(message).toContain('0001_two')
    expect(message).not.toContain('\n')
    expect(await applied()).toEqual(['0000_one', '0001_two'])
  })

  it('refuses a database whose history is another one', async () => {
    await attempt([first, { ...second, tag: '0001_other' }])
    const error = await attempt([first, second])
    expect(error).toBeInstanceOf(NewerDatabase)
  })

  it('leaves neither lock nor open transaction behind', async () => {
    await attempt()
    await attempt([first])
    const locks = await database.sql`
      select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`
    expect(locks).toHaveLength(0)
    const open = await database.sql`
      select 1 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`
    expect(open).toHaveLength(0)
  })
})
