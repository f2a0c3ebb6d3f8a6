import { expect, test } from 'bun:test'
import { createLog } from '../../src/observability/log.ts'
import { connectRedis, defineScript, RedisAway, RedisRefused } from '../../src/redis/client.ts'
import { freePort, startRedis, type TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { startProxy } from './proxy.ts'

const silent = createLog('error', () => {})
const append = defineScript("return {redis.call('APPEND', KEYS[1], ARGV[1]), redis.call('GET', KEYS[1])}")

async function withRedis(run: (server: TestRedis) => Promise<void>, options: readonly string[] = []): Promise<void> {
  const server = await startRedis(options)
  try {
    await run(server)
  } finally {
    await server.stop()
  }
}

/** @returns what it was rejected with */
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: Error) => error,
  )

async function listNames(server: TestRedis): Promise<string[]> {
  const list = await server.cli('client', 'list')
  return [...list.matchAll(/name=(messenger-\w+)/g)].map(([, name = '']) => name).sort()
}

test.concurrent('finds out what Redis is, and answers in plain values', () =>
  withRedis(async ({ url }) => {
    const redis = await connectRedis(url, silent)
    expect(redis.kind()).toBe('single')
    expect(redis.isReady()).toBe(true)
    expect(await redis.send('k', ['SET', 'k', 'ünï 😀'])).toBe('OK')
    expect(await redis.send('k', ['GET', 'k'])).toBe('ünï 😀')
    expect(await redis.send('n', ['INCR', 'n'])).toBe(1)
    expect(await redis.send('none', ['GET', 'none'])).toBe(null)
    expect(await redis.send('h', ['HSET', 'h', 'a', '1'])).toBe(1)
    expect(await redis.send('h', ['HGETALL', 'h'])).toEqual(['a', '1'])
    expect(await failure(redis.send('h', ['INCR', 'h']))).toMatchObject({
      message: expect.stringContaining('WRONGTYPE'),
    })
    await redis.close()
  }))

test.concurrent('uses the database of the URL', () =>
  withRedis(async ({ url, cli }) => {
    const redis = await connectRedis(`${url}/3`, silent)
    await redis.send('k', ['SET', 'k', 'v'])
    expect(await cli('-n', '3', 'get', 'k')).toBe('v')
    await redis.close()
  }))

test.concurrent('refuses several URLs that are not of a cluster: instances could end up with different ones', () =>
  withRedis(async ({ url }) => {
    const error = await failure(connectRedis(`redis://127.0.0.1:${freePort()}, ${url}`, silent))
    expect(error).toBeInstanceOf(RedisRefused)
    expect(error?.message).toContain('not in a cluster')
  }))

test.concurrent('runs a script that the server knows, has forgotten, or has lost in a restart', () =>
  withRedis(async ({ url, cli, kill, start }) => {
    const redis = await connectRedis(url, silent)
    expect(await redis.runScript(append, 'k', ['a'])).toEqual([1, 'a'])
    expect(await redis.runScript(append, 'k', ['b'])).toEqual([2, 'ab'])
    await cli('script', 'flush')
    const both = [redis.runScript(append, 'k', ['c']), redis.runScript(append, 'k', ['d'])]
    expect(await Promise.all(both)).toEqual([
      [3, 'abc'],
      [4, 'abcd'],
    ])
    await kill()
    await start()
    await until(redis.isReady, 'it is there again')
    expect(await redis.runScript(append, 'k', ['e'])).toEqual([1, 'e'])
    await redis.close()
  }))

test.concurrent('refuses at once while Redis is away, and tells when it is there again', () =>
  withRedis(async ({ url, kill, start }) => {
    const lines: string[] = []
    const redis = await connectRedis(
      url,
      createLog('debug', (line) => lines.push(line)),
    )
    let readied = 0
    redis.onReady(() => readied++)
    await Bun.sleep(20)
    expect(readied).toBe(0)
    await kill()
    await until(() => !redis.isReady(), 'it is noticed')
    for (let n = 0; n < 100; n++) expect(await failure(redis.send('k', ['GET', 'k']))).toBeInstanceOf(RedisAway)
    await start()
    await until(redis.isReady, 'it is there again')
    expect(readied).toBe(1)
    expect(await redis.send('k', ['GET', 'k'])).toBe(null)
    await until(() => lines.length === 2, 'it is logged')
    expect(lines[0]).toContain('Redis is away')
    expect(lines[1]).toContain('Redis is there again')
    await redis.close()
  }))

test.concurrent('gives up a command after a second without an answer, and those behind it', () =>
  withRedis(async (server) => {
    const proxy = await startProxy(server)
    const redis = await connectRedis(proxy.url, silent)
    proxy.swallow('messenger-commands')
    const asked = performance.now()
    const first = failure(redis.send('k', ['GET', 'k']))
    const second = Bun.sleep(500).then(() => failure(redis.send('k', ['GET', 'k'])))
    expect(await first).toBeInstanceOf(RedisAway)
    expect(performance.now() - asked).toBeGreaterThan(900)
    expect(await second).toBeInstanceOf(RedisAway)
    await until(redis.isReady, 'it has a new connection')
    expect(await redis.send('k', ['PING'])).toBe('PONG')
    await redis.close()
    await proxy.stop()
  }))

