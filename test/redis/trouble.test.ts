/** What befalls a single Redis, seen from two instances whose users write to each other. */
import { heapStats } from 'bun:jsc'
import { expect, test } from 'bun:test'
import { chatTopic, type Topic } from '../../src/bus/topics.ts'
import { freePort, startRedis, type TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { type Instance, report, startInstance, TOPIC, untilHeard } from './instances.ts'
import { startProxy } from './proxy.ts'

/** `a` writes, `b` has subscribed. */
async function withInstances(run: (redis: TestRedis, a: Instance, b: Instance) => Promise<void>, gapEveryMs?: number) {
  const redis = await startRedis()
  const [a, b] = await Promise.all([startInstance(redis.url, gapEveryMs), startInstance(redis.url, gapEveryMs)])
  try {
    await b.bus.subscribe([TOPIC])
    await run(redis, a, b)
  } finally {
    await Promise.all([a.close(), b.close()])
    await redis.stop()
  }
}

const isCut = ({ redis }: Instance) => redis.channels.isCut()
const count = ({ lines }: Instance, message: string) => lines.filter((line) => line.includes(message)).length

test.concurrent('is killed and restarted ten times under load: each time all is heard again within two seconds', () =>
  withInstances(async (redis, a, b) => {
    let said = 0
    const stream = setInterval(() => a.say(`stream ${said++}`), 2)
    const times: number[] = []
    for (let round = 1; round <= 10; round++) {
      await Bun.sleep(100)
      await redis.kill()
      await until(() => isCut(a) && isCut(b), 'it is noticed')
      await Bun.sleep(round * 40)
      await redis.start()
      times.push(await untilHeard(a, b))
      await until(() => !isCut(a) && !isCut(b), 'both have all')
      await until(() => b.gaps() >= round, 'the gap is told')
    }
    clearInterval(stream)
    // What was not lost came once, and in order.
    const numbers = b.heard.filter((text) => text.startsWith('stream')).map((text) => Number(text.slice(7)))
    expect(numbers.length).toBeGreaterThan(100)
    expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other))
    for (const instance of [a, b]) {
      expect(count(instance, 'other instances are not heard')).toBe(10)
      expect(count(instance, 'Redis is there again')).toBe(10)
    }
    expect(a.lines.length).toBeLessThan(10 * 5)
    report('heard again after a restart', times)
  }))

test.concurrent('is away: the gap is told again and again, and once when it is back', () =>
  withInstances(async (redis, _, b) => {
    await redis.kill()
    await until(() => b.gaps() >= 3, 'it is told three times')
    await redis.start()
    const before = b.gaps()
    await until(() => !isCut(b), 'all is heard')
    await Bun.sleep(1000)
    expect(b.gaps() - before).toBeLessThanOrEqual(2)
    const after = b.gaps()
    await Bun.sleep(1000)
    expect(b.gaps()).toBe(after)
  }, 400))

test.concurrent('is away when the server starts: it goes on without, and finds it later', async () => {
  const port = freePort()
  const start = performance.now()
  await using cleanup = new AsyncDisposableStack()
  const url = `redis://127.0.0.1:${port}`
  const [a, b] = await Promise.all([startInstance(url), startInstance(url)])
  cleanup.defer(a.close)
  cleanup.defer(b.close)
  expect(performance.now() - start).toBeGreaterThan(4900)
  expect(a.redis.kind()).toBeUndefined()
  expect(a.lines.filter((line) => line.includes('"error"') && line.includes('did not answer')).length).toBe(1)
  await b.bus.subscribe([TOPIC])
  const redis = await startRedis([], port)
  cleanup.defer(redis.stop)
  await untilHeard(a, b)
  expect(a.redis.kind()).toBe('single')
  await until(() => b.gaps() === 1, 'the gap is told')
})

test.concurrent('is frozen: commands give up after a second, and all is heard again after it thaws', () =>
  withInstances(async (redis, a, b) => {
    redis.freeze()
    const noticed = await until(() => isCut(a) && isCut(b), 'it is noticed')
    // Whoever opens a socket now waits for a moment at most.
    await b.bus.subscribe(['chat:other'])
    await Bun.sleep(1500)
    const gaps = b.gaps()
    redis.thaw()
    const back = await untilHeard(a, b)
    await until(() => b.gaps() > gaps, 'the gap is told')
    await until(async () => (await redis.cli('pubsub', 'shardnumsub', 'chat:other')).endsWith('1'), 'all is subscribed')
    report('noticed that it is frozen, idle', [noticed])
    report('heard again after a thaw', [back])
  }))

test.concurrent('is flushed: nobody notices', () =>
  withInstances(async (redis, a, b) => {
    await redis.cli('flushall')
    await redis.cli('script', 'flush')
    await untilHeard(a, b)
    expect(isCut(b)).toBe(false)
    expect(b.gaps()).toBe(0)
  }))

test.concurrent('kills connections: each is made anew, with its subscriptions', () =>
  withInstances(async (redis, a, b) => {
    const times: number[] = []
    for (const name of ['messenger-channels', 'messenger-commands', 'messenger-channels']) {
      const gaps = b.gaps()
      for (const id of await listIds(redis, name)) await redis.cli('client', 'kill', 'id', id)
      await until(() => b.gaps() > gaps, 'the gap is told')
      times.push(await untilHeard(a, b))
    }
    report('heard again after CLIENT KILL', times)
  }))

