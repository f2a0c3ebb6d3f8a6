/** The alert rules and the dashboard ask for nothing that the server does not tell. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from '../support/client.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { PATIENCE_MS } from '../support/until.ts'

const DEPLOY = join(import.meta.dir, '../../deploy')

interface Rule {
  alert: string
  expr: string
  for: string
  labels: { severity: string }
  annotations: { summary: string }
}
interface Panel {
  id: number
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets: { expr: string }[]
}

const alerts = Bun.YAML.parse(await Bun.file(join(DEPLOY, 'prometheus/alerts.yml')).text()) as {
  groups: { rules: Rule[] }[]
}
const rules = alerts.groups.flatMap((group) => group.rules)
const dashboard = (await Bun.file(join(DEPLOY, 'grafana/messenger.json')).json()) as { panels: Panel[] }
const asked = [
  ...rules.map(({ alert, expr }) => ({ by: alert, expr })),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ by: title, expr }))),
]

/** Names of metrics, of whatever an expression reads, with the labels it chooses or groups by. */
const namesIn = (expr: string) => [...expr.matchAll(/\b(?:messenger|process)_[a-z_]+\b/g)].map(([name]) => name)

/** By promtool, which `npm test` installs. @returns what it says when it is not content */
async function promtool(args: string[], input = ''): Promise<string> {
  const binary = Bun.which('promtool')
  if (!binary) throw new Error('promtool is not installed: `npm test` installs it')
  const child = Bun.spawn([binary, ...args], { stdin: new Blob([input]), stdout: 'pipe', stderr: 'pipe' })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return code === 0 ? '' : `${out}${err}`
}

let server: TestServer
let group: string
let redis: TestRedis
let text: string
beforeAll(async () => {
  group = await mkdtemp(join(tmpdir(), 'messenger-cgroup-'))
  const files = { 'memory.current': '9\n', 'memory.max': '10\n', 'cpu.stat': 'usage_usec 1\n' }
  for (const [name, content] of Object.entries(files)) await writeFile(join(group, name), content)
  // Two instances, so that there is a Redis; it has a limit, as in production.
  redis = await startRedis(['--maxmemory', '128mb'])
  const settings = {
    METRICS_CGROUPS: `postgres=${group}`,
    RATE_LIMITS: 'on',
    RATE_LIMIT_MESSAGES: '1',
    // One that is away is told of, too.
    DATABASE_REPLICA_URLS: 'postgres://nobody@127.0.0.1:1/none',
  }
  server = await startServer(settings, { instances: 2, redis })
  const [url = ''] = server.instanceUrls
  const [user, peer] = [(await server.addUser()).at(url), await server.addUser()]
  const chatId = await server.addDm(user, peer)
  const socket = await user.socket()
  for (let n = 0; n < 2; n++) await socket.ask({ type: 'message', chat_id: chatId, content: 'hello' })
  await socket.close()
  const until = Date.now() + PATIENCE_MS
  do text = String((await request(`${url}/metrics`, 'GET')).body)
  while (!text.includes('socket_closes') && Date.now() < until)
})
afterAll(async () => {
  await server.stop()
  await redis.stop()
  await rm(group, { recursive: true })
})

it('is what Prometheus reads', async () => {
  expect(await promtool(['check', 'metrics'], text)).toBe('')
  expect(await promtool(['check', 'rules', join(DEPLOY, 'prometheus/alerts.yml')])).toBe('')
})

it('has every metric and every label that somebody asks for', () => {
  expect(asked.length).toBeGreaterThan(60)
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const told = new Map<string, Set<string>>()
  for (const line of series) {
    const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? []
    const known = told.get(name) ?? new Set<string>()
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label)
    told.set(name, known)
  }
  const missing = asked.flatMap(({ by, expr }) => {
    const names = namesIn(expr)
    const labels = [...expr.matchAll(/\bby \(([^)]*)\)|(\w+)[=!]~?"/g)].flatMap(([, group, label]) =>
      label === undefined ? (group ?? '').split(', ') : [label],
    )
    const unknown = names.filter((name) => !told.has(name))
    // Prometheus itself adds where a series comes from.
    const own = labels.filter((label) => label !== 'instance' && label !== 'job')
    const lost = own.filter((label) => !names.some((name) => told.get(name)?.has(label)))
    return [...unknown, ...lost].map((what) => `${by}: ${what}`)
  })
  expect(missing).toEqual([])
})

describe('the rules', () => {
  it('say what happened and how bad it is', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    for (const { alert, labels, annotations } of rules) {
      expect({ alert, severity: labels.severity }).toEqual({ alert, severity: expect.stringMatching(/^(page|warn)$/) })
      expect(annotations.summary).not.toBe('')
    }
  })

  it('fire when they should, and not before', async () => {
    expect(await promtool(['test', 'rules', join(import.meta.dir, 'alerts.test.yml')])).toBe('')
  })
})

describe('the dashboard', () => {
  it('has each panel once, and none over another', () => {
    const { panels } = dashboard
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)}:${y + Math.floor(n / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })
})
