/**
 * Processor time and memory of each service of the box, from the files of its control group
 * (https://docs.kernel.org/admin-guide/cgroup-v2.html). Whatever is not there is left out.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metrics } from './metrics.ts'

const ROOT = '/sys/fs/cgroup'

/** By the units of the systems' packages and of ours, in the slices that `compose.yaml` and `setup.sh` put them in. */
const KNOWN: Record<string, readonly string[]> = {
  postgres: [
    'messenger.slice/messenger-postgres.slice',
    'system.slice/system-postgresql.slice/postgresql@16-main.service',
    'system.slice/system-postgresql.slice',
  ],
  redis: ['messenger.slice/messenger-redis.slice', 'system.slice/redis-server.service'],
  caddy: ['messenger.slice/messenger-caddy.slice', 'system.slice/caddy.service'],
  coturn: ['messenger.slice/messenger-coturn.slice', 'system.slice/coturn.service'],
}

export interface ServiceOptions {
  /** Name of a service -> its control group, over the known ones: absolute, or below `root`. */
  given?: Readonly<Record<string, string>>
  root?: string
  /** Which control group this process is in. */
  ownPath?: string
}

interface Usage {
  memoryBytes: number
  limitBytes: number | undefined
  cpuSeconds: number | undefined
}

export function measureServices(metrics: Metrics, options: ServiceOptions = {}): void {
  const { given = {}, root = ROOT, ownPath = '/proc/self/cgroup' } = options
  // The three metrics of one answer read the files once.
  let reading: Promise<Map<string, Usage>> | undefined
  const readOnce = () => {
    reading ??= readAll().finally(() => {
      reading = undefined
    })
    return reading
  }

  async function readAll(): Promise<Map<string, Usage>> {
    const own = await findOwn(ownPath)
    const candidates: Record<string, readonly string[]> = { api: own === undefined ? [] : [own], ...KNOWN }
    for (const [name, path] of Object.entries(given)) candidates[name] = [path]
    const read = Object.entries(candidates).map(async ([name, paths]) => [name, await readFirst(root, paths)] as const)
    return new Map((await Promise.all(read)).flatMap(([name, usage]) => (usage ? [[name, usage]] : [])))
  }

  const gauge = (name: string, help: string, of: keyof Usage, type: 'gauge' | 'counter' = 'gauge') =>
    metrics.gauge(
      name,
      help,
      async () =>
        [...(await readOnce())].flatMap(([service, usage]) => {
          const value = usage[of]
          return value === undefined ? [] : [{ labels: [service], value }]
        }),
      { labels: ['service'], type },
    )
  gauge(
    'messenger_service_memory_bytes',
    'Memory of a service that cannot be had back: without the file cache it does not use.',
    'memoryBytes',
  )
  gauge('messenger_service_memory_limit_bytes', 'The most memory that a service may use.', 'limitBytes')
  gauge('messenger_service_cpu_seconds_total', 'Processor time of a service.', 'cpuSeconds', 'counter')
}

/** The path below the root, of version 2: `0::/system.slice/messenger.service`. */
async function findOwn(path: string): Promise<string | undefined> {
  const text = await readText(path)
  return /^0::\/(.*)$/m.exec(text ?? '')?.[1]
}

async function readFirst(root: string, paths: readonly string[]): Promise<Usage | undefined> {
  for (const path of paths) {
    const usage = await readUsage(path.startsWith('/') ? path : join(root, path))
    if (usage) return usage
  }
  return undefined
}

async function readUsage(directory: string): Promise<Usage | undefined> {
  const names = ['memory.current', 'memory.stat', 'memory.max', 'cpu.stat']
  const [current, stat, max, cpu] = await Promise.all(names.map((name) => readText(join(directory, name))))
  // The root of all groups has no such file: it is no service.
  if (current === undefined) return undefined
  const unused = fieldOf(stat, 'inactive_file') ?? 0
  const microseconds = fieldOf(cpu, 'usage_usec')
  return {
    memoryBytes: Math.max(0, Number(current) - unused),
    // Without a limit the file says "max".
    limitBytes: max === undefined || !/^\d+\s*$/.test(max) ? undefined : Number(max),
    cpuSeconds: microseconds === undefined ? undefined : microseconds / 1e6,
  }
}

function fieldOf(text: string | undefined, name: string): number | undefined {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')
  return found ? Number(found[1]) : undefined
}

const readText = (path: string) => readFile(path, 'utf8').catch(() => undefined)
