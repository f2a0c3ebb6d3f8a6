/** Brings a database to the schema of this version. */
import type postgres from 'postgres'
import type { Log } from '../observability/log.ts'
import { type Migration, migrations as ownMigrations } from './migrations.ts'

/** The database was made by a later version of messenger. */
export class NewerDatabase extends Error {
  override readonly name = 'NewerDatabase'
}

/** A restore was begun on the database and not finished: what is there is no whole. */
export class UnfinishedRestore extends Error {
  override readonly name = 'UnfinishedRestore'
  constructor() {
    super('A restore into this database was not finished: run `messenger restore` again, which begins anew')
  }
}

// Any constant does, as long as every version uses the same.
const MIGRATION_LOCK = 7_301_001

export const RESTORE_MARK = 'restore_under_way'

/**
 * Runs what is missing, each migration in a transaction of its own, one runner at a time (advisory lock).
 * @returns the tags that were run
 * @throws NewerDatabase when the database holds migrations this version does not know. @throws UnfinishedRestore
 */
export async function migrate(
  sql: postgres.Sql,
  log: Log,
  migrations: readonly Migration[] = ownMigrations,
): Promise<string[]> {
  const connection = await sql.reserve()
  try {
    await connection`select pg_advisory_lock(${MIGRATION_LOCK})`
    if (await isRestoring(connection)) throw new UnfinishedRestore()
    return await runMissing(connection, log, migrations)
  } finally {
    // On a lost connection the lock is gone with it.
    await connection`select pg_advisory_unlock(${MIGRATION_LOCK})`.catch((error) =>
      log.debug('Unlock failed', { error }),
    )
    connection.release()
  }
}

/** As {@link migrate} does, on one connection that nobody else uses. */
export async function runMissing(
  sql: postgres.ReservedSql,
  log: Log,
  migrations: readonly Migration[],
): Promise<string[]> {
  const applied = await listApplied(sql)
  refuseNewer(applied, migrations)
  const missing = migrations.filter(({ id }) => !applied.has(id))
  for (const migration of missing) {
    await apply(sql, migration)
    log.info('Migrated', { migration: migration.tag })
  }
  return missing.map(({ tag }) => tag)
}

/** Whether the table is there that a restore makes first and drops last. */
export async function isRestoring(sql: postgres.ISql): Promise<boolean> {
  const [found] = await sql<{ exists: boolean }[]>`select to_regclass(${RESTORE_MARK}) is not null as exists`
  return found?.exists ?? false
}

async function listApplied(sql: postgres.ReservedSql): Promise<Map<number, string>> {
  // Two statements of their own: `if not exists` alone would still write a notice at every start.
  const [found] = await sql`select to_regclass('schema_migrations') is not null as exists`
  if (!found?.exists) {
    await sql`create table schema_migrations (
      id integer primary key, tag text not null, applied_at timestamptz not null default now())`
  }
  const rows = await sql<{ id: number; tag: string }[]>`select id, tag from schema_migrations order by id`
  return new Map(rows.map(({ id, tag }) => [id, tag]))
}

function refuseNewer(applied: Map<number, string>, known: readonly Migration[]): void {
  const unknown = [...applied].filter(([id, tag]) => !known.some((m) => m.id === id && m.tag === tag))
  if (unknown.length === 0) return
  const tags = unknown.map(([, tag]) => tag).join(', ')
  throw new NewerDatabase(
    `The database is newer than this messenger: it has migrations this version does not know (${tags}). Run the newer version.`,
  )
}

async function apply(sql: postgres.ReservedSql, { id, tag, statements }: Migration): Promise<void> {
  await sql`begin`
  try {
    for (const statement of statements) await sql.unsafe(statement)
    await sql`insert into schema_migrations (id, tag) values (${id}, ${tag})`
    await sql`commit`
  } catch (error) {
    await sql`rollback`.catch(() => {})
    throw new Error(`Migration ${tag} failed`, { cause: error })
  }
}
