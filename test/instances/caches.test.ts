/** What one instance changes, the other shows at once, whatever either has kept and whatever becomes of Redis. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { readWhileChanging } from '../features/messages/recent-support.ts'
import { buy, monthly } from '../features/subscriptions/support.ts'
import type { Json, TestUser } from '../support/client.ts'
import { PASSWORD } from '../support/server.ts'
import { until } from '../support/until.ts'
import { startTwo, type TwoInstances } from './support.ts'

let two: TwoInstances
beforeAll(async () => {
  two = await startTwo()
})
afterAll(() => two.stop())

const addPair = async (): Promise<[TestUser, TestUser]> => [await two.server.addUser(), await two.server.addUser()]
const profileOf = async (viewer: TestUser, { id }: TestUser): Promise<Json> => (await viewer.get(`/users/${id}`)).body
/** As both instances show it. */
const seenBy = (viewer: TestUser, user: TestUser): Promise<Json[]> =>
  Promise.all(two.on(viewer).map((at) => profileOf(at, user)))
const setBio = async (user: TestUser, bio: string) => expect((await user.patch('/users/me', { bio })).status).toBe(200)

/** Whether Redis keeps what `read` reads. More than one try: what is kept is forgotten when last_seen is written. */
async function isKept(key: string, read: () => Promise<unknown>): Promise<boolean> {
  for (let tries = 0; tries < 5; tries++) {
    await read()
    if ((await two.redis.cli('get', key)).startsWith('=')) return true
  }
  return false
}

/** Changes a profile on both instances in turns; whoever reads it meanwhile never finds an older one. @returns how often they read */
async function readWhileWriting(user: TestUser, readers: readonly (() => Promise<Json>)[]): Promise<number> {
  let written = 0
  let isOver = false
  let reads = 0
  const write = async () => {
    for (let n = 1; n <= 60; n++) {
      await setBio(two.on(user)[n % 2] as TestUser, `${n}`)
      written = n
    }
    isOver = true
  }
  const readOn = async (read: () => Promise<Json>) => {
    while (!isOver) {
      const atLeast = written
      expect(Number((await read()).bio ?? 0)).toBeGreaterThanOrEqual(atLeast)
      reads++
    }
  }
  await Promise.all([write(), ...readers.map(readOn)])
  return reads
}

describe('a profile', () => {
  it('that was changed on one instance is shown by the other', async () => {
    const [ann, ben] = await addPair()
    for (let n = 0; n < 20; n++) {
      expect(await isKept(`user:profile:${ann.id}`, () => seenBy(ben, ann))).toBe(true)
      await setBio(two.on(ann)[n % 2] as TestUser, `${n}`)
      expect(await seenBy(ben, ann)).toMatchObject([{ bio: `${n}` }, { bio: `${n}` }])
    }
  })

  it('is never older than the last answered change, while both instances read and write it', async () => {
    const [ann, ben] = await addPair()
    expect(
      await readWhileWriting(
        ann,
        two.on(ben).map((at) => () => profileOf(at, ann)),
      ),
    ).toBeGreaterThan(60)
  })

  it('shows when premium was bought, and that the account was deleted', async () => {
    const [ann, ben] = await addPair()
    expect(await seenBy(ben, ann)).toMatchObject([{ is_premium: false }, { is_premium: false }])
    expect((await buy(two.on(ann)[0], monthly)).status).toBeLessThan(300)
    expect(await seenBy(ben, ann)).toMatchObject([{ is_premium: true }, { is_premium: true }])
    expect((await two.on(ann)[1].call('DELETE', '/users/me', { password: PASSWORD })).status).toBeLessThan(300)
    const gone = { is_deleted: true, username: null, is_premium: false, last_seen: null }
    expect(await seenBy(ben, ann)).toMatchObject([gone, gone])
  })

  it('conceals at once from whoever is blocked, and shows again', async () => {
    const [ann, ben] = await addPair()
    const carl = await two.server.addUser()
    await two.server.database.sql`update users set last_seen_at = now() where id = ${ann.id}`
    const isShown = async (viewer: TestUser) => (await seenBy(viewer, ann)).map(({ last_seen }) => last_seen !== null)
    for (let n = 0; n < 5; n++) {
      expect(await isShown(ben)).toEqual([true, true])
      expect((await two.on(ann)[0].post(`/users/${ben.id}/block`)).status).toBeLessThan(300)
      expect(await isShown(ben)).toEqual([false, false])
      expect(await isShown(carl)).toEqual([true, true])
      expect((await two.on(ann)[1].delete(`/users/${ben.id}/block`)).status).toBeLessThan(300)
    }
    expect(await isShown(ben)).toEqual([true, true])
  })

  it('is right while Redis is flushed, killed and back again', async () => {
    const [ann, ben] = await addPair()
    const [first, second] = two.on(ann)
    await setBio(first, 'kept')
    await seenBy(ben, ann)
    await two.redis.cli('flushall')
    expect(await seenBy(ben, ann)).toMatchObject([{ bio: 'kept' }, { bio: 'kept' }])
    await two.redis.kill()
    await setBio(second, 'while it was away')
    expect(await seenBy(ben, ann)).toMatchObject([{ bio: 'while it was away' }, { bio: 'while it was away' }])
    await two.redis.start()
    for (let n = 0; n < 20; n++) {
      await setBio(two.on(ann)[n % 2] as TestUser, `back ${n}`)
      expect(await seenBy(ben, ann)).toMatchObject([{ bio: `back ${n}` }, { bio: `back ${n}` }])
      await Bun.sleep(50)
    }
    expect(await isKept(`user:profile:${ann.id}`, () => seenBy(ben, ann))).toBe(true)
  })
})

