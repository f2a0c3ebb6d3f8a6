/** /subscriptions */
import { Elysia } from 'elysia'
import { CursorPage } from '../../http/cursor.ts'
import { failures } from '../../http/failures.ts'
import type { Guard } from '../auth/guard.ts'
import { Cancelled, MySubscription, PaymentList, Purchase, Purchased, PurchaseHeaders } from './model.ts'
import type { Purchases } from './purchases.ts'
import type { Subscriptions } from './service.ts'

export const subscriptionRoutes = (deps: { guard: Guard; subscriptions: Subscriptions; purchases: Purchases }) =>
  new Elysia({ prefix: '/subscriptions', detail: { tags: ['Subscriptions'] } })
    .use(deps.guard)
    .guard({ signedIn: true })
    .post(
      '/purchase',
      ({ userId, body, headers }) => deps.purchases.purchase(userId, body, headers['idempotency-key']),
      {
        body: Purchase,
        headers: PurchaseHeaders,
        response: { 200: Purchased, ...failures(400, 401, 402, 409, 413, 429) },
        detail: {
          summary: 'Buy premium',
          description:
            'Lengthens the period that runs, if one does. Without an `Idempotency-Key` every call is a purchase. After a ' +
            '503 repeat it with the same key: nothing is charged twice.',
        },
      },
    )
    .get('/me', ({ userId }) => deps.subscriptions.getMine(userId), {
      response: { 200: MySubscription, ...failures(401, 429) },
      detail: { summary: 'My subscription', description: 'Premium lasts through `end_date` (UTC), cancelled or not.' },
    })
    .delete('/me', ({ userId }) => deps.subscriptions.cancel(userId), {
      response: { 200: Cancelled, ...failures(401, 404, 429) },
      detail: { summary: 'Stop renewal', description: 'Premium stays through `end_date`. Buying again continues it.' },
    })
    .get('/payments', ({ userId, query }) => deps.purchases.listPayments(userId, query), {
      query: CursorPage,
      response: { 200: PaymentList, ...failures(400, 401, 429) },
      detail: { summary: 'My payments', description: 'Newest first.' },
    })
