/** The queries about payments. */
import { and, desc, eq, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { paymentLogs } from '../../db/schema/index.ts'

const columns = {
  id: paymentLogs.id,
  subscriptionId: paymentLogs.subscriptionId,
  amount: paymentLogs.amount,
  subscriptionType: paymentLogs.subscriptionType,
  status: paymentLogs.status,
  paymentMethod: paymentLogs.paymentMethod,
  notes: paymentLogs.notes,
  startDate: paymentLogs.startDate,
  endDate: paymentLogs.endDate,
  createdAt: paymentLogs.createdAt,
}
export type PaymentRow = Pick<typeof paymentLogs.$inferSelect, keyof typeof columns>

export async function findByKey(tx: Tx, userId: string, idempotencyKey: string): Promise<PaymentRow | undefined> {
  const isKeyed = eq(paymentLogs.idempotencyKey, idempotencyKey)
  const [row] = await tx
    .select(columns)
    .from(paymentLogs)
    .where(and(eq(paymentLogs.userId, userId), isKeyed))
  return row
}

/** A pending one. @throws a unique violation for a key that the user has used */
export async function insertPayment(
  tx: Tx,
  payment: {
    id: string
    userId: string
    idempotencyKey: string | undefined
    amount: string
    subscriptionType: string
    paymentMethod: string
  },
): Promise<PaymentRow> {
  return only(await tx.insert(paymentLogs).values(payment).returning(columns))
}

/** Locked until the transaction ends. */
export async function lockPayment(tx: Tx, id: string): Promise<PaymentRow> {
  return only(await tx.select(columns).from(paymentLogs).where(eq(paymentLogs.id, id)).for('update'))
}

export async function updatePayment(
  tx: Tx,
  id: string,
  changes: {
    status: 'completed_stub' | 'failed'
    notes: string
    subscriptionId?: string
    startDate?: string
    endDate?: string
  },
): Promise<PaymentRow> {
  return only(await tx.update(paymentLogs).set(changes).where(eq(paymentLogs.id, id)).returning(columns))
}

/** A key is the client's text and may say anything: deleted accounts keep none. */
export async function forgetKeys(tx: Tx, userId: string): Promise<void> {
  await tx.update(paymentLogs).set({ idempotencyKey: null }).where(eq(paymentLogs.userId, userId))
}

/** Newest first; those older than the place `before`, if it is given. */
export function listPayments(
  db: Db,
  userId: string,
  { before, limit }: { before?: { at: Date; id: string }; limit: number },
): Promise<PaymentRow[]> {
  const place = sql`(${paymentLogs.createdAt}, ${paymentLogs.id})`
  const isOlder = before && sql`${place} < (${before.at.toISOString()}::timestamptz, ${before.id}::uuid)`
  return db
    .select(columns)
    .from(paymentLogs)
    .where(and(eq(paymentLogs.userId, userId), isOlder))
    .orderBy(desc(paymentLogs.createdAt), desc(paymentLogs.id))
    .limit(limit)
}

function only([row]: PaymentRow[]): PaymentRow {
  if (!row) throw new Error('A payment is not where it was stored')
  return row
}
