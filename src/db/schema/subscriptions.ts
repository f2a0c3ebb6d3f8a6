import { sql } from 'drizzle-orm'
import { boolean, date, index, numeric, pgEnum, pgTable, text, uniqueIndex, uuid, varchar } from 'drizzle-orm/pg-core'
import { instant, users } from './users.ts'

export const subscriptionType = pgEnum('subscription_type', ['premium_monthly', 'premium_yearly'])
export const subscriptionStatus = pgEnum('subscription_status', ['active', 'expired', 'cancelled'])
export const paymentStatus = pgEnum('payment_status', ['completed_stub', 'pending', 'failed'])

export const subscriptions = pgTable(
  'subscriptions',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    type: subscriptionType().notNull(),
    startDate: date('start_date').notNull(),
    /** The last day of premium, through its end in UTC. */
    endDate: date('end_date').notNull(),
    autoRenew: boolean('auto_renew').notNull().default(false),
    status: subscriptionStatus().notNull().default('active'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    index('idx_subscriptions_user_status').on(t.userId, t.status),
    // One running period a user: buying again extends it.
    uniqueIndex('idx_subscriptions_running').on(t.userId).where(sql`status <> 'expired'`),
    index('idx_subscriptions_end').on(t.endDate).where(sql`status <> 'expired'`),
  ],
)

export const paymentLogs = pgTable(
  'payment_logs',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id').references(() => users.id, { onDelete: 'set null' }),
    /** What was paid for; null while and if it was not. */
    subscriptionId: uuid('subscription_id').references(() => subscriptions.id, { onDelete: 'set null' }),
    /** The buyer's own key of this purchase: a repeat is answered with the first one. */
    idempotencyKey: varchar('idempotency_key', { length: 255 }),
    amount: numeric({ precision: 10, scale: 2 }).notNull(),
    subscriptionType: varchar('subscription_type', { length: 50 }).notNull(),
    status: paymentStatus().notNull().default('pending'),
    paymentMethod: varchar('payment_method', { length: 50 }).notNull().default('stub'),
    notes: text(),
    /** The period as this purchase left it: what a repeat of it is answered. */
    startDate: date('start_date'),
    endDate: date('end_date'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    index('idx_payment_logs_user').on(t.userId, t.createdAt.desc()),
    uniqueIndex('idx_payment_logs_key').on(t.userId, t.idempotencyKey),
  ],
)
