/** Redis comes, goes, freezes and is emptied under load: it carries hints, and nothing is lost with it. */
import { SyncClient } from '../features/sync/client.ts'
import { startProxy } from '../redis/proxy.ts'
import { request, type TestUser } from '../support/client.ts'
import { startRedis } from '../support/redis.ts'
import { isWithin, noneOf, type Outcome, percentile, type Scenario } from '../support/scenario.ts'
import { startServer, type TestServer } from '../support/server.ts'

interface Talk {
  server: TestServer
  chatId: string
  /** On the first instance, and on the second. */
  ann: TestUser
  ben: TestUser
}

/** Two users in a direct chat, each on another instance. */
async function startTalk(server: TestServer): Promise<Talk> {
  const [first = '', second = ''] = server.instanceUrls
  const [ann, ben] = [(await server.addUser()).at(first), (await server.addUser()).at(second)]
  return { server, ann, ben, chatId: await server.addDm(ann, ben) }
}

/** Both write without pause until it is stopped. @returns the ids of what was acknowledged */
function chatter({ ann, ben, chatId }: Talk) {
  const acknowledged: string[] = []
  const refused: string[] = []
  let isStopping = false
  const write = async (user: TestUser) => {
    while (!isStopping) {
      const { status, body } = await user.post('/messages', { chat_id: chatId, content: 'on and on' })
      if (status === 201) acknowledged.push(body.id)
      else refused.push(`a message was answered ${status}`)
      await Bun.sleep(5)
    }
  }
  const running = Promise.all([write(ann), write(ben)])
  return {
    refused,
    async stop() {
      isStopping = true
      await running
      return acknowledged
    },
  }
}

async function follow(user: TestUser): Promise<SyncClient> {
  const client = new SyncClient(user, { loses: () => false, patienceMs: 2000, pageSize: 100 })
  await client.connect()
  return client
}

/** What a client does not hold of what was acknowledged. */
async function listMissed(clients: readonly SyncClient[], chatId: string, acknowledged: readonly string[]) {
  const missed: string[] = []
  for (const client of clients) {
    await client.settle()
    const ids = new Set([...(client.chats.get(chatId)?.messages.values() ?? [])].map(({ id }) => id))
    missed.push(...acknowledged.filter((id) => !ids.has(id)))
    await client.disconnect()
  }
  return missed
}

/** Until a message of one instance is heard on the other. */
async function untilHeard({ ann, ben, chatId }: Talk): Promise<void> {
  const socket = await ben.socket()
  for (let isHeard = false; !isHeard; ) {
    const { body } = await ann.post('/messages', { chat_id: chatId, content: 'can you hear me?' })
    isHeard = await socket
      .next('new_message', ({ message }) => message.id === body.id, 50)
      .then(
        () => true,
        () => false,
      )
  }
  await socket.close()
}

export const redisKill: Scenario = {
  name: 'redis-kill',
  bar: '0 messages missed after the gaps are filled, instances hear each other again within 2 s',
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const redis = await startRedis()
    const server = await startServer({}, { instances: 2, redis })
    const talk = await startTalk(server)
    const clients = [await follow(talk.ann), await follow(talk.ben)]
    const talking = chatter(talk)
    const recoveries: number[] = []
    for (let round = 0; round < (size === 'long' ? 10 : 3); round++) {
      await Bun.sleep(200)
      await redis.kill()
      await Bun.sleep(300 * (round % 3))
      await redis.start()
      const upAt = performance.now()
      await untilHeard(talk)
      recoveries.push(performance.now() - upAt)
    }
    const acknowledged = await talking.stop()
    await Bun.sleep(300)
    const missed = await listMissed(clients, talk.chatId, acknowledged)
    await server.stop()
    await redis.stop()
    const slowest = Math.max(...recoveries)
    const faults = [...missed.map((id) => `${id} is missed`), ...new Set(talking.refused)]
    return {
      figure: `${missed.length} of ${acknowledged.length} missed, ${talking.refused.length} refused, heard again within ${Math.round(slowest)} ms`,
      isHeld: faults.length === 0 && isWithin(slowest, 2000, size),
      faults: faults.slice(0, 10),
    }
  },
}

