/** Buying premium. The charge stands between two short transactions: `pending` is stored before, what came of it after. */
import type { Db, Tx } from '../../db/client.ts'
import {
  keyUsedOtherwise,
  noPaymentProvider,
  paymentFailed,
  sessionEnded,
  unavailable,
  validationFailed,
} from '../../errors.ts'
import { type CursorPage, cutPage, decodeCursor } from '../../http/cursor.ts'
import type { Log } from '../../observability/log.ts'
import { addMonths, utcDay } from './days.ts'
import {
  offers,
  type Purchase,
  type Purchased,
  type SubscriptionType,
  toPayment,
  toPurchased,
  typeOf,
} from './model.ts'
import type { Outcome, PaymentProvider } from './payments.ts'
import * as payments from './payments-store.ts'
import * as store from './store.ts'
import type { Tiers } from './tiers.ts'

export type Purchases = ReturnType<typeof createPurchases>

export function createPurchases(deps: {
  db: Db
  tiers: Tiers
  log: Log
  /** Undefined: nothing can be bought. */
  provider: PaymentProvider | undefined
  now?: () => Date
}) {
  const { db, tiers, log, provider, now = () => new Date() } = deps

  return {
    /**
     * Buys a period, or lengthens the one that runs. With a `key` it is one purchase however often the user asks; one
     * that was cut off goes on from where it was.
     * @throws AppError 400 without a provider or for a payment method it has not, 402 when the payment failed,
     *   409 for the key of another purchase, 503 while nobody knows whether it was paid: repeat it with the same key
     */
    async purchase(userId: string, wanted: Purchase, key?: string): Promise<Purchased> {
      if (!provider) throw noPaymentProvider()
      const { subscription_type: type, payment_method: method = 'stub' } = wanted
      if (!provider.methods.includes(method)) {
        throw validationFailed({ payment_method: `must be one of: ${provider.methods.join(', ')}` })
      }
      const begun = await db.transaction((tx) => begin(tx, userId, { type, method, key }))
      if (begun.status !== 'pending') return answer(userId, begun)

      const outcome = await charge(provider, userId, begun)
      const settled = await db.transaction((tx) => settle(tx, userId, begun.id, outcome))
      if (settled.status === 'completed_stub') await tiers.announceChanged([userId])
      return answer(userId, settled)
    },

    /** All of the user's, newest first. @throws AppError 400 for a cursor that is none */
    async listPayments(userId: string, { limit = 50, cursor }: CursorPage) {
      const before = cursor === undefined ? undefined : decodeCursor(cursor)
      const rows = await payments.listPayments(db, userId, { before, limit: limit + 1 })
      const { page, ...rest } = cutPage(rows, limit, ({ createdAt, id }) => ({ at: createdAt, id }))
      return { payments: page.map(toPayment), ...rest }
    },
  }

  /** The user's row is locked, so of two requests with one key the second finds the payment of the first. */
  async function begin(
    tx: Tx,
    userId: string,
    { type, method, key }: { type: SubscriptionType; method: string; key: string | undefined },
  ): Promise<payments.PaymentRow> {
    if (!(await store.lockUser(tx, userId))) throw sessionEnded()
    const first = key === undefined ? undefined : await payments.findByKey(tx, userId, key)
    if (!first) {
      return payments.insertPayment(tx, {
        id: Bun.randomUUIDv7(),
        userId,
        idempotencyKey: key,
        amount: offers[type].amount,
        subscriptionType: type,
        paymentMethod: method,
      })
    }
    const isSame = first.subscriptionType === type && first.paymentMethod === method
    if (!isSame) throw keyUsedOtherwise()
    return first
  }

  async function charge(by: PaymentProvider, userId: string, payment: payments.PaymentRow): Promise<Outcome> {
    const { id: paymentId, amount, paymentMethod: method } = payment
    try {
      return await by.charge({ paymentId, userId, amount, method })
    } catch (error) {
      log.error('A payment stays pending: its provider did not say what came of it', { payment_id: paymentId, error })
      throw unavailable('The payment provider does not answer; repeat this with the same Idempotency-Key')
    }
  }

  /** Stores the outcome once: a request that was slower with the same payment finds what the first one stored. */
  async function settle(tx: Tx, userId: string, paymentId: string, outcome: Outcome): Promise<payments.PaymentRow> {
    const isThere = await store.lockUser(tx, userId)
    const payment = await payments.lockPayment(tx, paymentId)
    if (payment.status !== 'pending') return payment
    if (outcome.status === 'failed') {
      return payments.updatePayment(tx, paymentId, { status: 'failed', notes: outcome.reason })
    }
    const status = 'completed_stub'
    if (!isThere) {
      const notes = `${outcome.note}. The account was deleted before: nothing was bought`
      return payments.updatePayment(tx, paymentId, { status, notes })
    }
    const { id: subscriptionId, startDate, endDate } = await extend(tx, userId, typeOf(payment))
    return payments.updatePayment(tx, paymentId, { status, subscriptionId, startDate, endDate, notes: outcome.note })
  }

  /** From the last day of the period that runs, cancelled or not; else from today. */
  async function extend(tx: Tx, userId: string, type: SubscriptionType) {
    const today = utcDay(now())
    const { months } = offers[type]
    const open = await store.findOpen(tx, userId)
    await store.updatePremiumCopy(tx, [userId], true)
    if (open && open.endDate >= today) {
      const endDate = addMonths(open.endDate, months)
      await store.updateSubscription(tx, open.id, { type, endDate, status: 'active' })
      return { ...open, endDate }
    }
    // Lapsed, and the job has not come by yet.
    if (open) await store.updateSubscription(tx, open.id, { status: 'expired' })
    const period = { id: Bun.randomUUIDv7(), userId, type, startDate: today, endDate: addMonths(today, months) }
    await store.insertSubscription(tx, period)
    return period
  }
}

function answer(userId: string, payment: payments.PaymentRow): Purchased {
  if (payment.status === 'failed') throw paymentFailed(payment.notes ?? 'no reason was given')
  const purchased = toPurchased(payment, userId)
  // Paid, but for an account that is gone.
  if (!purchased) throw sessionEnded()
  return purchased
}
