/** The shapes of subscriptions and payments. */
import { t } from 'elysia'
import { pageFields } from '../../http/cursor.ts'
import { cleanText, Instant, Uuid } from '../../http/text.ts'
import type { PaymentRow } from './payments-store.ts'
import type { SubscriptionRow } from './store.ts'

export const SubscriptionType = t.Union([t.Literal('premium_monthly'), t.Literal('premium_yearly')], {
  error: 'must be premium_monthly or premium_yearly',
})
export type SubscriptionType = typeof SubscriptionType.static

/** What is for sale: the price, decimal, and how long it lasts. */
export const offers: Record<SubscriptionType, { amount: string; months: number }> = {
  premium_monthly: { amount: '4.99', months: 1 },
  premium_yearly: { amount: '49.99', months: 12 },
}

export const Purchase = t.Object({
  subscription_type: SubscriptionType,
  payment_method: t.Optional(cleanText(1, 50, { description: '`stub` when left out', examples: ['stub'] })),
})
export type Purchase = typeof Purchase.static

/** The IETF draft on the Idempotency-Key header leaves length and form to the server. */
export const PurchaseHeaders = t.Object({
  'idempotency-key': t.Optional(
    t.String({
      pattern: '^[\\x20-\\x7e]{1,255}$',
      error: 'must be 1 to 255 printable ASCII characters',
      description: 'A repeat with the same key is answered with the first purchase and charges nothing',
      examples: ['8e03978e-40d5-43dd-bc93-6894a57f9324'],
    }),
  ),
})

const Day = (description: string) => t.String({ format: 'date', description, examples: ['2026-02-15'] })

export const Subscription = t.Object({
  id: Uuid,
  user_id: Uuid,
  type: SubscriptionType,
  start_date: Day('UTC'),
  end_date: Day('The last day of premium, through its end in UTC'),
  status: t.UnionEnum(['active', 'expired', 'cancelled']),
  auto_renew: t.Boolean(),
})
export type Subscription = typeof Subscription.static

const PURCHASED = 'MVP: Stub payment activated. No real charge applied.'
export const Purchased = t.Object({
  success: t.Literal(true),
  message: t.String({ examples: [PURCHASED] }),
  subscription: Subscription,
  payment_log: t.Object({
    id: Uuid,
    amount: t.Number({ examples: [4.99] }),
    status: t.Literal('completed_stub'),
  }),
})
export type Purchased = typeof Purchased.static

export const MySubscription = t.Object({ is_premium: t.Boolean(), subscription: t.Nullable(Subscription) })
export type MySubscription = typeof MySubscription.static

export const Cancelled = t.Object({ message: t.String({ examples: ['Renewal stopped'] }), subscription: Subscription })

export const Payment = t.Object({
  id: Uuid,
  amount: t.Number({ examples: [4.99] }),
  subscription_type: SubscriptionType,
  status: t.UnionEnum(['completed_stub', 'pending', 'failed']),
  payment_method: t.String({ examples: ['stub'] }),
  notes: t.Nullable(t.String({ examples: ['Stub payment - no real charge'] })),
  created_at: Instant,
})
export type Payment = typeof Payment.static

export const PaymentList = t.Object({ payments: t.Array(Payment), ...pageFields })

export const toSubscription = (row: SubscriptionRow): Subscription => ({
  id: row.id,
  user_id: row.userId,
  type: row.type,
  start_date: row.startDate,
  end_date: row.endDate,
  status: row.status,
  auto_renew: row.autoRenew,
})

// The column takes any text, and only offers are written there.
export const typeOf = (row: PaymentRow) => row.subscriptionType as SubscriptionType

/** The answer of a completed purchase, the same for ever; undefined for one that bought nothing. */
export function toPurchased(row: PaymentRow, userId: string): Purchased | undefined {
  const { status, subscriptionId, startDate, endDate } = row
  if (status !== 'completed_stub' || !subscriptionId || !startDate || !endDate) return undefined
  return {
    success: true,
    message: PURCHASED,
    subscription: {
      id: subscriptionId,
      user_id: userId,
      type: typeOf(row),
      start_date: startDate,
      end_date: endDate,
      status: 'active',
      auto_renew: false,
    },
    payment_log: { id: row.id, amount: Number(row.amount), status },
  }
}

export const toPayment = (row: PaymentRow): Payment => ({
  id: row.id,
  amount: Number(row.amount),
  subscription_type: typeOf(row),
  status: row.status,
  payment_method: row.paymentMethod,
  notes: row.notes,
  created_at: row.createdAt.toISOString(),
})
