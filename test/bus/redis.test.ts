import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Bus } from '../../src/bus/bus.ts'
import { createRedisBus } from '../../src/bus/redis.ts'
import { chatTopic } from '../../src/bus/topics.ts'
import { createLog } from '../../src/observability/log.ts'
import { connectRedis, type Redis } from '../../src/redis/client.ts'
import { type Instance, startInstance, TOPIC } from '../redis/instances.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { startRedisCluster, type TestCluster } from '../support/redis-cluster.ts'
import { until } from '../support/until.ts'
import { type BusWorld, describeBus } from './contract.ts'

const silent = createLog('error', () => {})

let single: TestRedis
let cluster: TestCluster
beforeAll(async () => {
  ;[single, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})
afterAll(() => Promise.all([single.stop(), cluster.stop()]))

/** Every bus has connections of its own, as every instance does. */
async function createWorld(url: string): Promise<BusWorld> {
  const opened: { redis: Redis; bus: Bus }[] = []
  return {
    async connect() {
      const redis = await connectRedis(url, silent)
      const bus = createRedisBus(redis, silent)
      opened.push({ redis, bus })
      return bus
    },
    async close() {
      for (const { redis, bus } of opened) {
        await bus.close()
        await redis.close()
      }
    },
  }
}

describeBus('the bus on one Redis', () => createWorld(single.url))
describeBus('the bus on a cluster of three', () => createWorld(cluster.url))

/** The application's own: neither beats nor what the bus has for itself. */
async function listSubscribed(...servers: TestRedis[]): Promise<string[]> {
  const lists = await Promise.all(servers.map((server) => server.cli('pubsub', 'shardchannels')))
  return lists
    .flatMap((list) => list.split('\n'))
    .filter((channel) => /^(chat|user):/.test(channel))
    .sort()
}

async function withInstances(url: string, run: (a: Instance, b: Instance) => Promise<void>): Promise<void> {
  const [a, b] = await Promise.all([startInstance(url), startInstance(url)])
  try {
    await run(a, b)
  } finally {
    await a.close()
    await b.close()
  }
}

describe('what it asks of Redis', () => {
  it('subscribes to a topic while it is needed, and only then', () =>
    withInstances(single.url, async ({ bus }) => {
      expect(await listSubscribed(single)).toEqual([])
      await Promise.all([bus.subscribe([TOPIC, chatTopic('b')]), bus.subscribe([TOPIC])])
      expect(await listSubscribed(single)).toEqual(['chat:a', 'chat:b'])
      bus.unsubscribe([TOPIC, chatTopic('b')])
      await until(async () => (await listSubscribed(single)).length === 1, 'one is left')
      expect(await listSubscribed(single)).toEqual(['chat:a'])
      bus.unsubscribe([TOPIC])
      await until(async () => (await listSubscribed(single)).length === 0, 'none is left')
    }))

  it('hears nothing of a topic that was given back, and all of one that was taken again at once', () =>
    withInstances(single.url, async (a, b) => {
      await b.bus.subscribe([TOPIC])
      b.bus.unsubscribe([TOPIC])
      a.say('unheard')
      await Bun.sleep(20)
      for (let n = 0; n < 50; n++) {
        await b.bus.subscribe([TOPIC])
        a.say(`${n}`)
        await until(() => b.heard.includes(`${n}`), 'it is heard')
        b.bus.unsubscribe([TOPIC])
        // Now before, now after it was taken back in Redis, too.
        if (n % 10 === 0) await Bun.sleep(90 + n)
      }
      expect(b.heard).toEqual(Array.from({ length: 50 }, (_, n) => `${n}`))
    }))

  it('subscribes to a thousand topics in a few round trips', () =>
    withInstances(single.url, async (_, { bus }) => {
      const topics = Array.from({ length: 1000 }, () => chatTopic(crypto.randomUUID()))
      const before = await countReads(single)
      await bus.subscribe(topics)
      expect((await countReads(single)) - before).toBeLessThan(15)
      expect(await listSubscribed(single)).toEqual([...topics].sort())
    }))

  it('spreads topics over the cluster, and subscribes to a thousand of them in a few round trips', () =>
    withInstances(cluster.url, async (a, b) => {
      const topics = Array.from({ length: 1000 }, () => chatTopic(crypto.randomUUID()))
      const before = await countReads(...cluster.nodes)
      await b.bus.subscribe(topics)
      // Some 12 KB of commands for each node.
      expect((await countReads(...cluster.nodes)) - before).toBeLessThan(60)
      expect(await listSubscribed(...cluster.nodes)).toEqual([...topics].sort())
      for (const node of cluster.nodes) expect((await listSubscribed(node)).length).toBeGreaterThan(200)
      a.bus.publish(topics.map((topic) => ({ topic, kind: 'event', payload: topic })))
      await until(() => b.heard.length === topics.length, 'all are heard')
      expect([...b.heard].sort()).toEqual([...topics].sort())
      b.bus.unsubscribe(topics)
      await until(async () => (await listSubscribed(...cluster.nodes)).length === 0, 'none is left')
    }))

  it('writes a batch at once', () =>
    withInstances(single.url, async (a, b) => {
      await b.bus.subscribe([TOPIC])
      const before = await countReads(single)
      a.bus.publish(Array.from({ length: 100 }, (_, n) => ({ topic: TOPIC, kind: 'event', payload: `${n}` })))
      await until(() => b.heard.length === 100, 'all are heard')
      // Among them those of asking twice, and perhaps a beat.
      expect((await countReads(single)) - before).toBeLessThan(12)
    }))

  it('tells its own listeners in the same turn, once', () =>
    withInstances(single.url, async (a) => {
      await a.bus.subscribe([TOPIC])
      a.say('mine')
      expect(a.heard).toEqual(['mine'])
      await Bun.sleep(50)
      expect(a.heard).toEqual(['mine'])
    }))

  it('takes no notice of what is not from an instance', () =>
    withInstances(single.url, async (a, b) => {
      await b.bus.subscribe([TOPIC])
      for (const nonsense of ['', 'x', '{"type":"new_message"}', `${crypto.randomUUID()}?`]) {
        await single.cli('spublish', TOPIC, nonsense)
      }
      a.say('sense')
      await until(() => b.heard.length > 0, 'it is heard')
      expect(b.heard).toEqual(['sense'])
      expect(b.gaps()).toBe(0)
    }))

  it('leaves nothing behind', async () => {
    await withInstances(single.url, (a) => a.bus.subscribe([TOPIC]))
    await until(async () => (await listClients(single)).length === 0, 'all have gone')
    expect(await single.cli('pubsub', 'shardchannels')).toBe('')
  })
})

/** How often the server has read from a connection. */
async function countReads(...servers: TestRedis[]): Promise<number> {
  const stats = await Promise.all(servers.map((server) => server.cli('info', 'stats')))
  return stats.reduce((sum, text) => sum + Number(/total_reads_processed:(\d+)/.exec(text)?.[1]), 0)
}

async function listClients(server: TestRedis): Promise<string[]> {
  const list = await server.cli('client', 'list')
  return list.split('\n').filter((line) => line.includes('messenger-'))
}
