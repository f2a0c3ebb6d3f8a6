/** The services of subscriptions on a server's database, with a clock and a payment provider of the test's own. */
import { asc, eq } from 'drizzle-orm'
import { createMemoryBus } from '../../../src/bus/memory.ts'
import { paymentLogs, subscriptions, users } from '../../../src/db/schema/index.ts'
import type { Charge, Outcome, PaymentProvider } from '../../../src/features/subscriptions/payments.ts'
import { createPurchases } from '../../../src/features/subscriptions/purchases.ts'
import { createSubscriptions } from '../../../src/features/subscriptions/service.ts'
import { createTiers } from '../../../src/features/subscriptions/tiers.ts'
import { createLog } from '../../../src/observability/log.ts'
import { type Answer, request, type TestUser } from '../../support/client.ts'
import type { TestServer } from '../../support/server.ts'

const log = createLog('error', () => {})

export const monthly = { subscription_type: 'premium_monthly' } as const
export const yearly = { subscription_type: 'premium_yearly' } as const

/** Answers the first call with a payment id as `decide` says, and each later one with the same; remembers them all. */
export function createProvider(decide: (charge: Charge) => Promise<Outcome> | Outcome = () => paid) {
  const charges: Charge[] = []
  const outcomes = new Map<string, Outcome>()
  const provider: PaymentProvider = {
    methods: ['stub'],
    async charge(charge) {
      charges.push(charge)
      const outcome = outcomes.get(charge.paymentId) ?? (await decide(charge))
      outcomes.set(charge.paymentId, outcome)
      return outcome
    },
  }
  return { provider, charges }
}
/** Profiles that nobody looks at. */
export const untold = { forget: async () => {} }

export const paid: Outcome = { status: 'completed', note: 'Paid' }

export function createShop({ database: { db }, config }: TestServer, options: { at: string; by?: PaymentProvider }) {
  const clock = { now: new Date(options.at) }
  const now = () => clock.now
  const bus = createMemoryBus(log)
  const tiers = createTiers({ db, bus, profiles: untold, settings: config, now })
  const purchases = createPurchases({ db, tiers, log, now, provider: options.by ?? createProvider().provider })
  const service = createSubscriptions({ db, tiers, now, expireBatch: 3 })
  return {
    purchases,
    service,
    tiers,
    bus,
    setTime(at: string): void {
      clock.now = new Date(at)
    },
  }
}

/** POST /subscriptions/purchase, with a key if there is one. */
export const buy = (user: TestUser, body: unknown, key?: string): Promise<Answer> =>
  request(
    `${user.serverUrl}/api/v1/subscriptions/purchase`,
    'POST',
    user.token,
    body,
    key === undefined ? {} : { 'idempotency-key': key },
  )

/** What the tables hold of a user, the oldest first. */
export async function readRows({ database: { db } }: TestServer, userId: string) {
  const [account] = await db.select({ isPremium: users.isPremium }).from(users).where(eq(users.id, userId))
  return {
    isPremium: account?.isPremium,
    periods: await db
      .select()
      .from(subscriptions)
      .where(eq(subscriptions.userId, userId))
      .orderBy(asc(subscriptions.createdAt), asc(subscriptions.id)),
    payments: await db
      .select()
      .from(paymentLogs)
      .where(eq(paymentLogs.userId, userId))
      .orderBy(asc(paymentLogs.createdAt), asc(paymentLogs.id)),
  }
}
