import { afterAll, beforeAll, expect, it } from 'bun:test'
import { chatTopic } from '../../src/bus/topics.ts'
import { createLog } from '../../src/observability/log.ts'
import { connectRedis, defineScript, RedisRefused } from '../../src/redis/client.ts'
import { slotOf } from '../../src/redis/slots.ts'
import type { TestRedis } from '../support/redis.ts'
import { startRedisCluster, type TestCluster } from '../support/redis-cluster.ts'
import { until } from '../support/until.ts'
import { type Instance, report, startInstance } from './instances.ts'

let cluster: TestCluster
let a: Instance
let b: Instance
beforeAll(async () => {
  cluster = await startRedisCluster()
  // One node is enough to find the others.
  const [first, second] = cluster.nodes
  ;[a, b] = await Promise.all([startInstance(first?.url ?? ''), startInstance(second?.url ?? '')])
})
afterAll(async () => {
  await Promise.all([a.close(), b.close()])
  await cluster.stop()
})

const isCut = ({ redis }: Instance) => redis.channels.isCut()
const topics = Array.from({ length: 100 }, (_, n) => chatTopic(`c${n}`))

/** @returns the milliseconds until what `a` says on each of the topics now is heard by `b` */
async function untilAllHeard(): Promise<number> {
  const mark = crypto.randomUUID()
  return until(() => {
    a.bus.publish(topics.map((topic) => ({ topic, kind: 'event', payload: `${mark} ${topic}` })))
    return new Set(b.heard.filter((text) => text.startsWith(mark))).size === topics.length
  }, 'every topic is heard')
}

async function listBeats(node: TestRedis): Promise<string[]> {
  return (await node.cli('pubsub', 'shardchannels', 'beat:*')).split('\n').filter((channel) => channel !== '')
}

it('counts slots as Redis does', async () => {
  const keys = [
    '',
    'a',
    '123456789',
    'ünï 😀',
    '{user}.x',
    'x{user}y',
    '{}x',
    '{}{user}',
    '{{a}}',
    'a}b{c}',
    '{a',
    'a}',
  ]
  const keyslots = await Promise.all(keys.map((key) => a.redis.send(key, ['CLUSTER', 'KEYSLOT', key])))
  expect(keys.map(slotOf)).toEqual(keyslots.map(Number))
})

it('has no databases: a URL with one is refused at the start', async () => {
  const lines: string[] = []
  const log = createLog('debug', (line) => lines.push(line))
  const error = await connectRedis(`${cluster.nodes[0]?.url}/1`, log).catch((e) => e)
  expect(error).toBeInstanceOf(RedisRefused)
  expect(error.message).toContain('SELECT')
})

it('sends every command to the node that has its key', async () => {
  expect(a.redis.kind()).toBe('cluster')
  expect(a.redis.isReady()).toBe(true)
  const keys = Array.from({ length: 200 }, (_, n) => `key:${n}`)
  await Promise.all(keys.map((key) => a.redis.send(key, ['SET', key, key])))
  expect(await Promise.all(keys.map((key) => b.redis.send(key, ['GET', key])))).toEqual(keys)
  const sizes = await Promise.all(cluster.nodes.map((node) => node.cli('dbsize')))
  for (const size of sizes) expect(Number(size)).toBeGreaterThan(20)
  const length = defineScript("return #redis.call('GET', KEYS[1])")
  expect(await Promise.all(keys.map((key) => a.redis.runScript(length, key, [])))).toEqual(keys.map((k) => k.length))
})

it('proves the subscriptions of every node alive', async () => {
  // Of each instance, in a slot of the node itself.
  for (const node of cluster.nodes) expect((await listBeats(node)).length).toBe(2)
})

it('loses a node and gets it back: its topics are heard again, the others all the time', async () => {
  await b.bus.subscribe(topics)
  await untilAllHeard()
  const gaps = b.gaps()
  const [, , third] = cluster.nodes
  await third?.kill()
  await until(() => isCut(a) && isCut(b), 'it is noticed')
  expect(a.redis.isReady()).toBe(false)
  // The cluster notices, too, and takes no more commands; topics are heard all the same.
  const [first] = cluster.nodes
  await until(async () => (await first?.cli('cluster', 'info'))?.includes('cluster_state:fail'), 'the cluster is down')
  await b.bus.subscribe(topics.map((topic) => chatTopic(`${topic}:new`)))
  b.heard.length = 0
  a.bus.publish(topics.map((topic) => ({ topic, kind: 'event', payload: 'meanwhile' })))
  await until(() => b.heard.length > 40, 'those of the other nodes are heard')
  expect(b.heard.length).toBeLessThan(topics.length)

  await third?.start()
  const back = await untilAllHeard()
  await until(() => b.gaps() > gaps, 'the gap is told')
  await until(async () => (await first?.cli('cluster', 'info'))?.includes('cluster_state:ok'), 'commands are answered')
  expect(a.redis.isReady()).toBe(true)
  for (const node of cluster.nodes) expect((await listBeats(node)).length).toBe(2)
  b.bus.unsubscribe(topics.map((topic) => chatTopic(`${topic}:new`)))
  report('all heard again after the restart of a node', [back])
})

