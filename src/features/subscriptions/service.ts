/** What becomes of a subscription once it is bought. Buying is in purchases.ts. */
import type { BusMessage } from '../../bus/bus.ts'
import { tierChanged } from '../../bus/control.ts'
import type { Db, Tx } from '../../db/client.ts'
import { noSubscription } from '../../errors.ts'
import { utcDay } from './days.ts'
import { type MySubscription, type Subscription, toSubscription } from './model.ts'
import { forgetKeys } from './payments-store.ts'
import * as store from './store.ts'
import type { Tiers } from './tiers.ts'

export type Subscriptions = ReturnType<typeof createSubscriptions>

const EXPIRE_BATCH = 500

export function createSubscriptions(deps: { db: Db; tiers: Tiers; now?: () => Date; expireBatch?: number }) {
  const { db, tiers, now = () => new Date(), expireBatch = EXPIRE_BATCH } = deps

  return {
    /** A period whose last day has passed is none, closed or not. */
    async getMine(userId: string): Promise<MySubscription> {
      const open = await store.findOpen(db, userId)
      const isPremium = open !== undefined && open.endDate >= utcDay(now())
      return { is_premium: isPremium, subscription: isPremium ? toSubscription(open) : null }
    },

    /** Premium stays through the last day. Cancelling again changes nothing. @throws noSubscription */
    async cancel(userId: string): Promise<{ message: string; subscription: Subscription }> {
      const cancelled = await store.cancelRunning(db, userId, utcDay(now()))
      if (!cancelled) throw noSubscription()
      await tiers.announceChanged([userId])
      return { message: 'Renewal stopped', subscription: toSubscription(cancelled) }
    },

    /**
     * Closes every period whose last day has passed, and takes `is_premium` off the accounts. What is decided by it does
     * not wait for this: it looks at the period. It may run twice at once, or while somebody buys.
     */
    async expire(): Promise<void> {
      for (let locked = expireBatch; locked === expireBatch; ) locked = await expireSome()
    },

    /**
     * What becomes of the subscription of an account that is being deleted, within that transaction. Payments stay, with
     * nothing personal but the account's id.
     * @returns what to publish after the commit
     */
    async releaseAccount(tx: Tx, userId: string): Promise<BusMessage[]> {
      await store.cancelRunning(tx, userId, utcDay(now()))
      await forgetKeys(tx, userId)
      return [tierChanged(userId)]
    },
  }

  /** @returns how many accounts were looked at: fewer than a batch, and it was the last */
  async function expireSome(): Promise<number> {
    const today = utcDay(now())
    const { locked, expired } = await db.transaction(async (tx) => {
      const userIds = await store.lockLapsedUsers(tx, today, expireBatch)
      if (userIds.length === 0) return { locked: 0, expired: [] }
      // Asked again under the locks: somebody may have bought a moment ago.
      const lapsed = await store.expireLapsed(tx, userIds, today)
      if (lapsed.length > 0) await store.updatePremiumCopy(tx, lapsed, false)
      return { locked: userIds.length, expired: lapsed }
    })
    await tiers.announceChanged(expired)
    return locked
  }
}
