import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMetrics } from '../../src/observability/metrics.ts'
import { measureProcess } from '../../src/observability/process-metrics.ts'
import { measureServices } from '../../src/observability/service-metrics.ts'

describe('a counter', () => {
  it('prints one line for each set of labels, in the order of their first use', async () => {
    const metrics = createMetrics()
    metrics.counter('plain_total', 'Plain.').inc(3)
    const by = metrics.counters('by_total', 'By kind.', ['kind', 'to'])
    by('b', 'x').inc()
    by('a', 'y').inc(2)
    by('b', 'x').inc()
    expect(await metrics.print()).toBe(
      '# HELP plain_total Plain.\n# TYPE plain_total counter\nplain_total 3\n' +
        '# HELP by_total By kind.\n# TYPE by_total counter\nby_total{kind="b",to="x"} 2\nby_total{kind="a",to="y"} 2\n',
    )
  })

  it('escapes what would break a line', async () => {
    const metrics = createMetrics()
    metrics.counters('x_total', 'X.', ['of'])('a"b\\c\nd').inc()
    expect(await metrics.print()).toEndWith('x_total{of="a\\"b\\\\c\\nd"} 1\n')
  })

  it('has a thousand series at most: what comes later is counted together', async () => {
    const metrics = createMetrics()
    const of = metrics.counters('x_total', 'X.', ['id'])
    for (let n = 0; n < 1500; n++) of(`${n}`).inc()
    for (let n = 0; n < 1500; n++) of(`${n}`).inc()
    const lines = (await metrics.print()).trim().split('\n').slice(2)
    expect(lines).toHaveLength(1001)
    expect(lines[999]).toBe('x_total{id="999"} 2')
    expect(lines.at(-1)).toBe('x_total{id="other"} 1000')
  })

  it('has a name of its own', () => {
    const metrics = createMetrics()
    metrics.counter('x_total', 'X.')
    expect(() => metrics.counter('x_total', 'X.')).toThrow('x_total')
  })
})

describe('a histogram', () => {
  it('counts up to each bound, the bound included', async () => {
    const metrics = createMetrics()
    const histogram = metrics.histograms('x_seconds', 'X.', [0.1, 1], ['of'])('a')
    histogram.observe(0.1)
    histogram.observe(0.5, 2)
    histogram.observe(7)
    expect((await metrics.print()).split('\n').slice(2, -1)).toEqual([
      'x_seconds_bucket{of="a",le="0.1"} 1',
      'x_seconds_bucket{of="a",le="1"} 3',
      'x_seconds_bucket{of="a",le="+Inf"} 4',
      'x_seconds_sum{of="a"} 8.1',
      'x_seconds_count{of="a"} 4',
    ])
  })
})

describe('a gauge', () => {
  it('is read when somebody asks; what cannot be read in time is left out', async () => {
    const metrics = createMetrics()
    let value = 1
    metrics.gauge('now', 'Now.', () => value)
    metrics.gauge('nothing', 'Nothing.', () => undefined)
    metrics.gauge('broken', 'Broken.', () => Promise.reject(new Error('away')))
    metrics.gauge('thrown', 'Thrown.', () => {
      throw new Error('away')
    })
    metrics.gauge('slow', 'Slow.', () => new Promise(() => {}))
    metrics.gauge('of', 'Of.', async () => [{ labels: ['a'], value: 2 }], { labels: ['x'], type: 'counter' })
    value = 5
    expect(await metrics.print()).toBe(
      '# HELP now Now.\n# TYPE now gauge\nnow 5\n# HELP of Of.\n# TYPE of counter\nof{x="a"} 2\n',
    )
  })
})

describe('the process', () => {
  it('tells of its memory, time and files', async () => {
    const metrics = createMetrics()
    const stop = measureProcess(metrics, '1.2.3')
    const text = await metrics.print()
    stop()
    expect(text).toContain('messenger_build_info{version="1.2.3"} 1')
    const numberOf = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    expect(numberOf('process_resident_memory_bytes')).toBeGreaterThan(10e6)
    expect(numberOf('process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(numberOf('process_open_fds')).toBeGreaterThan(2)
    expect(Math.abs(numberOf('process_start_time_seconds') + process.uptime() - Date.now() / 1000)).toBeLessThan(5)
  })

  it('tells how late timers are', async () => {
    const metrics = createMetrics()
    const stop = measureProcess(metrics, '1')
    await Bun.sleep(20)
    const until = performance.now() + 700
    while (performance.now() < until);
    await Bun.sleep(20)
    stop()
    const text = await metrics.print()
    expect(Number(/lag_seconds_sum (\S+)/.exec(text)?.[1])).toBeGreaterThan(0.15)
  })
})

describe('services', () => {
  let root: string
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'messenger-cgroup-'))
    const group = async (path: string, files: Record<string, string>) => {
      await mkdir(join(root, path), { recursive: true })
      for (const [name, text] of Object.entries(files)) await writeFile(join(root, path, name), text)
    }
    await group('', { 'cpu.stat': 'usage_usec 99\n' })
    await group('system.slice/messenger.service', {
      'memory.current': '1000\n',
      'memory.stat': 'anon 600\ninactive_file 300\nactive_file 100\n',
      'memory.max': '5000\n',
      'cpu.stat': 'usage_usec 2500000\nuser_usec 1\n',
    })
    await group('system.slice/redis-server.service', { 'memory.current': '70\n', 'memory.max': 'max\n' })
    await group('elsewhere', { 'memory.current': '80\n' })
    await writeFile(join(root, 'own'), '1:cpu:/x\n0::/system.slice/messenger.service\n')
    await writeFile(join(root, 'own-root'), '0::/\n')
  })
  afterAll(() => rm(root, { recursive: true, force: true }))

  const linesOf = async (options: Parameters<typeof measureServices>[1]) => {
    const metrics = createMetrics()
    measureServices(metrics, { root, ...options })
    return (await metrics.print()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  }

  it('are read from their control groups; whatever is not there is left out', async () => {
    expect(await linesOf({ ownPath: join(root, 'own'), given: { postgres: join(root, 'elsewhere') } })).toEqual([
      'messenger_service_memory_bytes{service="api"} 700',
      'messenger_service_memory_bytes{service="postgres"} 80',
      'messenger_service_memory_bytes{service="redis"} 70',
      'messenger_service_memory_limit_bytes{service="api"} 5000',
      'messenger_service_cpu_seconds_total{service="api"} 2.5',
    ])
  })

  it('are none of what the whole machine uses', async () => {
    expect(await linesOf({ ownPath: join(root, 'own-root'), root: join(root, 'system.slice') })).toEqual([])
    expect(await linesOf({ ownPath: join(root, 'own-root') })).toEqual([
      'messenger_service_memory_bytes{service="redis"} 70',
    ])
    expect(await linesOf({ ownPath: '/nowhere', root: '/nowhere' })).toEqual([])
  })
})
