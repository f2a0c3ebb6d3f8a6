/** Whatever becomes of a replica, no request fails; and the operator is told once. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Json, TestUser } from '../support/client.ts'
import { type ReplicatedServer, startReplicated } from './support.ts'

let world: ReplicatedServer
let ann: TestUser
let chatId: string

beforeAll(async () => {
  world = await startReplicated()
  ann = await world.server.addUser()
  chatId = await world.server.addGroup(ann, await world.server.addUser())
  for (let n = 1; n <= 60; n++) await ann.post('/messages', { chat_id: chatId, content: `message ${n}` })
}, 120_000)
afterAll(() => world.stop(), 60_000)

/** Several who read and write, until `trouble` is over. @returns the answers that were none, and how many were */
async function underLoad(trouble: () => Promise<unknown>) {
  let isOver = false
  let count = 0
  const bad: Json[] = []
  const flow = async (read: () => Promise<{ status: number; body: Json }>) => {
    while (!isOver) {
      const { status, body } = await read()
      count++
      if (status >= 300) bad.push({ status, body })
    }
  }
  const flows = [
    flow(() => ann.get(`/chats/${chatId}/messages?before_seq=50`)),
    flow(() => ann.get(`/chats/${chatId}/messages?after_seq=10`)),
    flow(() => ann.get('/messages/search?q=message')),
    flow(async () => {
      const sent = await ann.post('/messages', { chat_id: chatId, content: 'and one more' })
      const { body } = await ann.get(`/chats/${chatId}/messages?after_seq=${sent.body.seq - 1}`)
      const isThere = body.messages[0]?.id === sent.body.id
      return { status: isThere ? 200 : 500, body }
    }),
  ]
  await trouble()
  isOver = true
  await Promise.all(flows)
  return { bad, count }
}

/** What the log said about the replica meanwhile. */
async function toldDuring(work: () => Promise<unknown>): Promise<string[]> {
  const before = world.told().length
  await work()
  return world.told().slice(before)
}

const NOT_USED = 'A read replica is not used now; the primary answers for it'
const USED = 'A read replica is used'

describe('a replica', () => {
  it('that lags too far is left alone until it has caught up', async () => {
    const told = await toldDuring(async () => {
      const { bad } = await underLoad(async () => {
        await world.replica.pause()
        await world.until(false)
        expect(await world.health()).toEqual({ status: 200, part: 'failing' })
        await world.replica.resume()
        await world.until(true)
      })
      expect(bad).toEqual([])
    })
    expect(told).toEqual([NOT_USED, USED])
    expect(await world.health()).toEqual({ status: 200, part: 'ok' })
  }, 60_000)

  it('that is killed under load is not missed, and is used again when it is back', async () => {
    const answered = await world.reads('answered')
    const told = await toldDuring(async () => {
      const { bad } = await underLoad(async () => {
        await world.replica.kill()
        await world.until(false)
        await Bun.sleep(500)
        await world.replica.start()
        await world.until(true)
        await Bun.sleep(500)
      })
      expect(bad).toEqual([])
    })
    expect(told).toEqual([NOT_USED, USED])
    expect(await world.reads('answered')).toBeGreaterThan(answered)
  }, 60_000)

  it('that hangs keeps nobody waiting for longer than it takes to notice', async () => {
    const [failed, answered] = [await world.reads('failed'), await world.reads('answered')]
    const told = await toldDuring(async () => {
      const { bad, count } = await underLoad(async () => {
        await world.replica.freeze()
        const pages = Array.from({ length: 10 }, () => ann.get(`/chats/${chatId}/messages?before_seq=30`))
        for (const { status } of await Promise.all(pages)) expect(status).toBe(200)
        // It is still frozen; nobody waited until their connection was given up.
        expect(await world.reads('failed')).toBe(failed)
        await world.until(false)
        await world.replica.thaw()
        await world.until(true)
      })
      expect(bad).toEqual([])
      expect(count).toBeGreaterThan(4)
    })
    expect(told).toEqual([NOT_USED, USED])
    for (let n = 0; (await world.reads('answered')) <= answered; n++) {
      expect(n).toBeLessThan(500)
      await ann.get(`/chats/${chatId}/messages?before_seq=30`)
    }
  }, 60_000)

  it('that was promoted is a stranger from that moment', async () => {
    const told = await toldDuring(async () => {
      const { bad } = await underLoad(async () => {
        await world.replica.promote()
        // Somebody writes there, and it looks newer than the primary.
        await world.ask(`update chats set last_seq = 1e9, last_rev = 1e9`)
        await world.ask(`update messages set content = 'written elsewhere'`)
        const { body } = await ann.get(`/chats/${chatId}/messages?before_seq=50`)
        expect(body.messages[0].content).toBe('message 49')
        await world.until(false)
      })
      expect(bad).toEqual([])
    })
    expect(told).toEqual([NOT_USED])
    expect(await world.health()).toEqual({ status: 200, part: 'failing' })
  }, 60_000)
})