test.concurrent('keeps a bounded number of commands while Redis does not answer', () =>
  withRedis(async ({ url, freeze, thaw }) => {
    const redis = await connectRedis(url, silent)
    freeze()
    const all = Array.from({ length: 25_000 }, () => failure(redis.send('k', ['GET', 'k'])))
    // Those beyond are refused at once, those before them when they are overdue.
    expect(await Promise.race([all[0]?.then(() => 'first'), all.at(-1)?.then(() => 'last')])).toBe('last')
    for (const error of await Promise.all(all)) if (!(error instanceof RedisAway)) throw error
    thaw()
    await redis.close()
  }))

// Alone: it holds up this whole process.
test('blames nobody for having been held up itself', () =>
  withRedis(async ({ url }) => {
    const redis = await connectRedis(url, silent)
    const answers = [redis.send('k', ['PING']), redis.send('k', ['PING'])]
    await Bun.sleep(0)
    Bun.sleepSync(1600)
    expect(await Promise.all(answers)).toEqual(['PONG', 'PONG'])
    expect(redis.isReady()).toBe(true)
    await redis.close()
  }))

test.concurrent('does not start with a wrong password, and says so without it', () =>
  withRedis(
    async ({ port }) => {
      for (const [credentials, why] of [
        ['', 'NOAUTH'],
        [':wrong-one@', 'WRONGPASS'],
      ] as const) {
        const lines: string[] = []
        const log = createLog('debug', (line) => lines.push(line))
        const error = await failure(connectRedis(`redis://${credentials}127.0.0.1:${port}`, log))
        expect(error).toBeInstanceOf(RedisRefused)
        expect(error?.message).toContain(why)
        expect(lines.join()).toContain('Redis refuses this server')
        expect(lines.join() + error?.message).not.toContain('wrong-one')
      }
      const redis = await connectRedis(`redis://:right%20one@127.0.0.1:${port}`, silent)
      expect(await redis.send('k', ['PING'])).toBe('PONG')
      await redis.close()
    },
    ['--requirepass', 'right one'],
  ))

test.concurrent('goes on when the password is changed under it, says so once, and comes back', () =>
  withRedis(async ({ url, cli }) => {
    const lines: string[] = []
    const redis = await connectRedis(
      url,
      createLog('debug', (line) => lines.push(line)),
    )
    await cli('config', 'set', 'requirepass', 'new')
    await cli('-a', 'new', 'client', 'kill', 'type', 'normal', 'skipme', 'yes')
    await until(() => lines.join().includes('Redis refuses this server'), 'it is logged')
    await Bun.sleep(500)
    expect(lines.filter((line) => line.includes('Redis refuses this server'))).toHaveLength(1)
    expect(await failure(redis.send('k', ['PING']))).toBeInstanceOf(RedisAway)
    await cli('-a', 'new', 'config', 'set', 'requirepass', '')
    await until(redis.isReady, 'it is there again')
    await redis.close()
  }))

test.concurrent.each([
  '',
  'redis://',
  'http://localhost:6379',
  'redis://secret@:x',
  'redis://localhost/secret',
  'redis://localhost,secret',
])('refuses the URL %p without repeating it', async (url) => {
  const error = await failure(connectRedis(url, silent))
  expect(error?.message).toContain('malformed')
  expect(error?.message).not.toContain('secret')
})

test.concurrent('is not harmed by a listener that throws', () =>
  withRedis(async ({ url, cli, kill, start }) => {
    const lines: string[] = []
    const redis = await connectRedis(
      url,
      createLog('error', (line) => lines.push(line)),
    )
    const faulty = () => {
      throw new Error('a faulty listener')
    }
    const got: string[] = []
    redis.onReady(faulty)
    for (const listen of [redis.channels.onMessage, redis.channels.onCut, redis.channels.onWhole]) listen(faulty)
    redis.channels.onMessage((channel, payload) => got.push(`${channel} ${payload}`))
    await redis.channels.subscribe(['c'])
    await cli('spublish', 'c', 'one')
    await until(() => got.length === 1, 'it is heard')
    await kill()
    await start()
    await until(() => !redis.channels.isCut(), 'all is there again')
    await cli('spublish', 'c', 'two')
    await until(() => got.length === 2, 'it is heard')
    expect(got).toEqual(['c one', 'c two'])
    expect(lines.filter((line) => line.includes('a faulty listener'))).toHaveLength(5)
    await redis.close()
  }))

test.concurrent('closes everything, whatever it is about', () =>
  withRedis(async (server) => {
    const { url, freeze, thaw, kill, start } = server
    const redis = await connectRedis(url, silent)
    expect(await listNames(server)).toEqual(['messenger-channels', 'messenger-commands'])
    const answers = Array.from({ length: 1000 }, () => redis.send('n', ['INCR', 'n']))
    await redis.close()
    expect((await Promise.all(answers)).at(-1)).toBe(1000)
    await until(async () => (await listNames(server)).length === 0, 'all have gone')
    expect(redis.isReady()).toBe(false)
    expect(await failure(redis.send('k', ['PING']))).toBeInstanceOf(RedisAway)
    await redis.close()

    // While it opens connections, and while it waits to try again.
    const opening = await connectRedis(url, silent)
    await kill()
    await start()
    freeze()
    await Bun.sleep(600)
    await opening.close()
    thaw()
    await Bun.sleep(700)
    expect(await listNames(server)).toEqual([])
  }))
