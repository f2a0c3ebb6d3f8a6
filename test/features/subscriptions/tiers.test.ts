import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { createMemoryBus } from '../../../src/bus/memory.ts'
import { loadConfig } from '../../../src/config.ts'
import { users } from '../../../src/db/schema/index.ts'
import { utcDay } from '../../../src/features/subscriptions/days.ts'
import { createTiers } from '../../../src/features/subscriptions/tiers.ts'
import { createLog } from '../../../src/observability/log.ts'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { buy, createShop, monthly, untold } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ RATE_LIMITS: 'on', RATE_LIMIT_API_FREE: '5', RATE_LIMIT_API_PREMIUM: '20' })
})
afterAll(() => server.stop())

const NOON = '2026-01-15T12:00:00.000Z'

/** A period that nobody is told of. */
const addPeriod = (userId: string, endDate: string) =>
  server.database.sql`insert into subscriptions (id, user_id, type, start_date, end_date)
    values (${Bun.randomUUIDv7()}, ${userId}, 'premium_monthly', '2026-01-01', ${endDate})`

describe('what a tier is', () => {
  it('is said by the settings', async () => {
    const bus = createMemoryBus(createLog('error', () => {}))
    const tiers = createTiers({
      db: server.database.db,
      bus,
      profiles: untold,
      settings: loadConfig({}),
      now: () => new Date(NOON),
    })
    const [free, premium] = [await server.addUser(), await server.addUser()]
    await addPeriod(premium.id, '2026-02-15')
    expect(await tiers.tierOf(free.id)).toEqual({
      isPremium: false,
      apiPerMinute: 100,
      uploadsPerHour: 10,
      uploadMaxBytes: 50 * 1024 ** 2,
      groupMembers: 200,
      imageMaxWidth: 500,
      videoMaxHeight: 720,
    })
    expect(await tiers.tierOf(premium.id)).toEqual({
      isPremium: true,
      apiPerMinute: 1000,
      uploadsPerHour: 100,
      uploadMaxBytes: 100 * 1024 ** 2,
      groupMembers: Number.POSITIVE_INFINITY,
      imageMaxWidth: 1280,
      videoMaxHeight: 1080,
    })
  })

  it('is decided by the period, not by the copy on the account', async () => {
    const shop = createShop(server, { at: NOON })
    const { id } = await server.addUser()
    await server.database.sql`update users set is_premium = true where id = ${id}`
    expect((await shop.tiers.tierOf(id)).isPremium).toBe(false)
  })
})

describe('a tier that is remembered', () => {
  it('is so for 30 s', async () => {
    const shop = createShop(server, { at: NOON })
    const { id } = await server.addUser()
    expect((await shop.tiers.tierOf(id)).isPremium).toBe(false)
    await addPeriod(id, '2026-02-15')
    shop.setTime('2026-01-15T12:00:29.999Z')
    expect((await shop.tiers.tierOf(id)).isPremium).toBe(false)
    shop.setTime('2026-01-15T12:00:30.000Z')
    expect((await shop.tiers.tierOf(id)).isPremium).toBe(true)
  })

  it('is recalled meanwhile without a question, and its end is noticed all the same', async () => {
    const shop = createShop(server, { at: NOON })
    const { id } = await server.addUser()
    await addPeriod(id, '2026-01-15')
    expect(shop.tiers.recall(id)).toBeUndefined()
    expect(shop.tiers.recall(id)).toBeUndefined()
    const premium = await shop.tiers.tierOf(id)
    expect(premium.isPremium).toBe(true)
    expect(shop.tiers.recall(id)).toBe(premium)
    shop.setTime('2026-01-15T12:00:30.000Z')
    expect(shop.tiers.recall(id)).toBeUndefined()
    shop.setTime('2026-01-15T23:59:59.000Z')
    await shop.tiers.tierOf(id)
    expect(shop.tiers.recall(id)?.isPremium).toBe(true)
    shop.setTime('2026-01-16T00:00:00.000Z')
    expect(shop.tiers.recall(id)?.isPremium).toBe(false)
    shop.tiers.announceChanged([id])
    expect(shop.tiers.recall(id)).toBeUndefined()
  })

  it('is forgotten when something is bought, even by one who asked a moment before', async () => {
    const shop = createShop(server, { at: NOON })
    const { id } = await server.addUser()
    expect((await shop.tiers.tierOf(id)).isPremium).toBe(false)
    await shop.purchases.purchase(id, monthly)
    expect((await shop.tiers.tierOf(id)).isPremium).toBe(true)

    const other = await server.addUser()
    const asked = shop.tiers.tierOf(other.id)
    shop.tiers.announceChanged([other.id])
    await asked
    await addPeriod(other.id, '2026-02-15')
    expect((await shop.tiers.tierOf(other.id)).isPremium).toBe(true)
  })

  it('is forgotten at once where something changed, however late the bus is', async () => {
    const lateBus = { ...createMemoryBus(createLog('error', () => {})), publish: () => {} }
    const now = () => new Date(NOON)
    const tiers = createTiers({ db: server.database.db, bus: lateBus, profiles: untold, settings: server.config, now })
    const { id } = await server.addUser()
    expect((await tiers.tierOf(id)).isPremium).toBe(false)
    await addPeriod(id, '2026-02-15')
    tiers.announceChanged([id])
    expect((await tiers.tierOf(id)).isPremium).toBe(true)
  })

  it('is forgotten on other instances too', async () => {
    const shop = createShop(server, { at: NOON })
    const elsewhere = createTiers({
      ...{ db: server.database.db, bus: shop.bus, profiles: untold, settings: server.config },
      now: () => new Date(NOON),
    })
    const { id } = await server.addUser()
    expect((await elsewhere.tierOf(id)).isPremium).toBe(false)
    await shop.purchases.purchase(id, monthly)
    expect((await elsewhere.tierOf(id)).isPremium).toBe(true)
  })
})

