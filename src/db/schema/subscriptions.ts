import { boolean, date, index, numeric, pgEnum, pgTable, text, uuid, varchar } from 'drizzle-orm/pg-core'
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
  (t) => [index('idx_subscriptions_user_status').on(t.userId, t.status)],
)

export const paymentLogs = pgTable('payment_logs', {
  id: uuid().primaryKey(),
  userId: uuid('user_id').references(() => users.id, { onDelete: 'set null' }),
  amount: numeric({ precision: 10, scale: 2 }).notNull(),
  subscriptionType: varchar('subscription_type', { length: 50 }).notNull(),
  status: paymentStatus().notNull().default('pending'),
  paymentMethod: varchar('payment_method', { length: 50 }).notNull().default('stub'),
  notes: text(),
  createdAt: instant('created_at').notNull().defaultNow(),
})
