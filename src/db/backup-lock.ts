/** An advisory lock of PostgreSQL, over all instances and commands: a backup must not forget what another one is keeping. */
import type postgres from 'postgres'

const BACKUP_LOCK = 7_301_005

/** Waits for a backup that is under way. Takes a connection for itself. @returns what lets go of it */
export async function holdBackups(sql: postgres.Sql): Promise<() => Promise<void>> {
  const connection = await sql.reserve()
  try {
    await connection`select pg_advisory_lock(${BACKUP_LOCK})`
  } catch (error) {
    connection.release()
    throw error
  }
  return async () => {
    try {
      await connection`select pg_advisory_unlock(${BACKUP_LOCK})`
    } finally {
      connection.release()
    }
  }
}
