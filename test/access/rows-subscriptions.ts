/** Subscriptions and payments: who may do what. */
import { ok, type Row, refused, signedIn } from './answers.ts'

const none = refused(404, 'No running subscription')

/** The owner alone has premium. */
export const subscriptionRows: Row[] = [
  {
    route: 'POST /api/v1/subscriptions/purchase',
    body: () => ({ subscription_type: 'premium_yearly' }),
    answers: signedIn(ok),
    changes: true,
  },
  {
    route: 'POST /api/v1/subscriptions/purchase',
    about: 'by a method that is none',
    body: () => ({ subscription_type: 'premium_yearly', payment_method: 'gift' }),
    answers: signedIn(refused(400, 'Validation failed')),
  },
  { route: 'GET /api/v1/subscriptions/me', answers: signedIn(ok) },
  { route: 'DELETE /api/v1/subscriptions/me', answers: { ...signedIn(none), owner: ok }, changes: true },
  { route: 'GET /api/v1/subscriptions/payments', answers: signedIn(ok) },
]
