/** `messages` partitioned by the script that operators run. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'

const SCRIPT = join(import.meta.dir, '../../deploy/postgres/partition-messages.sql')

/** @param count of partitions; the script's own default without it */
export async function partition(sql: postgres.Sql, count?: number | string): Promise<void> {
  const script = await readFile(SCRIPT, 'utf8')
  const connection = await sql.reserve()
  try {
    await connection`select set_config('messenger.partitions', ${String(count ?? '')}, false)`
    await connection.unsafe(script)
  } finally {
    connection.release()
  }
}
