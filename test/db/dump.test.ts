import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { Readable } from 'node:stream'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { NoMessengerDatabase, readSnapshot } from '../../src/db/dump.ts'
import { DatabaseNotEmpty, type Dump, loadDump } from '../../src/db/load.ts'
import { migrate, NewerDatabase, UnfinishedRestore } from '../../src/db/migrate.ts'
import type { Migration } from '../../src/db/migrations.ts'
import { createLog } from '../../src/observability/log.ts'
import { describeSchema, hashTables } from '../backup/hashes.ts'
import { dump } from '../support/dumped.ts'
import { createDatabase } from '../support/postgres.ts'

const log = createLog('error')

async function open(): Promise<Database & { url: string }> {
  const url = await createDatabase()
  return { url, ...connectDatabase({ url, poolMax: 2, name: 'tests', statementTimeoutSeconds: 0 }) }
}

/** Everything at once that makes the order or the way of copying matter. */
const hard: Migration[] = [
  {
    id: 0,
    tag: '0000_hard',
    statements: [
      `create type colour as enum ('red')`,
      `create table parents (id int primary key, favourite int, size int generated always as (id * 2) stored)`,
      `create table children (id int primary key, parent_id int not null references parents on delete cascade)`,
      `alter table parents add constraint favourites foreign key (favourite) references children (id)`,
      `create table parted (id int, note text, colour colour, primary key (id)) partition by hash (id)`,
      `create table parted_0 partition of parted for values with (modulus 2, remainder 0)`,
      `create table parted_1 partition of parted for values with (modulus 2, remainder 1)`,
      `create index parted_note on parted (note)`,
      `create unique index children_of on children (parent_id, id) where id > 0`,
      `create table "order" ("select" text, at timestamptz, amount numeric(10, 2), raw bytea, list text[], tree jsonb, f float8)`,
    ],
  },
  { id: 1, tag: '0001_more', statements: [`alter type colour add value 'blue'`, `create table empty_one (id int)`] },
]

async function hardDatabase(): Promise<Database> {
  const database = await open()
  await migrate(database.sql, log, hard)
  await database.sql.unsafe(`
    insert into parents (id) select generate_series(1, 50);
    insert into children select n, n from generate_series(1, 50) n;
    update parents set favourite = 51 - id;
    insert into parted select n, case when n % 7 = 0 then null else 'note ' || n end, case n % 2 when 0 then 'blue' else 'red' end::colour
      from generate_series(1, 500) n;
    insert into "order" values
      (E'tab\\t line\\n return\\r back\\\\slash \\\\. \\\\N', '2026-01-15 10:00:00.123456+02', 4.99, '\\x00ff0a', '{a,"b\\"c",NULL}', '{"a": "\\u00fc\\n"}', 0.1),
      (null, 'infinity', null, null, '{}', 'null', 'NaN'), ('', '1900-01-01', 0, '', null, null, 1e-300);
  `)
  return database
}

/** One that nobody changes. */
let source: Promise<Database>
beforeAll(() => {
  source = hardDatabase()
})
afterAll(async () => (await source).close())

describe('a database that was dumped and loaded', () => {
  it('is the same, whatever is in it and whatever the server prefers', async () => {
    const [from, to] = [await hardDatabase(), await open()]
    await from.sql`create index if not exists nothing on empty_one (id)`
    for (const { sql } of [from, to]) {
      const [row] = await sql<{ name: string }[]>`select current_database() as name`
      await sql.unsafe(`alter database ${row?.name} set datestyle to 'German, DMY'`)
      await sql.unsafe(`alter database ${row?.name} set bytea_output to 'escape'`)
    }
    await from.sql`drop index nothing`
    await loadDump(to, log, await dump(from), hard)
    expect(await hashTables(to.sql)).toEqual(await hashTables(from.sql))
    expect(await describeSchema(to.sql)).toEqual(await describeSchema(from.sql))
    expect(await migrate(to.sql, log, hard)).toEqual([])
    await Promise.all([from.close(), to.close()])
  })

  it('may have extensions with views of their own on both sides, as managed servers do', async () => {
    const [from, to] = [await hardDatabase(), await open()]
    for (const { sql } of [from, to]) await sql`create extension pg_buffercache`
    const of = await dump(from)
    const broken = { ...of, tables: of.tables.map((table) => ({ ...table, rows: table.rows + 1 })) }
    await expect(loadDump(to, log, broken, hard)).rejects.toThrow()
    await loadDump(to, log, of, hard)
    expect(await hashTables(to.sql)).toEqual(await hashTables(from.sql))
    expect(await to.sql`select from pg_buffercache limit 1`).toHaveLength(1)
    await Promise.all([from.close(), to.close()])
  })

  it('is of one moment, though others write meanwhile', async () => {
    const database = await hardDatabase()
    const writer = connectDatabase({ url: await createDatabase(), poolMax: 1, name: 'tests' })
    const counts = await readSnapshot(database, async (snapshot) => {
      const rows: Record<string, number> = {}
      for (const table of snapshot.tables) {
        await database.sql`insert into parents (id) select max(id) + 1 from parents`
        await database.sql`insert into children select max(id), max(id) from parents`
        let text = ''
        for await (const chunk of await snapshot.read(table)) text += String(chunk)
        rows[table.name] = text.split('\n').length - 1
      }
      return rows
    })
    expect(counts).toMatchObject({ parents: 50, children: 50 })
    await Promise.all([database.close(), writer.close()])
  })

  it('is of the version that it was; the missing migrations can follow', async () => {
    const [from, to] = [await open(), await open()]
    await migrate(from.sql, log, hard.slice(0, 1))
    await from.sql`insert into parents (id) values (1)`
    await loadDump(to, log, await dump(from), hard)
    expect(await describeSchema(to.sql)).toEqual(await describeSchema(from.sql))
    expect(await migrate(to.sql, log, hard)).toEqual(['0001_more'])
    await Promise.all([from.close(), to.close()])
  })
})

