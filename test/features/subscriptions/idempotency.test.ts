import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { startServer, type TestServer } from '../../support/server.ts'
import { buy, createProvider, createShop, monthly, paid, readRows, yearly } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const outcomeOf = (asked: Promise<unknown>) => asked.catch((error: unknown) => error)

describe('a purchase with a key', () => {
  it('is made once, however often it is asked for', async () => {
    const user = await server.addUser()
    const first = await buy(user, monthly, 'one')
    expect(first.status).toBe(200)
    for (let i = 0; i < 3; i++) expect((await buy(user, monthly, 'one')).body).toEqual(first.body)
    const { periods, payments } = await readRows(server, user.id)
    expect(periods).toMatchObject([{ endDate: first.body.subscription.end_date }])
    expect(payments).toHaveLength(1)
  })

  it('is made once by requests that come at once', async () => {
    for (let round = 0; round < 5; round++) {
      const user = await server.addUser()
      const answers = await Promise.all(Array.from({ length: 8 }, () => buy(user, monthly, 'at once')))
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
      for (const { body } of answers) expect(body).toEqual(answers[0]?.body)
      const { periods, payments } = await readRows(server, user.id)
      expect(periods).toMatchObject([{ endDate: answers[0]?.body.subscription.end_date }])
      expect(payments).toHaveLength(1)
    }
  })

  it('is answered as it was, whatever was bought or cancelled since', async () => {
    const user = await server.addUser()
    const first = await buy(user, monthly, 'one')
    const second = await buy(user, yearly, 'two')
    await user.delete('/subscriptions/me')
    expect((await buy(user, monthly, 'one')).body).toEqual(first.body)
    expect((await buy(user, yearly, 'two')).body).toEqual(second.body)
    expect((await user.get('/subscriptions/me')).body.subscription).toMatchObject({
      status: 'cancelled',
      end_date: second.body.subscription.end_date,
    })
  })

  it('cannot be another one by the same key, not even at the same moment', async () => {
    const user = await server.addUser()
    const both = await Promise.all([buy(user, monthly, 'one'), buy(user, yearly, 'one')])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    const other = both[0].status === 200 ? yearly : monthly
    expect(await buy(user, other, 'one')).toMatchObject({
      status: 409,
      body: {
        error: 'This Idempotency-Key belongs to another purchase',
        details: { 'idempotency-key': 'was used otherwise' },
      },
    })
    expect((await readRows(server, user.id)).payments).toHaveLength(1)
  })

  it('is its own for each user', async () => {
    const [one, two] = [await server.addUser(), await server.addUser()]
    const [first, second] = [await buy(one, monthly, 'shared'), await buy(two, yearly, 'shared')]
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.body.subscription).toMatchObject({ user_id: two.id, type: 'premium_yearly' })
    expect(second.body.payment_log.id).not.toBe(first.body.payment_log.id)
  })
})

describe('a purchase without a key', () => {
  it('is another one each time', async () => {
    const user = await server.addUser()
    const [first, second] = [await buy(user, monthly), await buy(user, monthly)]
    expect(second.body.payment_log.id).not.toBe(first.body.payment_log.id)
    expect((await readRows(server, user.id)).payments).toHaveLength(2)
  })
})

describe('a purchase that was cut off', () => {
  it('stays pending, gives nothing, and goes on with the same key under the same payment id', async () => {
    let isAway = true
    const { provider, charges } = createProvider(() => {
      if (isAway) throw new Error('No answer')
      return paid
    })
    const shop = createShop(server, { at: '2026-01-31T12:00:00Z', by: provider })
    const { id } = await server.addUser()
    expect(await outcomeOf(shop.purchases.purchase(id, monthly, 'k'))).toMatchObject({ status: 503 })
    const cut = await readRows(server, id)
    expect(cut).toMatchObject({ isPremium: false, periods: [], payments: [{ status: 'pending' }] })
    expect(await outcomeOf(shop.purchases.purchase(id, yearly, 'k'))).toMatchObject({ status: 409 })

    isAway = false
    const bought = await shop.purchases.purchase(id, monthly, 'k')
    expect(bought.payment_log.id).toBe(cut.payments[0]?.id ?? '')
    expect(charges.map(({ paymentId, amount }) => [paymentId, amount])).toEqual(
      Array(2).fill([bought.payment_log.id, '4.99']),
    )
    expect(await readRows(server, id)).toMatchObject({ isPremium: true, payments: [{ status: 'completed_stub' }] })
    expect(await shop.purchases.purchase(id, monthly, 'k')).toEqual(bought)
    expect(charges).toHaveLength(2)
  })

  it('is given once when several go on with it at once', async () => {
    let isAway = true
    const { provider, charges } = createProvider(async () => {
      if (isAway) throw new Error('No answer')
      await Bun.sleep(20)
      return paid
    })
    const shop = createShop(server, { at: '2026-01-31T12:00:00Z', by: provider })
    const { id } = await server.addUser()
    await outcomeOf(shop.purchases.purchase(id, monthly, 'k'))
    isAway = false
    const all = await Promise.all(Array.from({ length: 4 }, () => shop.purchases.purchase(id, monthly, 'k')))
    for (const one of all) expect(one).toEqual(all[0] as typeof one)
    expect(new Set(charges.map(({ paymentId }) => paymentId)).size).toBe(1)
    const { periods, payments } = await readRows(server, id)
    expect(periods).toMatchObject([{ endDate: '2026-02-28' }])
    expect(payments).toHaveLength(1)
  })

  it('by the deletion of the account gives nothing, and says so to the operator', async () => {
    const user = await server.addUser()
    const { provider } = createProvider(async () => {
      await user.delete('/users/me')
      return paid
    })
    const shop = createShop(server, { at: '2026-01-31T12:00:00Z', by: provider })
    expect(await outcomeOf(shop.purchases.purchase(user.id, monthly, 'k'))).toMatchObject({ status: 401 })
    const { isPremium, periods, payments } = await readRows(server, user.id)
    expect({ isPremium, periods }).toEqual({ isPremium: false, periods: [] })
    expect(payments).toMatchObject([{ status: 'completed_stub', subscriptionId: null, idempotencyKey: null }])
    expect(payments[0]?.notes).toContain('nothing was bought')
    // And nobody buys for an account that is gone.
    expect(await outcomeOf(shop.purchases.purchase(user.id, monthly))).toMatchObject({ status: 401 })
  })
})
