/** What is compared after a restore: every row of every table, and every byte of every file. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'

/** Of each table how many rows and a hash of them all; when migrations ran is no content. */
export async function hashTables(sql: postgres.Sql): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname <> 'schema_migrations'`
  const hashes = tables.map(async ({ name }) => {
    const [row] = await sql<{ hash: string }[]>`
      select count(*) || ' ' || md5(coalesce(string_agg(t::text, chr(10) order by t::text collate "C"), '')) as hash
      from ${sql(name)} t`
    return [name, row?.hash ?? ''] as const
  })
  return Object.fromEntries((await Promise.all(hashes)).toSorted())
}

/** Indexes, constraints and columns, as PostgreSQL describes them. */
export async function describeSchema(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select pg_get_indexdef(indexrelid) as line from pg_index
    join pg_class c on c.oid = indexrelid where c.relnamespace = current_schema()::regnamespace
    union all
    select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
    where connamespace = current_schema()::regnamespace
    union all
    select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
    from information_schema.columns where table_schema = current_schema()
    union all
    select relname || ' ' || coalesce(reloptions::text, '') from pg_class where relnamespace = current_schema()::regnamespace`
  return rows.map(({ line }) => line).sort()
}

/** The path of each file below a folder -> its hash. */
export async function hashFiles(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const hashes = files.map(async (path) => {
    const hash = createHash('sha256').update(await readFile(path))
    return [path.slice(folder.length + 1), hash.digest('hex')] as const
  })
  return Object.fromEntries((await Promise.all(hashes)).toSorted())
}
