import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { addMonths, utcDay } from '../../../src/features/subscriptions/days.ts'
import { request } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { buy, createProvider, createShop, monthly, readRows, yearly } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ CORS_ORIGINS: 'https://app.example' })
})
afterAll(() => server.stop())

const today = () => utcDay(new Date())

describe('a purchase', () => {
  it('starts premium today, and is told everywhere', async () => {
    const user = await server.addUser()
    const { status, body, headers } = await buy(user, { ...monthly, payment_method: 'stub' })
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        success: true,
        message: 'MVP: Stub payment activated. No real charge applied.',
        subscription: {
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          user_id: user.id,
          type: 'premium_monthly',
          start_date: today(),
          end_date: addMonths(today(), 1),
          status: 'active',
          auto_renew: false,
        },
        payment_log: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), amount: 4.99, status: 'completed_stub' },
      },
    })
    expect(headers.get('cache-control')).toBe('no-store')
    expect((await user.get('/subscriptions/me')).body).toEqual({ is_premium: true, subscription: body.subscription })
    expect((await user.get('/users/me')).body.is_premium).toBe(true)
    expect((await user.get('/subscriptions/payments')).body).toEqual({
      payments: [
        {
          ...{ id: body.payment_log.id, amount: 4.99, subscription_type: 'premium_monthly', status: 'completed_stub' },
          ...{ payment_method: 'stub', notes: 'Stub payment - no real charge', created_at: expect.any(String) },
        },
      ],
      has_more: false,
      next_cursor: null,
    })
  })

  it('of a year costs 49.99', async () => {
    const { body } = await buy(await server.addUser(), yearly)
    expect(body.payment_log.amount).toBe(49.99)
    expect(body.subscription).toMatchObject({ type: 'premium_yearly', end_date: addMonths(today(), 12) })
  })

  it('while a period runs lengthens it, as what was bought last', async () => {
    const user = await server.addUser()
    const { body: first } = await buy(user, monthly)
    const { body: second } = await buy(user, yearly)
    const endDate = addMonths(addMonths(today(), 1), 12)
    expect(second.subscription).toEqual({ ...first.subscription, type: 'premium_yearly', end_date: endDate })
    const { periods, payments } = await readRows(server, user.id)
    expect(periods).toMatchObject([{ id: first.subscription.id, endDate, status: 'active' }])
    expect(payments.map(({ subscriptionId }) => subscriptionId)).toEqual([periods[0]?.id ?? '', periods[0]?.id ?? ''])
  })

  it('at the same moment as another is not lost', async () => {
    const user = await server.addUser()
    const answers = await Promise.all(Array.from({ length: 6 }, () => buy(user, monthly)))
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200))
    const { periods, payments } = await readRows(server, user.id)
    let expected = today()
    for (const _ of answers) expected = addMonths(expected, 1)
    expect(periods).toMatchObject([{ endDate: expected }])
    expect(payments.map(({ status }) => status)).toEqual(Array(6).fill('completed_stub'))
    // Each was told of its own part.
    expect(new Set(answers.map(({ body }) => body.subscription.end_date)).size).toBe(6)
  })

  it.each([
    ['2026-01-31T12:00:00Z', monthly, '2026-01-31', '2026-02-28'],
    ['2028-01-31T12:00:00Z', monthly, '2028-01-31', '2028-02-29'],
    ['2028-02-29T12:00:00Z', yearly, '2028-02-29', '2029-02-28'],
    ['2026-04-30T23:59:59.999Z', monthly, '2026-04-30', '2026-05-30'],
    ['2026-05-01T00:00:00.000Z', monthly, '2026-05-01', '2026-06-01'],
  ])('at %s starts and ends on days of UTC', async (at, wanted, start_date, end_date) => {
    const shop = createShop(server, { at })
    const { id } = await server.addUser()
    const { subscription } = await shop.purchases.purchase(id, wanted)
    expect(subscription).toMatchObject({ start_date, end_date })
  })

  it('after the last day starts anew, whether the lapsed period was closed or not', async () => {
    for (const isClosed of [false, true]) {
      const shop = createShop(server, { at: '2026-01-31T12:00:00Z' })
      const { id } = await server.addUser()
      await shop.purchases.purchase(id, monthly)
      shop.setTime('2026-03-01T00:00:00.000Z')
      if (isClosed) await shop.service.expire()
      const { subscription } = await shop.purchases.purchase(id, yearly)
      expect(subscription).toMatchObject({ start_date: '2026-03-01', end_date: '2027-03-01', status: 'active' })
      const { isPremium, periods } = await readRows(server, id)
      expect(isPremium).toBe(true)
      expect(periods.map(({ status, endDate }) => [status, endDate])).toEqual([
        ['expired', '2026-02-28'],
        ['active', '2027-03-01'],
      ])
    }
  })

  it('on the last day lengthens the period', async () => {
    const shop = createShop(server, { at: '2026-01-31T12:00:00Z' })
    const { id } = await server.addUser()
    await shop.purchases.purchase(id, monthly)
    shop.setTime('2026-02-28T23:59:59.999Z')
    const { subscription } = await shop.purchases.purchase(id, monthly)
    expect(subscription).toMatchObject({ start_date: '2026-01-31', end_date: '2026-03-28' })
  })

  it('that fails leaves a failed payment, and nothing else', async () => {
    const { provider, charges } = createProvider(() => ({ status: 'failed', reason: 'The card was declined' }))
    const shop = createShop(server, { at: '2026-01-31T12:00:00Z', by: provider })
    const { id } = await server.addUser()
    const declined = { status: 402, message: 'The payment failed', details: { reason: 'The card was declined' } }
    expect(await shop.purchases.purchase(id, monthly, 'k').catch((error) => error)).toMatchObject(declined)
    // A repeat is told the same, and nobody is asked again.
    expect(await shop.purchases.purchase(id, monthly, 'k').catch((error) => error)).toMatchObject(declined)
    expect(charges).toHaveLength(1)
    const { isPremium, periods, payments } = await readRows(server, id)
    expect({ isPremium, periods }).toEqual({ isPremium: false, periods: [] })
    expect(payments).toMatchObject([{ status: 'failed', subscriptionId: null, amount: '4.99' }])
    expect((await shop.tiers.tierOf(id)).isPremium).toBe(false)
  })

  it('keeps nobody waiting while it is charged', async () => {
    const { id } = await server.addUser()
    const { provider } = createProvider(async ({ userId }) => {
      // Fails at once if anybody holds the account's row.
      await server.database.sql`select 1 from users where id = ${userId} for update nowait`
      const note = (await readRows(server, userId)).payments.map(({ status }) => status).join()
      return { status: 'completed', note }
    })
    const shop = createShop(server, { at: '2026-01-31T12:00:00Z', by: provider })
    await shop.purchases.purchase(id, monthly)
    expect((await shop.purchases.listPayments(id, {})).payments).toMatchObject([{ notes: 'pending' }])
  })

  it('is refused where no provider is configured, and nothing is written', async () => {
    const elsewhere = await startServer({ PAYMENT_PROVIDER: 'acme' })
    const user = await elsewhere.addUser()
    expect(await buy(user, monthly)).toMatchObject({
      status: 400,
      body: { error: 'Nothing can be bought here: this server has no payment provider', details: {} },
    })
    expect(await readRows(elsewhere, user.id)).toEqual({ isPremium: false, periods: [], payments: [] })
    expect((await user.get('/subscriptions/me')).body).toEqual({ is_premium: false, subscription: null })
    await elsewhere.stop()
  })
})