describe('loading is refused, and nothing is left,', () => {
  const tablesOf = async ({ sql }: Database) =>
    (
      await sql`
        select from pg_class where relnamespace = current_schema()::regnamespace
        union all select from pg_type where typnamespace = current_schema()::regnamespace and typtype = 'e'`
    ).count

  it.each(['create table mine (id int)', 'create view mine as select 1', 'create sequence mine'])(
    'where something is in the database already: %s',
    async (statement) => {
      const [from, to] = [await source, await open()]
      await to.sql.unsafe(statement)
      await expect(loadDump(to, log, await dump(from), hard)).rejects.toThrow(DatabaseNotEmpty)
      expect(await tablesOf(to)).toBe(1)
      await to.close()
    },
  )

  const spoil: [string, (of: Dump) => Dump][] = [
    ['when rows are missing', (of) => ({ ...of, tables: of.tables.map((t) => ({ ...t, rows: t.rows + 1 })) })],
    [
      'when rows do not fit',
      (of) => ({ ...of, read: (table) => (table.name === 'parted' ? Readable.from(['x\ty\n']) : of.read(table)) }),
    ],
    [
      'when a row is cut off',
      (of) => ({ ...of, read: (table) => (table.name === 'parted' ? Readable.from(['1\tx']) : of.read(table)) }),
    ],
    [
      'when a foreign key is broken',
      (of) => ({
        ...of,
        tables: of.tables.map((t) => (t.name === 'parents' ? { ...t, rows: 0 } : t)),
        read: (table) => (table.name === 'parents' ? Readable.from([]) : of.read(table)),
      }),
    ],
    [
      'when reading fails half-way',
      (of) => ({
        ...of,
        read: (table) =>
          table.name === 'parted'
            ? Readable.from(
                (async function* () {
                  yield Buffer.from('1\tx\tred\n')
                  throw new Error('the disk is broken')
                })(),
              )
            : of.read(table),
      }),
    ],
    ['when a column is not known', (of) => ({ ...of, tables: of.tables.map((t) => ({ ...t, columns: ['nope'] })) })],
  ]
  it.each(spoil)('%s', async (_, change) => {
    const [from, to] = [await source, await open()]
    await expect(loadDump(to, log, change(await dump(from)), hard)).rejects.toThrow()
    expect(await tablesOf(to)).toBe(0)
    await loadDump(to, log, await dump(from), hard)
    await to.close()
  })

  it('when it is of a newer version, or of another one', async () => {
    const [from, to] = [await source, await open()]
    const of = await dump(from)
    await expect(loadDump(to, log, of, hard.slice(0, 1))).rejects.toThrow(NewerDatabase)
    const other = [{ ...of.migrations[0], id: 0, tag: '0000_other' }]
    await expect(loadDump(to, log, { ...of, migrations: other }, hard)).rejects.toThrow('0000_other')
    expect(await tablesOf(to)).toBe(0)
    await to.close()
  })
})

describe('a restore that was killed', () => {
  it('leaves nothing that a server starts on, and the next one begins anew', async () => {
    const [from, to] = [await source, await open()]
    const of = await dump(from)
    const half = Promise.withResolvers<void>()
    const stuck = loadDump(
      to,
      log,
      {
        ...of,
        read(table) {
          if (table.name !== 'parted') return of.read(table)
          half.resolve()
          return new Readable({ read: () => {} })
        },
      },
      hard,
    ).catch((error: Error) => error)
    await half.promise
    // As a process that is gone: its connections are, and nothing more is done.
    const killer = connectDatabase({ url: to.url, poolMax: 1, name: 'killer' })
    await to.close({ timeoutSeconds: 0 })
    await stuck
    await expect(migrate(killer.sql, log, hard)).rejects.toThrow(UnfinishedRestore)
    await loadDump(killer, log, of, hard)
    expect(await hashTables(killer.sql)).toEqual(await hashTables(from.sql))
    expect(await migrate(killer.sql, log, hard)).toEqual([])
    await killer.close()
  })
})

describe('a database', () => {
  it('that is none of ours is not dumped', async () => {
    const database = await open()
    await expect(readSnapshot(database, async () => 1)).rejects.toThrow(NoMessengerDatabase)
    await database.close()
  })

  it('of ours has nothing that a dump would lose: sequences, triggers, large objects, views', async () => {
    const database = await open()
    await migrate(database.sql, log)
    const found = await database.sql`
      select relname as name from pg_class
      where relnamespace = current_schema()::regnamespace and relkind in ('S', 'v', 'm', 'f')
      union all select tgname from pg_trigger where not tgisinternal
      union all select proname from pg_proc p where pronamespace = current_schema()::regnamespace
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
      union all select oid::text from pg_largeobject_metadata`
    expect(found.map(({ name }) => name)).toEqual([])
    await database.close()
  })
})