test.concurrent('kills connections while topics come and go: in the end exactly the wanted ones are subscribed', () =>
  withInstances(async (redis, a, b) => {
    const topics = Array.from({ length: 300 }, (_, n) => chatTopic(`churn:${n}`))
    const held = new Map<Topic, number>()
    const isHeld = (topic: Topic) => (held.get(topic) ?? 0) > 0
    const turns = Array.from({ length: 400 }, async (_, turn) => {
      await Bun.sleep(turn * 5)
      const some = topics.filter(() => Math.random() < 0.1)
      b.bus.subscribe(some)
      for (const topic of some) held.set(topic, (held.get(topic) ?? 0) + 1)
      const left = topics.filter((topic) => isHeld(topic) && Math.random() < 0.1)
      b.bus.unsubscribe(left)
      for (const topic of left) held.set(topic, (held.get(topic) ?? 0) - 1)
      if (turn % 25 === 0) await redis.cli('client', 'kill', 'type', turn % 2 ? 'normal' : 'pubsub')
    })
    await Promise.all(turns)
    await until(() => !isCut(a) && !isCut(b), 'both have all')
    await b.bus.subscribe([TOPIC])
    const wanted = topics.filter(isHeld).sort()
    const listed = async () =>
      (await redis.cli('pubsub', 'shardchannels', 'chat:churn:*')).split('\n').filter(Boolean).sort()
    await until(async () => (await listed()).length === wanted.length, 'the last ones are taken back')
    expect(await listed()).toEqual(wanted)
    b.heard.length = 0
    a.bus.publish(topics.map((topic) => ({ topic, kind: 'event', payload: topic })))
    await until(() => b.heard.length === wanted.length, 'those are heard')
    expect([...b.heard].sort()).toEqual(wanted)
  }))

test.concurrent('a subscription is dead though its connection is up: found out, and made anew', async () => {
  await using cleanup = new AsyncDisposableStack()
  const redis = await startRedis()
  cleanup.defer(redis.stop)
  const proxy = await startProxy(redis)
  cleanup.defer(proxy.stop)
  const [a, b] = await Promise.all([startInstance(redis.url), startInstance(proxy.url)])
  cleanup.defer(a.close)
  cleanup.defer(b.close)
  await b.bus.subscribe([TOPIC])
  await untilHeard(a, b)
  proxy.swallow('messenger-channels')
  a.say('lost')
  const noticed = await until(() => isCut(b), 'it is noticed')
  expect(b.heard).not.toContain('lost')
  const back = await untilHeard(a, b)
  await until(() => b.gaps() === 1, 'the gap is told')
  expect(isCut(a)).toBe(false)
  report('noticed a dead subscription', [noticed])
  report('heard again after that', [back])

  // One that asks for more finds out sooner.
  proxy.swallow('messenger-channels')
  await b.bus.subscribe(['chat:other'])
  await untilHeard(a, b)
  expect(await redis.cli('pubsub', 'shardnumsub', 'chat:other')).toEndWith('1')
})

test.concurrent('one instance cannot publish: the others learn that they missed something', async () => {
  await using cleanup = new AsyncDisposableStack()
  const redis = await startRedis()
  cleanup.defer(redis.stop)
  const proxy = await startProxy(redis)
  cleanup.defer(proxy.stop)
  const [a, b] = await Promise.all([startInstance(proxy.url), startInstance(redis.url)])
  cleanup.defer(a.close)
  cleanup.defer(b.close)
  await b.bus.subscribe([TOPIC])
  proxy.swallow('messenger-commands')
  a.say('perhaps lost')
  const noticed = await until(() => isCut(a), 'it is noticed')
  await until(() => b.gaps() === 1, 'the other one is told')
  await Bun.sleep(1500)
  expect(b.gaps()).toBe(1)
  expect(isCut(b)).toBe(false)
  await untilHeard(a, b)
  report('noticed that commands are not answered', [noticed])
})

// Alone, for what it measures.
test('is frozen, then gone: own listeners are told at once, nothing piles up, and subscribing waits for nobody', () =>
  withInstances(async (redis, a) => {
    const heap = () => {
      Bun.gc(true)
      return heapStats().heapSize
    }
    const flood = async (): Promise<void> => {
      for (let n = 0; n < 50_000; n++) {
        a.say(`${n}${'x'.repeat(2000)}`)
        if (n % 1000 === 0) await Bun.sleep(0)
      }
      expect(a.heard.length).toBe(50_000)
      a.heard.length = 0
    }
    const before = heap()
    redis.freeze()
    await flood()
    await until(() => isCut(a), 'it is noticed')
    await redis.kill()
    await flood()
    expect(heap() - before).toBeLessThan(10 * 1024 * 1024)
    await a.bus.subscribe([TOPIC])
    expect(a.lines.filter((line) => line.includes('do not reach')).length).toBe(1)
  }))

async function listIds(redis: TestRedis, name: string): Promise<string[]> {
  const lines = (await redis.cli('client', 'list')).split('\n').filter((line) => line.includes(`name=${name}`))
  return lines.flatMap((line) => /^id=(\d+)/.exec(line)?.[1] ?? [])
}
