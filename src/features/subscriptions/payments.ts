/** The port to whoever takes the money, and the stub that takes none. */

/** What is to be paid. */
export interface Charge {
  /** Ours, one for each purchase: the provider's idempotency key. */
  paymentId: string
  userId: string
  /** Decimal, `4.99`. */
  amount: string
  /** One of the provider's `methods`. */
  method: string
}

export type Outcome =
  /** `note` is for the operator. */
  | { status: 'completed'; note: string }
  /** Nothing was taken, and nothing will be under this `paymentId`. `reason` is shown to the buyer. */
  | { status: 'failed'; reason: string }

/**
 * Guarantees of every implementation:
 * - `paymentId` is charged at most once, however often it is asked for, one after another or at once, from any instance,
 *   days later too; each of these calls has the same outcome. A purchase that was cut off is charged again by this.
 * - An outcome is final. Whoever does not know one yet (no answer, a payment under way) throws, and is asked again when
 *   the buyer repeats the request.
 * - It settles within 10 s: a request waits for it.
 */
export interface PaymentProvider {
  /** What a buyer may pay by. */
  readonly methods: readonly string[]
  charge(charge: Charge): Promise<Outcome>
}

/** Nobody is charged, everybody gets what they asked for. */
const stub: PaymentProvider = {
  methods: ['stub'],
  charge: async () => ({ status: 'completed', note: 'Stub payment - no real charge' }),
}

/** The provider of PAYMENT_PROVIDER; undefined when there is none of that name. */
export const findPaymentProvider = (name: string | undefined): PaymentProvider | undefined =>
  name === 'stub' ? stub : undefined