describe('my own profile', () => {
  const keyOf = ({ id }: TestUser) => `user:own_profile:${id}`
  const mine = async (at: TestUser): Promise<Json> => (await at.get('/users/me')).body
  /** As both instances show it to its owner. */
  const shown = (user: TestUser): Promise<Json[]> => Promise.all(two.on(user).map(mine))

  it('that I changed on one instance is shown by the other', async () => {
    const [ann] = await addPair()
    for (let n = 0; n < 20; n++) {
      expect(await isKept(keyOf(ann), () => shown(ann))).toBe(true)
      await setBio(two.on(ann)[n % 2] as TestUser, `${n}`)
      expect(await shown(ann)).toMatchObject([{ bio: `${n}` }, { bio: `${n}` }])
    }
  })

  it('is never older than my last answered change, while both instances read and write it', async () => {
    const [ann] = await addPair()
    expect(
      await readWhileWriting(
        ann,
        two.on(ann).map((at) => () => mine(at)),
      ),
    ).toBeGreaterThan(20)
  })

  it('shows when premium was bought and when I was last here', async () => {
    const [ann] = await addPair()
    expect(await shown(ann)).toMatchObject([{ is_premium: false }, { is_premium: false }])
    expect((await buy(two.on(ann)[0], monthly)).status).toBeLessThan(300)
    expect(await shown(ann)).toMatchObject([{ is_premium: true }, { is_premium: true }])
    // Written some seconds after I was here.
    await until(async () => (await shown(ann)).every(({ last_seen }) => last_seen !== null))
  })

  it('opens nothing: kept or not, a session that ended and a deleted account are refused', async () => {
    const [ann, ben] = await addPair()
    expect(await isKept(keyOf(ann), () => shown(ann))).toBe(true)
    const kept = await two.redis.cli('get', keyOf(ann))
    expect((await two.on(ann)[0].post('/auth/logout')).status).toBe(200)
    await until(async () => (await two.on(ann)[1].get('/users/me')).status === 401)
    expect((await two.on(ann)[0].get('/users/me')).status).toBe(401)
    await two.redis.cli('set', keyOf(ann), kept, 'px', '60000')
    for (const at of two.on(ann)) expect((await at.get('/users/me')).status).toBe(401)

    expect(await isKept(keyOf(ben), () => shown(ben))).toBe(true)
    expect((await two.on(ben)[1].call('DELETE', '/users/me', { password: PASSWORD })).status).toBe(200)
    expect(await two.redis.cli('get', keyOf(ben))).not.toContain(ben.id)
    for (const at of two.on(ben)) expect([401, 404]).toContain((await at.get('/users/me')).status)
  })
})

describe('the look-up of a direct chat', () => {
  const keyOf = (one: TestUser, other: TestUser) => `chat:dm:${[one.id, other.id].sort().join(':')}`
  const open = (user: TestUser, peer: TestUser) => user.get(`/chats/dm/${peer.id}`)

  it('keeps the id for both instances and both users', async () => {
    const [ann, ben] = await addPair()
    const made = await open(two.on(ann)[0], ben)
    expect(made.status).toBe(201)
    for (const at of two.on(ann)) expect(await open(at, ben)).toMatchObject({ status: 200, body: { id: made.body.id } })
    expect(await isKept(keyOf(ann, ben), () => open(ann, ben))).toBe(true)
    for (const at of two.on(ben)) expect(await open(at, ann)).toMatchObject({ status: 200, body: { id: made.body.id } })
  })

  it('believes no id that leads elsewhere', async () => {
    const [ann, ben] = await addPair()
    const [carl, dora] = await addPair()
    const strange = await two.server.addDm(carl, dora)
    const own = await two.server.addDm(ann, carl)
    const made = await two.server.addDm(ann, ben)
    for (const id of [strange, own, Bun.randomUUIDv7()]) {
      await two.redis.cli('set', keyOf(ann, ben), `=${id}`, 'px', '60000')
      expect(await open(two.on(ann)[1], ben)).toMatchObject({ status: 200, body: { id: made } })
      await two.redis.cli('set', keyOf(ben, carl), `=${id}`, 'px', '60000')
    }
    expect((await open(two.on(ben)[0], carl)).status).toBe(201)
  })
})

describe('the newest messages of a group', () => {
  it('are never older than what was acknowledged, also while Redis is flushed', async () => {
    const [ann, ben] = await addPair()
    const chatId = await two.server.addGroup(two.on(ann)[0], ben)
    const { reads, faults } = await readWhileChanging({
      chatId,
      writers: two.on(ann),
      readers: [...two.on(ann), ...two.on(ben)],
      disturb: async () => void (await two.redis.cli('flushall')),
    })
    expect(faults).toEqual([])
    expect(reads).toBeGreaterThan(50)
    const readBoth = () => Promise.all(two.on(ben).map((at) => at.get(`/chats/${chatId}/messages`)))
    const shown = await readBoth()
    expect(shown[0]?.body).toEqual(shown[1]?.body)
    expect(await isKept(`chat:recent:${chatId}`, readBoth)).toBe(true)
  })
})
