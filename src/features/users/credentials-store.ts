/** The queries about what opens an account. */
import { and, eq, isNull, or, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { users } from '../../db/schema/index.ts'

const columns = { id: users.id, passwordHash: users.passwordHash, disabledAt: users.disabledAt }
export type Credentials = Pick<typeof users.$inferSelect, keyof typeof columns>

const isLiving = isNull(users.deletedAt)

/** By exact phone, or by e-mail in any case. */
export async function findCredentials(db: Db, phoneOrEmail: string): Promise<Credentials | undefined> {
  const name = phoneOrEmail.trim()
  const isNamed = or(eq(users.phone, name), eq(sql`lower(${users.email})`, sql`lower(${name})`))
  const [row] = await db.select(columns).from(users).where(and(isNamed, isLiving))
  return row
}

export async function findCredentialsById(db: Db, userId: string): Promise<Credentials | undefined> {
  const [row] = await db
    .select(columns)
    .from(users)
    .where(and(eq(users.id, userId), isLiving))
  return row
}

/** As they are now; nobody else changes them until the transaction ends, and it may. */
export async function lockCredentials(tx: Tx, userId: string): Promise<Credentials | undefined> {
  const [row] = await tx
    .select(columns)
    .from(users)
    .where(and(eq(users.id, userId), isLiving))
    .for('no key update')
  return row
}

/** @returns false when the hash was not `previousHash` any more */
export async function replacePasswordHash(
  db: Db | Tx,
  change: { userId: string; previousHash: string; passwordHash: string },
): Promise<boolean> {
  const changed = await db
    .update(users)
    .set({ passwordHash: change.passwordHash })
    .where(and(eq(users.id, change.userId), eq(users.passwordHash, change.previousHash), isLiving))
    .returning({ id: users.id })
  return changed.length > 0
}

/** Whatever the hash was before: for the operator. @returns false when there is no such account */
export async function updatePasswordHash(db: Db | Tx, userId: string, passwordHash: string): Promise<boolean> {
  const changed = await db
    .update(users)
    .set({ passwordHash, updatedAt: sql`now()` })
    .where(and(eq(users.id, userId), isLiving))
    .returning({ id: users.id })
  return changed.length > 0
}

/** @returns false when there is no such account */
export async function updateDisabled(db: Db | Tx, userId: string, isDisabled: boolean): Promise<boolean> {
  const changed = await db
    .update(users)
    .set({ disabledAt: isDisabled ? sql`now()` : null, updatedAt: sql`now()` })
    .where(and(eq(users.id, userId), isLiving))
    .returning({ id: users.id })
  return changed.length > 0
}
