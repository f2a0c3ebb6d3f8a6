/** Cancelling, the end of a period, the end of an account. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { expireLapsed } from '../../../src/features/subscriptions/store.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { buy, createShop, monthly, readRows, yearly } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const JANUARY = '2026-01-31T12:00:00Z'
const LAST_MOMENT = '2026-02-28T23:59:59.999Z'
const AFTER = '2026-03-01T00:00:00.000Z'

describe('stopping renewal', () => {
  it('keeps premium, may be asked for twice, and is undone by buying again', async () => {
    const user = await server.addUser()
    const { body: bought } = await buy(user, monthly)
    const cancelled = { ...bought.subscription, status: 'cancelled', auto_renew: false }
    for (let i = 0; i < 2; i++) {
      expect(await user.delete('/subscriptions/me')).toMatchObject({
        status: 200,
        body: { message: 'Renewal stopped', subscription: cancelled },
      })
    }
    expect((await user.get('/subscriptions/me')).body).toEqual({ is_premium: true, subscription: cancelled })
    expect((await user.get('/users/me')).body.is_premium).toBe(true)

    const { body: again } = await buy(user, monthly)
    expect(again.subscription).toMatchObject({ id: bought.subscription.id, status: 'active' })
    expect(again.subscription.end_date > bought.subscription.end_date).toBe(true)
  })

  it('is 404 for who has no running period, one that lapsed included', async () => {
    const user = await server.addUser()
    const none = { status: 404, body: { error: 'No running subscription', details: {} } }
    expect(await user.delete('/subscriptions/me')).toMatchObject(none)
    const shop = createShop(server, { at: JANUARY })
    await shop.purchases.purchase(user.id, monthly)
    // For the server, whose clock is the real one, that is long ago.
    expect(await user.delete('/subscriptions/me')).toMatchObject(none)
    expect((await user.get('/subscriptions/me')).body).toEqual({ is_premium: false, subscription: null })
    expect((await readRows(server, user.id)).periods).toMatchObject([{ status: 'active' }])
  })

  it('at the same moment as a purchase leaves one whole period', async () => {
    for (let round = 0; round < 10; round++) {
      const user = await server.addUser()
      const { body: first } = await buy(user, monthly)
      const [bought, stopped] = await Promise.all([buy(user, monthly), user.delete('/subscriptions/me')])
      expect([bought.status, stopped.status]).toEqual([200, 200])
      const { periods } = await readRows(server, user.id)
      expect(periods).toMatchObject([{ id: first.subscription.id, endDate: bought.body.subscription.end_date }])
      expect(['active', 'cancelled']).toContain(periods[0]?.status ?? '')
    }
  })
})

describe('premium', () => {
  it('lasts through the last day in UTC, cancelled or not, closed or not', async () => {
    for (const isCancelled of [false, true]) {
      const shop = createShop(server, { at: JANUARY })
      const { id } = await server.addUser()
      await shop.purchases.purchase(id, monthly)
      if (isCancelled) await shop.service.cancel(id)
      const standing = async () => [
        (await shop.service.getMine(id)).is_premium,
        (await shop.tiers.tierOf(id)).isPremium,
        (await shop.service.getMine(id)).subscription?.end_date,
      ]
      shop.setTime(LAST_MOMENT)
      await shop.service.expire()
      expect(await standing()).toEqual([true, true, '2026-02-28'])
      // A millisecond later, remembered or not, and the job has not come by.
      shop.setTime(AFTER)
      expect(await standing()).toEqual([false, false, undefined])
      expect((await readRows(server, id)).isPremium).toBe(true)
      await shop.service.expire()
      expect(await standing()).toEqual([false, false, undefined])
      expect(await readRows(server, id)).toMatchObject({ isPremium: false, periods: [{ status: 'expired' }] })
    }
  })
})

describe('closing lapsed periods', () => {
  it('takes all of them in batches, no other, and finds nothing the second time', async () => {
    const shop = createShop(server, { at: JANUARY })
    // Four batches and a bit, in the shop's batches of three.
    const lapsed = await Promise.all(Array.from({ length: 13 }, () => server.addUser()))
    const running = await server.addUser()
    for (const { id } of lapsed) await shop.purchases.purchase(id, monthly)
    await shop.purchases.purchase(running.id, yearly)
    shop.setTime(AFTER)
    const told: string[] = []
    shop.bus.onMessage(({ topic, payload }) => told.push(`${topic} ${payload}`))
    await shop.service.expire()
    for (const { id } of lapsed) {
      expect(await readRows(server, id)).toMatchObject({ isPremium: false, periods: [{ status: 'expired' }] })
      expect(told).toContain(`instances {"type":"tier_changed","user_id":"${id}"}`)
    }
    expect(await readRows(server, running.id)).toMatchObject({ isPremium: true, periods: [{ status: 'active' }] })
    const before = told.length
    await shop.service.expire()
    expect(told).toHaveLength(before)
  })

  it('may run twice at once', async () => {
    const shop = createShop(server, { at: JANUARY })
    const users = await Promise.all(Array.from({ length: 8 }, () => server.addUser()))
    for (const { id } of users) await shop.purchases.purchase(id, monthly)
    shop.setTime(AFTER)
    await Promise.all([shop.service.expire(), shop.service.expire(), shop.service.expire()])
    // What one left to another is taken by the next.
    await shop.service.expire()
    for (const { id } of users) {
      expect(await readRows(server, id)).toMatchObject({ isPremium: false, periods: [{ status: 'expired' }] })
    }
  })

  it('takes nothing from whoever buys at that moment', async () => {
    for (let round = 0; round < 15; round++) {
      const shop = createShop(server, { at: JANUARY })
      const { id } = await server.addUser()
      await shop.purchases.purchase(id, monthly)
      shop.setTime(AFTER)
      await Promise.all([shop.purchases.purchase(id, monthly), shop.service.expire(), shop.service.expire()])
      const { isPremium, periods } = await readRows(server, id)
      expect(isPremium).toBe(true)
      expect(periods.map(({ status, startDate, endDate }) => [status, startDate, endDate]).sort()).toEqual([
        ['active', '2026-03-01', '2026-04-01'],
        ['expired', '2026-01-31', '2026-02-28'],
      ])
      expect((await shop.tiers.tierOf(id)).isPremium).toBe(true)
    }
  })

  it('looks again under the locks: who bought after it had looked keeps the period', async () => {
    const shop = createShop(server, { at: JANUARY })
    const { id } = await server.addUser()
    await shop.purchases.purchase(id, monthly)
    const closed = await server.database.db.transaction((tx) => expireLapsed(tx, [id], '2026-02-28'))
    expect(closed).toEqual([])
    expect((await readRows(server, id)).periods).toMatchObject([{ status: 'active' }])
  })

  it('waits for nobody who keeps an account locked', async () => {
    const shop = createShop(server, { at: JANUARY })
    const [busy, idle] = [await server.addUser(), await server.addUser()]
    for (const { id } of [busy, idle]) await shop.purchases.purchase(id, monthly)
    shop.setTime(AFTER)
    await server.database.sql.begin(async (sql) => {
      await sql`select 1 from users where id = ${busy.id} for share`
      await shop.service.expire()
    })
    expect((await readRows(server, idle.id)).periods).toMatchObject([{ status: 'expired' }])
    expect((await readRows(server, busy.id)).periods).toMatchObject([{ status: 'active' }])
    await shop.service.expire()
    expect((await readRows(server, busy.id)).periods).toMatchObject([{ status: 'expired' }])
  })
})

describe('deleting the account', () => {
  it('stops renewal and keeps the payments, with nothing personal but the id', async () => {
    const user = await server.addUser()
    await buy(user, monthly, 'john@example.com')
    const before = await readRows(server, user.id)
    expect((await user.delete('/users/me')).status).toBe(200)
    const { isPremium, periods, payments } = await readRows(server, user.id)
    expect({ isPremium, periods }).toMatchObject({ isPremium: false, periods: [{ status: 'cancelled' }] })
    expect(payments).toEqual(before.payments.map((payment) => ({ ...payment, idempotencyKey: null })))
    expect(JSON.stringify(payments)).not.toContain('john')
  })
})

describe('the payment log', () => {
  it("is the caller's alone, newest first, in pages that nothing falls between", async () => {
    const [user, other] = [await server.addUser(), await server.addUser()]
    await buy(other, monthly)
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.unshift((await buy(user, i % 2 ? yearly : monthly)).body.payment_log.id)
    // Of the same instant, as two instances may store them.
    await server.database.sql`update payment_logs set created_at = '2026-01-01' where user_id = ${user.id}`
    const seen: string[] = []
    let cursor = ''
    for (const expected of [2, 2, 1]) {
      const { body } = await user.get(`/subscriptions/payments?limit=2${cursor}`)
      expect(body.payments).toHaveLength(expected)
      seen.push(...body.payments.map(({ id }: { id: string }) => id))
      expect(body.has_more).toBe(expected === 2)
      cursor = `&cursor=${body.next_cursor}`
    }
    expect(cursor).toBe('&cursor=null')
    expect(seen).toEqual(ids)
  })

  it('refuses faulty pages by the name of the field', async () => {
    const user = await server.addUser()
    const faults = [
      ...['0', '101', 'x', '-1'].map((value) => ({ field: 'limit', value })),
      ...['x', '%00', 'x'.repeat(201), btoa('2026-01-01 x')].map((value) => ({ field: 'cursor', value })),
    ]
    for (const { field, value } of faults) {
      const { status, body } = await user.get(`/subscriptions/payments?${field}=${value}`)
      expect({ value, status, fields: Object.keys(body.details) }).toEqual({ value, status: 400, fields: [field] })
    }
  })
})
