/** A database as rows of text: all of it as of one moment, while others go on writing. */
import type { Readable } from 'node:stream'
import type { Database } from './client.ts'

export interface DumpedTable {
  name: string
  columns: string[]
}

export interface AppliedMigration {
  id: number
  tag: string
}

/** What a database held at one moment. */
export interface Snapshot {
  /** Those that made its tables, in their order. */
  migrations: AppliedMigration[]
  tables: DumpedTable[]
  /**
   * The rows of a table in the text format of COPY, one line each (PostgreSQL's documentation, "COPY", "Text Format"). Read
   * it to its end before anything else is asked.
   */
  read(table: DumpedTable): Promise<Readable>
}

/** There is nothing of ours in the database. */
export class NoMessengerDatabase extends Error {
  override readonly name = 'NoMessengerDatabase'
  constructor() {
    super('There is no messenger in this database: it has no table schema_migrations')
  }
}

/** What every version of PostgreSQL reads alike, whatever the server's own settings are. */
export const TEXT_FORMAT =
  "set local datestyle to 'iso'; set local intervalstyle to 'postgres'; set local bytea_output to 'hex'"

/**
 * Runs `use` on one snapshot. `database` must have no statement time-out. Where `use` fails half-way through a table, the
 * connection is of no use any more: close the database.
 * @throws NoMessengerDatabase
 */
export async function readSnapshot<T>({ sql }: Database, use: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  let outcome: { of: T } | undefined
  let failure: unknown
  try {
    await sql.begin('isolation level repeatable read read only', async (tx) => {
      try {
        await tx.unsafe(TEXT_FORMAT)
        const [found] = await tx`select to_regclass('schema_migrations') is not null as exists`
        if (!found?.exists) throw new NoMessengerDatabase()
        const migrations = await tx<AppliedMigration[]>`select id, tag from schema_migrations order by id`
        const tables = await tx<DumpedTable[]>`
          select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
          from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
          where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname <> 'schema_migrations' and not a.attisdropped and a.attgenerated = ''
            and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')
          group by c.relname order by c.relname`
        const of = await use({
          migrations: [...migrations],
          tables: [...tables],
          // A select, since a partitioned table itself has no rows to copy.
          read: ({ name, columns }) => tx`copy (select ${tx(columns)} from ${tx(name)}) to stdout`.readable(),
        })
        outcome = { of }
      } catch (error) {
        failure = error
        throw error
      }
    })
  } catch (error) {
    // What became of the transaction afterwards says less.
    throw failure ?? error
  }
  if (!outcome) throw new Error('The snapshot was not read')
  return outcome.of
}