export const redisZombie: Scenario = {
  name: 'redis-zombie',
  bar: 'a subscription that is dead while its connection lives is noticed within 15 s, and nothing missed',
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const redis = await startRedis()
    const proxy = await startProxy(redis)
    const server = await startServer({}, { instances: 2, redis: { ...redis, url: proxy.url } })
    const talk = await startTalk(server)
    const clients = [await follow(talk.ann), await follow(talk.ben)]
    await untilHeard(talk)
    const talking = chatter(talk)
    const probe = await talk.ben.socket()
    proxy.swallow('messenger-channels')
    const startedAt = performance.now()
    await probe.next('resync', undefined, 30_000)
    const noticedMs = performance.now() - startedAt
    await untilHeard(talk)
    const acknowledged = await talking.stop()
    await Bun.sleep(300)
    const missed = await listMissed(clients, talk.chatId, acknowledged)
    await probe.close()
    await server.stop()
    await proxy.stop()
    await redis.stop()
    return {
      figure: `noticed after ${(noticedMs / 1000).toFixed(1)} s, ${missed.length} of ${acknowledged.length} missed`,
      isHeld: isWithin(noticedMs, 15_000, size) && missed.length === 0,
    }
  },
}

export const redisFlush: Scenario = {
  name: 'redis-flush',
  bar: '0 sessions, 0 messages, 0 login limits lost',
  withinSeconds: 60,
  async run(size): Promise<Outcome> {
    const redis = await startRedis()
    const server = await startServer(
      {
        RATE_LIMITS: 'on',
        RATE_LIMIT_MESSAGES: '100000',
        RATE_LIMIT_API_FREE: '1000000',
        RATE_LIMIT_ANONYMOUS: '100000',
      },
      { instances: 2, redis },
    )
    const talk = await startTalk(server)
    const clients = [await follow(talk.ann), await follow(talk.ben)]
    const guess = (n: number) =>
      request(`${server.instanceUrls[n % 2]}/api/v1/auth/login`, 'POST', undefined, {
        phone_or_email: '+19998887766',
        password: `Wrong${n}Guess`,
      })
    const judged: number[] = []
    const talking = chatter(talk)
    for (let n = 0; n < (size === 'long' ? 40 : 10); n++) {
      judged.push((await guess(n)).status)
      await redis.cli('flushall')
      await Bun.sleep(50)
    }
    const acknowledged = await talking.stop()
    await Bun.sleep(300)
    const missed = await listMissed(clients, talk.chatId, acknowledged)
    const alive = await Promise.all([talk.ann, talk.ben].map((user) => user.get('/users/me')))
    await server.stop()
    await redis.stop()
    const faults = [
      ...missed.map((id) => `${id} is missed`),
      ...new Set(talking.refused),
      ...alive.filter(({ status }) => status !== 200).map(({ status }) => `a session was answered ${status}`),
      ...(judged.filter((status) => status === 401).length === 5 ? [] : [`guesses were answered ${judged.join(' ')}`]),
    ]
    return noneOf(faults, acknowledged.length, 'messages, sessions or limits lost')
  },
}

export const reconnectStorm: Scenario = {
  name: 'reconnect-storm',
  bar: '500 who come back at once: p99 of opening and sync at most 5 s, no 5xx',
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const server = await startServer()
    const count = size === 'long' ? 500 : 150
    const owner = await server.addUser()
    const users = await Promise.all(Array.from({ length: count }, () => server.addUser()))
    const chatIds: string[] = []
    for (let n = 0; n < count; n += 100) chatIds.push(await server.addGroup(owner, ...users.slice(n, n + 100)))
    for (const chat_id of chatIds)
      for (let n = 0; n < 20; n++) await owner.post('/messages', { chat_id, content: `before ${n}` })
    const times: number[] = []
    const faults: string[] = []
    for (let round = 0; round < (size === 'long' ? 5 : 1); round++) {
      await Promise.all(
        users.map(async (user) => {
          const startedAt = performance.now()
          const socket = await user.socket()
          const { body, status } = await user.post('/sync', { chats: {} })
          times.push(performance.now() - startedAt)
          if (status !== 200 || body.chats.length === 0) faults.push(`sync answered ${status}`)
          await socket.close()
        }),
      )
    }
    await server.stop()
    const p99 = percentile(times, 0.99)
    return {
      figure: `p99 ${Math.round(p99)} ms of ${times.length}, ${faults.length} refused`,
      isHeld: faults.length === 0 && isWithin(p99, 5000, size),
      faults: faults.slice(0, 10),
    }
  },
}
