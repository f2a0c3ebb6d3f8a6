/** The queries about subscriptions, and about what an account has of them. */
import { and, asc, eq, gte, inArray, isNull, lt, ne } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { subscriptions, users } from '../../db/schema/index.ts'
import type { SubscriptionType } from './model.ts'

const columns = {
  id: subscriptions.id,
  userId: subscriptions.userId,
  type: subscriptions.type,
  startDate: subscriptions.startDate,
  endDate: subscriptions.endDate,
  status: subscriptions.status,
  autoRenew: subscriptions.autoRenew,
}
export type SubscriptionRow = Pick<typeof subscriptions.$inferSelect, keyof typeof columns>

const isRunning = ne(subscriptions.status, 'expired')

/** Everything that moves a period holds this lock. @returns false for an account that is not there any more */
export async function lockUser(tx: Tx, userId: string): Promise<boolean> {
  const rows = await tx
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.id, userId), isNull(users.deletedAt)))
    .for('no key update')
  return rows.length > 0
}

/** The one that was not closed yet, though its last day may have passed. */
export async function findOpen(db: Db | Tx, userId: string): Promise<SubscriptionRow | undefined> {
  const [row] = await db
    .select(columns)
    .from(subscriptions)
    .where(and(eq(subscriptions.userId, userId), isRunning))
  return row
}

export async function insertSubscription(
  tx: Tx,
  period: { id: string; userId: string; type: SubscriptionType; startDate: string; endDate: string },
): Promise<void> {
  await tx.insert(subscriptions).values(period)
}

export async function updateSubscription(
  tx: Tx,
  id: string,
  changes: { type?: SubscriptionType; endDate?: string; status: 'active' | 'expired' },
): Promise<void> {
  await tx.update(subscriptions).set(changes).where(eq(subscriptions.id, id))
}

/** Cancels the period that lasts through `today` at least. @returns undefined when there is none */
export async function cancelRunning(db: Db | Tx, userId: string, today: string): Promise<SubscriptionRow | undefined> {
  const [row] = await db
    .update(subscriptions)
    .set({ status: 'cancelled', autoRenew: false })
    .where(and(eq(subscriptions.userId, userId), isRunning, gte(subscriptions.endDate, today)))
    .returning(columns)
  return row
}

/**
 * Locks up to `limit` accounts whose period has ended but is not closed. One that is locked by somebody else is left out:
 * it is being bought for, or its turn comes next time; waiting for many such locks in any order invites deadlocks.
 */
export async function lockLapsedUsers(tx: Tx, today: string, limit: number): Promise<string[]> {
  const rows = await tx
    .select({ id: users.id })
    .from(users)
    .innerJoin(subscriptions, eq(subscriptions.userId, users.id))
    .where(and(isRunning, lt(subscriptions.endDate, today)))
    .orderBy(asc(users.id))
    .limit(limit)
    .for('no key update', { of: users, skipLocked: true })
  return rows.map(({ id }) => id)
}

/** @returns whose period has ended before `today` and is closed by this */
export async function expireLapsed(tx: Tx, userIds: readonly string[], today: string): Promise<string[]> {
  const rows = await tx
    .update(subscriptions)
    .set({ status: 'expired' })
    .where(and(inArray(subscriptions.userId, [...userIds]), isRunning, lt(subscriptions.endDate, today)))
    .returning({ userId: subscriptions.userId })
  return rows.map(({ userId }) => userId)
}

/** The copy that others see; lock the accounts before. */
export async function updatePremiumCopy(tx: Tx, userIds: readonly string[], isPremium: boolean): Promise<void> {
  await tx
    .update(users)
    .set({ isPremium })
    .where(inArray(users.id, [...userIds]))
}