describe('a faulty purchase', () => {
  const faults: [string, unknown][] = [
    ['subscription_type', {}],
    ...[null, '', 'premium', 'PREMIUM_MONTHLY', 5, ['premium_monthly'], { a: 1 }].map((type): [string, unknown] => [
      'subscription_type',
      { subscription_type: type },
    ]),
    ...[null, '', 'card', 5, ['stub'], 'stub\0', 'x'.repeat(51)].map((method): [string, unknown] => [
      'payment_method',
      { ...monthly, payment_method: method },
    ]),
  ]
  it('is refused by the name of the field, and nothing is written', async () => {
    const user = await server.addUser()
    for (const [field, body] of faults) {
      const { status, body: answer } = await buy(user, body)
      const given = JSON.stringify(body)
      expect({ given, status, fields: Object.keys(answer.details) }).toEqual({ given, status: 400, fields: [field] })
    }
    for (const body of ['[]', '5', '{', undefined]) expect((await buy(user, body)).status).toBe(400)
    expect(await readRows(server, user.id)).toEqual({ isPremium: false, periods: [], payments: [] })
  })

  it('has a key that is no printable ASCII of 1 to 255', async () => {
    const user = await server.addUser()
    for (const key of ['', 'x'.repeat(256), 'ü', 'a\tb']) {
      const { status, body } = await buy(user, monthly, key)
      expect({ key, status, body }).toEqual({
        ...{ key, status: 400 },
        body: {
          error: 'Validation failed',
          details: { 'idempotency-key': 'must be 1 to 255 printable ASCII characters' },
        },
      })
    }
    expect((await readRows(server, user.id)).payments).toEqual([])
    for (const key of ['x'.repeat(255), ' "8e03978e-40d5" ', '~!'])
      expect((await buy(user, monthly, key)).status).toBe(200)
  })
})

it('lets a web client elsewhere send a key', async () => {
  const preflight = await fetch(`${server.url}/api/v1/subscriptions/purchase`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  })
  expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('idempotency-key')
})

it('shows the header and the failures in the documentation', async () => {
  const { body } = await request(`${server.url}/swagger/json`, 'GET')
  const { parameters, responses } = body.paths['/api/v1/subscriptions/purchase'].post
  expect(parameters).toMatchObject([{ name: 'idempotency-key', in: 'header' }])
  expect(parameters[0].required ?? false).toBe(false)
  expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '400', '401', '402', '409', '429', '503']))
})