it('loses all nodes and gets them back', async () => {
  await Promise.all(cluster.nodes.map((node) => node.kill()))
  await until(() => isCut(a) && isCut(b), 'it is noticed')
  await Bun.sleep(500)
  await Promise.all(cluster.nodes.map((node) => node.start()))
  await until(async () => {
    const infos = await Promise.all(cluster.nodes.map((node) => node.cli('cluster', 'info')))
    return infos.every((info) => info.includes('cluster_state:ok'))
  }, 'the cluster has found itself')
  const back = await untilAllHeard()
  await until(() => !isCut(a) && !isCut(b), 'both have all')
  report('all heard again after the restart of all nodes', [back])
})

it('follows a slot that moves, with its keys and its topics', async () => {
  const [topic = chatTopic('c0')] = topics
  const slot = slotOf(topic)
  const owner = await ownerOf(slot)
  const [target] = cluster.nodes.filter((node) => node !== owner)
  const targetId = (await target?.cli('cluster', 'myid')) ?? ''
  const ownerId = (await owner?.cli('cluster', 'myid')) ?? ''
  await target?.cli('cluster', 'setslot', `${slot}`, 'importing', ownerId)
  await owner?.cli('cluster', 'setslot', `${slot}`, 'migrating', targetId)
  // On its way a key that is not there any more is asked for at the other node.
  const early = `{${topic}}:early`
  const sent = Array.from({ length: 20 }, () => a.redis.send(early, ['INCR', early]))
  expect(await Promise.all(sent)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
  await untilAllHeard()

  for (const node of [target, owner, ...cluster.nodes]) {
    await node?.cli('cluster', 'setslot', `${slot}`, 'node', targetId)
  }
  // A key of the same slot: the first commands are redirected.
  const key = `{${topic}}`
  expect(await a.redis.send(key, ['SET', key, 'here'])).toBe('OK')
  expect(await target?.cli('get', key)).toBe('here')
  const moved = await untilAllHeard()
  await until(
    async () => (await target?.cli('pubsub', 'shardchannels', topic)) === topic,
    'it is subscribed on the new node',
  )
  expect(await b.redis.send(key, ['GET', key])).toBe('here')
  expect(await b.redis.send(early, ['GET', early])).toBe('20')
  report('all heard again after a slot moved', [moved])
})

async function ownerOf(slot: number): Promise<TestRedis | undefined> {
  for (const node of cluster.nodes) {
    const port = await node.cli('cluster', 'nodes')
    const own = port.split('\n').find((line) => line.includes('myself')) ?? ''
    const ranges = own
      .split(' ')
      .slice(8)
      .map((range) => range.split('-').map(Number))
    if (ranges.some(([from = -1, to = from]) => from <= slot && slot <= to)) return node
  }
  return undefined
}

it('follows a replica that takes over', async () => {
  const [first, master] = cluster.nodes
  const replica = await cluster.addReplicaOf(1)
  await master?.kill()
  const failover = await until(
    async () =>
      (await first?.cli('cluster', 'nodes'))
        ?.split('\n')
        .some((line) => line.includes(`:${replica.port}@`) && line.includes('master')),
    'the replica has taken over',
  )
  const back = await untilAllHeard()
  await until(() => !isCut(a) && !isCut(b), 'both have all')
  expect(a.redis.isReady()).toBe(true)
  expect(await listBeats(replica)).toHaveLength(2)
  report('a replica took over after', [failover])
  report('all heard again after that', [back])
})

it('leaves nothing behind', async () => {
  await Promise.all([a.close(), b.close()])
  for (const node of cluster.nodes.filter((_, index) => index !== 1)) {
    await until(async () => !(await node.cli('client', 'list')).includes('messenger-'), 'all have gone')
    expect(await node.cli('pubsub', 'shardchannels')).toBe('')
  }
})
