/** Rows of text into an empty database: all of them, or none. */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type postgres from 'postgres'
import type { Log } from '../observability/log.ts'
import type { Database } from './client.ts'
import { type AppliedMigration, type DumpedTable, TEXT_FORMAT } from './dump.ts'
import { isRestoring, NewerDatabase, RESTORE_MARK, runMissing } from './migrate.ts'
import { type Migration, migrations as ownMigrations } from './migrations.ts'

export interface Dump {
  migrations: readonly AppliedMigration[]
  tables: readonly (DumpedTable & { rows: number })[]
  /** The rows of a table, as `Snapshot.read` gave them. */
  read(table: DumpedTable): Readable
}

/** Something is in the database already. */
export class DatabaseNotEmpty extends Error {
  override readonly name = 'DatabaseNotEmpty'
}

/** What a restore left that was not finished is nothing, and so is what extensions bring. @throws DatabaseNotEmpty */
export async function requireEmpty(sql: postgres.ISql): Promise<void> {
  if (await isRestoring(sql)) return
  const found = await sql<{ name: string }[]>`
    select relname as name from pg_class c
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')
    order by relname`
  if (found.length === 0) return
  const some = found.slice(0, 3).map(({ name }) => name)
  throw new DatabaseNotEmpty(
    `The database is not empty (${some.join(', ')}${found.length > 3 ? ', ...' : ''}): a backup is restored into an empty one only`,
  )
}

/** Which of our migrations made the tables of a dump. @throws NewerDatabase when it has some that this version does not know */
export function findMigrations(
  { migrations: applied }: Pick<Dump, 'migrations'>,
  known: readonly Migration[] = ownMigrations,
): Migration[] {
  const unknown = applied.filter(({ id, tag }, place) => id !== place || known[place]?.tag !== tag)
  if (unknown.length > 0) {
    const tags = unknown.map(({ tag }) => tag).join(', ')
    throw new NewerDatabase(`The backup is of a newer messenger (${tags}): restore it with that one`)
  }
  return known.slice(0, applied.length)
}

/**
 * Makes the tables as they were when the dump was made, and fills them in one transaction. Indexes and foreign keys come
 * after the rows: that is faster, and asks for no order of the tables. What fails leaves the database empty; what is
 * killed leaves a mark, so that no server starts on the half, and the next try begins anew. (The tables cannot be made in
 * the same transaction: PostgreSQL 16 takes no values of an enumeration that was extended in it.)
 *
 * `database` must have no statement time-out, and nobody else may use it.
 * @throws DatabaseNotEmpty, NewerDatabase
 */
export async function loadDump(database: Database, log: Log, dump: Dump, known = ownMigrations): Promise<void> {
  const { sql } = database
  const migrations = findMigrations(dump, known)
  await requireEmpty(sql)
  await dropAll(sql)
  await sql`create table ${sql(RESTORE_MARK)} (since timestamptz not null default now())`
  try {
    await makeTables(sql, log, migrations)
    await sql.begin((tx) => fillAll(tx, log, dump))
  } catch (error) {
    await dropAll(sql).catch((fault) => log.warn('What was begun could not be removed', { error: fault }))
    throw error
  }
  // Until PostgreSQL knows how much there is it plans badly.
  await sql`analyze`
}

async function makeTables(sql: postgres.Sql, log: Log, migrations: readonly Migration[]): Promise<void> {
  const connection = await sql.reserve()
  try {
    await runMissing(connection, log, migrations)
  } finally {
    connection.release()
  }
}

async function fillAll(tx: postgres.TransactionSql, log: Log, dump: Dump): Promise<void> {
  await tx.unsafe(TEXT_FORMAT)
  const extras = await listExtras(tx)
  for (const { drop } of extras) await tx.unsafe(drop)
  for (const table of dump.tables) {
    await fill(tx, table, dump.read(table))
    log.info('Restored', { table: table.name, rows: table.rows })
  }
  for (const { make } of extras.reverse()) await tx.unsafe(make)
  await tx`drop table ${tx(RESTORE_MARK)}`
}

/** The tables and types of a restore that was not finished; extensions stay, with what is theirs. */
async function dropAll(sql: postgres.Sql): Promise<void> {
  const found = await sql<{ statement: string }[]>`
    select format('drop table %s cascade', oid::regclass) as statement from pg_class c
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
      and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')
    union all
    select format('drop type %s cascade', oid::regtype) from pg_type t
    where typnamespace = current_schema()::regnamespace and typtype = 'e'
      and not exists (select from pg_depend where classid = 'pg_type'::regclass and objid = t.oid and deptype = 'e')`
  await sql.begin(async (tx) => {
    for (const { statement } of found) await tx.unsafe(statement)
  })
}

async function fill(tx: postgres.TransactionSql, table: DumpedTable & { rows: number }, rows: Readable): Promise<void> {
  const { name, columns } = table
  // Rows in a table that is as good as new need not be logged one by one.
  await tx`truncate ${tx(name)}`
  const writable = await tx`copy ${tx(name)} (${tx(columns)}) from stdin`.writable()
  await pipeline(rows, writable)
  const [counted] = await tx<{ count: string }[]>`select count(*) as count from ${tx(name)}`
  if (Number(counted?.count) !== table.rows) {
    throw new Error(`${name} has ${counted?.count} rows, and the backup says ${table.rows}`)
  }
}

interface Extra {
  drop: string
  make: string
}

/** Indexes, and then the foreign keys, some of which need one. Those of partitions follow the whole table's. */
async function listExtras(sql: postgres.ISql): Promise<Extra[]> {
  const foreignKeys = await sql<Extra[]>`
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
      format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
    from pg_constraint
    where contype = 'f' and connamespace = current_schema()::regnamespace and conparentid = 0`
  const indexes = await sql<Extra[]>`
    select format('drop index %s', indexrelid::regclass) as drop,
      regexp_replace(pg_get_indexdef(indexrelid), '^(CREATE (UNIQUE )?INDEX \\S+ ON) ONLY ', '\\1 ') as make
    from pg_index join pg_class c on c.oid = indexrelid
    where c.relnamespace = current_schema()::regnamespace and not c.relispartition
      and not exists (select from pg_constraint where conindid = indexrelid)`
  return [...foreignKeys, ...indexes]
}
