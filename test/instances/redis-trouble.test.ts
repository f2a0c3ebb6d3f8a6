/** Redis comes and goes under two instances that talk to each other all the time: it carries hints, nothing is lost with it. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { SyncClient } from '../features/sync/client.ts'
import type { Json, TestUser } from '../support/client.ts'
import { startServer } from '../support/server.ts'
import { PATIENCE_MS } from '../support/until.ts'
import { startTwo, type TwoInstances } from './support.ts'

let two: TwoInstances
beforeAll(async () => {
  two = await startTwo()
})
afterAll(() => two.stop())

/** A client as the README describes one, which also syncs when it is told to `resync`. */
const follow = async (user: TestUser) => {
  const client = new SyncClient(user, { loses: () => false, patienceMs: 200, pageSize: 100 })
  await client.connect()
  return client
}

/** Writes without pause until it is stopped. @returns what was acknowledged */
function chatter(user: TestUser, chatId: string) {
  const acknowledged: Json[] = []
  let isStopping = false
  const run = async () => {
    for (let n = 1; !isStopping; n++) {
      const { status, body } = await user.post('/messages', { chat_id: chatId, content: `${user.serverUrl} ${n}` })
      if (status !== 201) throw new Error(`Not sent: ${status} ${JSON.stringify(body)}`)
      acknowledged.push(body)
      await Bun.sleep(5)
    }
  }
  const running = run()
  return {
    acknowledged,
    stop() {
      isStopping = true
      return running
    },
  }
}

describe('Redis', () => {
  it('killed and restarted ten times under load: no message is missed, and everything is heard again', async () => {
    const [ann, ben] = [await two.server.addUser(), await two.server.addUser()]
    const chatId = await two.server.addDm(two.on(ann)[0], ben)
    const [annHere, benThere] = [two.on(ann)[0], two.on(ben)[1]]
    const clients = [await follow(annHere), await follow(benThere)]
    const writers = [chatter(annHere, chatId), chatter(benThere, chatId)]
    const probe = await benThere.socket()
    for (let round = 0; round < 10; round++) {
      await Bun.sleep(100)
      await two.redis.kill()
      await Bun.sleep(200 * (round % 3))
      await two.redis.start()
      // Heard over the bus: a message of the other instance that was sent after Redis was there again.
      for (let isHeard = false; !isHeard; ) {
        const { body } = await annHere.post('/messages', { chat_id: chatId, content: `probe ${round}` })
        isHeard = await probe
          .next('new_message', ({ message }) => message.id === body.id, 50)
          .then(
            () => true,
            () => false,
          )
      }
      await probe.next('resync')
    }
    await Promise.all(writers.map((writer) => writer.stop()))
    await Bun.sleep(300)
    for (const client of clients) await client.settle()
    const sent = writers.flatMap(({ acknowledged }) => acknowledged)
    for (const client of clients) {
      const held = client.chats.get(chatId)
      const ids = new Set([...(held?.messages.values() ?? [])].map(({ id }) => id))
      expect(sent.filter(({ id }) => !ids.has(id))).toEqual([])
      expect([...(held?.messages.keys() ?? [])].sort((a, b) => a - b)).toEqual(
        Array.from({ length: held?.seq ?? 0 }, (_, index) => index + 1),
      )
      await client.disconnect()
    }
    await probe.close()
  }, 60_000)

  it('flushed: sessions, login limits and messages stay, and sockets go on', async () => {
    const [ann, ben] = [await two.server.addUser(), await two.server.addUser()]
    const [annHere, benThere] = [two.on(ann)[0], two.on(ben)[1]]
    const chatId = await two.server.addDm(annHere, ben)
    const socket = await benThere.socket()
    const writer = chatter(annHere, chatId)
    for (let i = 0; i < 5; i++) {
      await two.redis.cli('flushall')
      await Bun.sleep(50)
    }
    await writer.stop()
    for (const { id } of writer.acknowledged) await socket.next('new_message', ({ message }) => message.id === id)
    expect((await annHere.get('/users/me')).status).toBe(200)
    expect((await benThere.get(`/chats/${chatId}/messages?limit=1`)).body.total).toBe(writer.acknowledged.length)
    await socket.close()
  })

  it('away from the start: an instance serves, and works with it as soon as it is there', async () => {
    await two.redis.kill()
    const late = await startServer(
      { REDIS_URL: two.redis.url, DATABASE_URL: String(two.server.config.DATABASE_URL) },
      { instances: 1 },
    )
    const [ann, ben] = [await two.server.addUser(), await two.server.addUser()]
    const chatId = await two.server.addDm(two.on(ann)[0], ben)
    const socket = await ben.at(late.url).socket()
    await ann.at(late.url).post('/messages', { chat_id: chatId, content: 'on one instance' })
    await socket.next('new_message')
    await two.redis.start()
    await socket.next('resync')
    // The other instance may come back a moment later.
    const deadline = Date.now() + PATIENCE_MS
    for (let isHeard = false; !isHeard; ) {
      if (Date.now() > deadline) throw new Error('Nothing is heard across')
      const { body } = await two.on(ann)[1].post('/messages', { chat_id: chatId, content: 'across' })
      isHeard = await socket
        .next('new_message', ({ message }) => message.id === body.id, 200)
        .then(
          () => true,
          () => false,
        )
    }
    await socket.close()
    await late.stop()
  })
})

describe('the limit that protects logins', () => {
  it('survives a flush, and counts over all instances', async () => {
    const limited = await startTwo({ RATE_LIMITS: 'on', RATE_LIMIT_API_FREE: '3', RATE_LIMIT_LOGIN_ACCOUNT: '4' })
    try {
      const user = await limited.server.addUser()
      const attempt = (n: number) => {
        const url = limited.server.instanceUrls[n % 2]
        return fetch(`${url}/api/v1/auth/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ phone_or_email: '+19999999999', password: 'Wrong12345' }),
        })
      }
      for (let n = 0; n < 4; n++) expect((await attempt(n)).status).toBe(401)
      await limited.redis.cli('flushall')
      const refused = await attempt(4)
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60)

      // The limit of requests is shared too, but a flush may reset it.
      const [here, there] = limited.on(user)
      const statuses: number[] = []
      for (const at of [here, there, here, there]) statuses.push((await at.get('/users/me')).status)
      expect(statuses).toEqual([200, 200, 200, 429])
      await limited.redis.cli('flushall')
      expect((await here.get('/users/me')).status).toBe(200)
    } finally {
      await limited.stop()
    }
  })
})
