/** The queries about attempts: counted where nothing is ever evicted. */
import { and, eq, inArray, lt, lte, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { attemptLimits, knownAddresses } from '../../db/schema/index.ts'

const knownDays = sql.raw(`interval '90 days'`)

/**
 * Counts one attempt under each key, a window of `windowSeconds` starting with the first. One statement: parallel
 * attempts are counted one after the other.
 */
export function countAttempts(db: Db | Tx, keys: readonly string[], windowSeconds: number) {
  const hasPassed = lte(attemptLimits.resetsAt, sql`now()`)
  // By the clock, not from when this transaction began: it may have waited for the row of one that began later.
  const left = sql`extract(epoch from ${attemptLimits.resetsAt} - clock_timestamp())`
  const retryAfterSeconds = sql<number>`greatest(1, ceil(${left}))::int`
  const resetsAt = sql`now() + make_interval(secs => ${windowSeconds})`
  return (
    db
      .insert(attemptLimits)
      // In one order, so that two callers cannot wait for each other's rows.
      .values([...keys].sort().map((key) => ({ key, attempts: 1, resetsAt })))
      .onConflictDoUpdate({
        target: attemptLimits.key,
        set: {
          attempts: sql`case when ${hasPassed} then 1 else ${attemptLimits.attempts} + 1 end`,
          resetsAt: sql`case when ${hasPassed} then excluded.resets_at else ${attemptLimits.resetsAt} end`,
        },
      })
      .returning({
        key: attemptLimits.key,
        attempts: attemptLimits.attempts,
        retryAfterSeconds,
      })
  )
}

export async function deleteAttempts(db: Db | Tx, keys: readonly string[]): Promise<void> {
  await db.delete(attemptLimits).where(inArray(attemptLimits.key, [...keys]))
}

export async function deletePassedAttempts(db: Db): Promise<void> {
  await db.delete(attemptLimits).where(lt(attemptLimits.resetsAt, sql`now()`))
}

/** Whether the account signed in from there within 90 days. */
export async function isKnownAddress(db: Db, userId: string, address: string): Promise<boolean> {
  const isRecent = sql`${knownAddresses.lastLoginAt} > now() - ${knownDays}`
  const rows = await db
    .select({ address: knownAddresses.address })
    .from(knownAddresses)
    .where(and(eq(knownAddresses.userId, userId), eq(knownAddresses.address, address), isRecent))
  return rows.length > 0
}

export async function upsertKnownAddress(db: Db | Tx, userId: string, address: string): Promise<void> {
  await db
    .insert(knownAddresses)
    .values({ userId, address })
    .onConflictDoUpdate({
      target: [knownAddresses.userId, knownAddresses.address],
      set: { lastLoginAt: sql`now()` },
    })
}

export async function deleteKnownAddresses(db: Tx, userId: string): Promise<void> {
  await db.delete(knownAddresses).where(eq(knownAddresses.userId, userId))
}

export async function deleteForgottenAddresses(db: Db): Promise<void> {
  await db.delete(knownAddresses).where(sql`${knownAddresses.lastLoginAt} < now() - ${knownDays}`)
}
