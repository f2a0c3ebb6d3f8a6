/** How fast something goes, and what it costs in each process that takes part. */
import { readFile } from 'node:fs/promises'

export interface Variant {
  /** What is done, the same for all variants that are compared. */
  task: string
  way: string
  /** One operation. */
  run(): Promise<unknown> | unknown
}

/** Microseconds of CPU an operation, by the process. */
export interface Cost {
  perSecond: number
  server: number
  postgres: number
  redis: number
}

export interface Plan {
  rounds: number
  seconds: number
  /** So many operations are under way at any time. */
  flows: number
}

export interface Processes {
  postgres(): Promise<readonly number[]>
  redis: number
}

/** Nanoseconds on the processor so far: the first number (Documentation/scheduler/sched-stats.rst of Linux). */
async function cpuNanoseconds(pids: readonly number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '0')))
  return texts.reduce((total, text) => total + Number(text.split(' ')[0]), 0)
}

async function measure({ run }: Variant, processes: Processes, seconds: number, flows: number): Promise<Cost> {
  const backends = await processes.postgres()
  const read = async () => ({
    server: process.cpuUsage(),
    postgres: await cpuNanoseconds(backends),
    redis: await cpuNanoseconds([processes.redis]),
  })
  let count = 0
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  const before = await read()
  const flow = async () => {
    while (performance.now() < until) {
      await run()
      count++
    }
  }
  await Promise.all(Array.from({ length: flows }, flow))
  const after = await read()
  const elapsedSeconds = (performance.now() - startedAt) / 1000
  const { user, system } = after.server
  return {
    perSecond: count / elapsedSeconds,
    server: (user + system - before.server.user - before.server.system) / count,
    postgres: (after.postgres - before.postgres) / 1000 / count,
    redis: (after.redis - before.redis) / 1000 / count,
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Every variant in turns, so that what else the machine does meets all of them. @returns the medians of the rounds */
export async function measureAll(variants: readonly Variant[], processes: Processes, plan: Plan) {
  const { rounds, seconds, flows } = plan
  const costs = new Map<Variant, Cost[]>(variants.map((variant) => [variant, []]))
  for (const variant of variants) await measure(variant, processes, seconds / 3, flows)
  for (let round = 0; round < rounds; round++)
    for (const variant of variants) costs.get(variant)?.push(await measure(variant, processes, seconds, flows))
  return variants.map((variant) => {
    const all = costs.get(variant) ?? []
    const of = (part: keyof Cost) => median(all.map((cost) => cost[part]))
    return {
      ...variant,
      perSecond: of('perSecond'),
      server: of('server'),
      postgres: of('postgres'),
      redis: of('redis'),
    }
  })
}