const statusesOf = async (user: TestUser, times: number): Promise<number[]> => {
  const statuses: number[] = []
  for (let i = 0; i < times; i++) statuses.push((await user.get('/users/me')).status)
  return statuses
}

describe('the limit of requests', () => {
  it('is higher from the purchase on, and beyond it one is told when to come back', async () => {
    const [user, other] = [await server.addUser(), await server.addUser()]
    expect(await statusesOf(user, 4)).toEqual(Array(4).fill(200))
    expect((await buy(user, monthly)).status).toBe(200)
    expect(await statusesOf(user, 20)).toEqual(Array(20).fill(200))
    const { status, headers, body } = await user.get('/users/me')
    expect({ status, error: body.error }).toEqual({ status: 429, error: 'Too many requests' })
    expect(body.details.retry_after).toBeGreaterThan(0)
    expect(headers.get('retry-after')).toBe(String(body.details.retry_after))
    // Who bought nothing has what they had.
    expect(await statusesOf(other, 6)).toEqual([...Array(5).fill(200), 429])
  })

  it('that a purchase met is no way around it', async () => {
    const user = await server.addUser()
    await statusesOf(user, 5)
    expect((await buy(user, monthly)).status).toBe(429)
  })
})

describe('the largest file', () => {
  it('that one may send is told, and grows from the purchase on', async () => {
    const user = await server.addUser()
    const told = async () => (await user.get('/users/me')).body.upload_max_bytes
    expect(await told()).toBe(50 * 1024 ** 2)
    await buy(user, monthly)
    expect(await told()).toBe(100 * 1024 ** 2)
    expect((await user.get(`/users/${user.id}`)).body.upload_max_bytes).toBeUndefined()
  })
})

describe('a group', () => {
  let open: TestServer
  beforeAll(async () => {
    open = await startServer()
  })
  afterAll(() => open.stop())

  async function addIds(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => Bun.randomUUIDv7())
    const rows = ids.map((id, index) => ({ id, phone: `+49${Date.now()}${index}`.slice(0, 20), passwordHash: '!' }))
    await open.database.db.insert(users).values(rows)
    return ids
  }
  const make = (owner: TestUser, member_ids: string[]) =>
    owner.post('/chats', { name: 'Group', type: 'group', member_ids })

  it('of a premium owner passes 200 members; after the lapse all stay, and nobody is added until it is below', async () => {
    const owner = await open.addUser()
    const ids = await addIds(210)
    const full = { status: 409, body: { details: { limit: 200 } } }
    expect(await make(owner, ids.slice(0, 200))).toMatchObject(full)

    await buy(owner, monthly)
    const { status, body: group } = await make(owner, ids.slice(0, 200))
    expect({ status, count: group.member_count }).toEqual({ status: 201, count: 201 })
    const path = `/chats/${group.id}/members`
    const add = (...user_ids: string[]) => owner.post(path, { user_ids })
    expect(await add(...ids.slice(200, 203))).toMatchObject({ status: 200, body: { member_count: 204 } })

    // Cancelling makes the server ask again; then time passes.
    await owner.delete('/subscriptions/me')
    expect(await add(ids[203] ?? '')).toMatchObject({ status: 200, body: { member_count: 205 } })
    await owner.delete('/subscriptions/me')
    const yesterday = utcDay(new Date(Date.now() - 86_400_000))
    await open.database.sql`update subscriptions set end_date = ${yesterday} where user_id = ${owner.id}`

    expect(await add(ids[204] ?? '')).toMatchObject(full)
    expect((await owner.get(`/chats/${group.id}`)).body.member_count).toBe(205)
    for (const id of ids.slice(0, 5)) expect((await owner.delete(`${path}/${id}`)).status).toBe(200)
    expect(await add(ids[204] ?? '')).toMatchObject(full)
    await owner.delete(`${path}/${ids[5]}`)
    expect(await add(...ids.slice(204, 206))).toMatchObject(full)
    expect(await add(ids[204] ?? '')).toMatchObject({ status: 200, body: { member_count: 200 } })
  })

  it('that was handed over is limited by what its new owner has', async () => {
    const [owner, heir] = [await open.addUser(), await open.addUser()]
    const ids = await addIds(201)
    await buy(owner, monthly)
    const { body: group } = await make(owner, [heir.id, ...ids.slice(0, 200)])
    expect(group.member_count).toBe(202)
    expect((await owner.patch(`/chats/${group.id}/members/${heir.id}`, { role: 'owner' })).status).toBe(200)
    expect(await owner.post(`/chats/${group.id}/members`, { user_ids: [ids[200]] })).toMatchObject({
      status: 409,
      body: { details: { limit: 200 } },
    })
    expect((await owner.get(`/chats/${group.id}`)).body.member_count).toBe(202)
  })
})
