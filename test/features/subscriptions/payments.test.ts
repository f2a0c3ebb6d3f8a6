/** What every payment provider guarantees, asked of each there is. */
import { describe, expect, it } from 'bun:test'
import { findPaymentProvider } from '../../../src/features/subscriptions/payments.ts'
import { createProvider, paid } from './support.ts'

const stub = findPaymentProvider('stub')
if (!stub) throw new Error('The stub is gone')

describe.each([
  ['the stub', stub],
  ['the one of the tests', createProvider().provider],
  ['one that declines', createProvider(() => ({ status: 'failed', reason: 'Declined' })).provider],
])('%s', (_, provider) => {
  it('has one outcome for a payment, however often and at once it is asked for', async () => {
    const method = provider.methods[0] ?? ''
    const charge = { paymentId: Bun.randomUUIDv7(), userId: Bun.randomUUIDv7(), amount: '4.99', method }
    const outcomes = await Promise.all([provider.charge(charge), provider.charge(charge)])
    outcomes.push(await provider.charge(charge))
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0] ?? paid)
  })
})

it('is none by a name that is not known, and none without a name', () => {
  for (const name of ['acme', 'Stub', undefined]) expect(findPaymentProvider(name)).toBeUndefined()
})
