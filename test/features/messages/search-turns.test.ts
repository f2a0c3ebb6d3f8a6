/** Whoever searches a lot waits for themselves, not others for them. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { until } from '../../support/until.ts'
import { type SearchSetup, startSearch } from './search-setup.ts'

let setup: SearchSetup
let ann: string
let ben: string
beforeAll(async () => {
  setup = await startSearch()
  ann = await setup.addUser()
  ben = await setup.addUser()
  for (const user of [ann, ben]) await setup.addChat(user)
})
afterAll(() => setup.stop())

/** Runs `during` while every search hangs in the database. `countHanging` waits for so many, and a while for one more. */
async function whileSearchHangs(during: (countHanging: (atLeast: number) => Promise<number>) => Promise<void>) {
  await setup.sql.begin(async (tx) => {
    await tx`lock table message_search in access exclusive mode`
    const count = async () => {
      const [row] = await tx<{ count: number }[]>`
        select count(*)::int as count from pg_locks
        where relation = 'message_search'::regclass and not granted`
      return row?.count ?? 0
    }
    await during(async (atLeast) => {
      await until(async () => (await count()) >= atLeast, `${atLeast} searches hang`)
      await Bun.sleep(200)
      return count()
    })
  })
}

const results = (searches: readonly Promise<unknown>[]) => Promise.allSettled(searches)

describe('searches of one user', () => {
  it('hold one connection at a time, and do not hold up others', async () => {
    const asked: Promise<unknown>[] = []
    await whileSearchHangs(async (countHanging) => {
      asked.push(...Array.from({ length: 5 }, () => setup.search(ann, { q: 'word' })))
      expect(await countHanging(1)).toBe(1)
      asked.push(setup.search(ben, { q: 'word' }))
      expect(await countHanging(2)).toBe(2)
    })
    expect((await results(asked)).map(({ status }) => status)).toEqual(Array(6).fill('fulfilled'))
  })

  it('go on after one that failed', async () => {
    const refused = setup.search(ann, { q: '!' })
    const answered = setup.search(ann, { q: 'word' })
    expect((await results([refused, answered])).map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })

  it('are refused when too many wait, and answered again afterwards', async () => {
    const asked: Promise<unknown>[] = []
    await whileSearchHangs(async () => {
      asked.push(...Array.from({ length: 20 }, () => setup.search(ann, { q: 'word' })))
      const isTooMuch = { status: 429, details: { retry_after: 1 } }
      await expect(setup.search(ann, { q: 'word' })).rejects.toMatchObject(isTooMuch)
    })
    expect((await results(asked)).every(({ status }) => status === 'fulfilled')).toBe(true)
    expect((await setup.search(ann, { q: 'word' })).results).toEqual([])
  })
})
