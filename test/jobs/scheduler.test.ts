import { describe, expect, it } from 'bun:test'
import { startJobs } from '../../src/jobs/scheduler.ts'
import { createLog } from '../../src/observability/log.ts'

const silent = createLog('error', () => {})

/** Runs a job every 20 ms for a while. @returns how often it ran */
async function countRuns(
  isRunner: () => boolean,
  run: () => Promise<unknown>,
  { forMs = 600, ...kind }: { forMs?: number; isLocal?: true } = {},
): Promise<number> {
  let runs = 0
  const stop = startJobs({
    jobs: [
      {
        name: 'counting',
        everySeconds: 0.02,
        ...kind,
        run: () => {
          runs++
          return run()
        },
      },
    ],
    isRunner,
    log: silent,
  })
  await Bun.sleep(forMs)
  stop()
  return runs
}

describe('the scheduler', () => {
  it('runs a job again and again, until it is stopped', async () => {
    const runs = await countRuns(
      () => true,
      () => Promise.resolve(),
    )
    expect(runs).toBeGreaterThan(2)
    expect(runs).toBeLessThan(40)
  })

  it('runs nothing on an instance that is not the runner, and begins when it becomes the one', async () => {
    const startedAt = Date.now()
    let firstRunAt = 0
    const becomesRunner = () => Date.now() - startedAt > 100
    await countRuns(becomesRunner, async () => {
      firstRunAt ||= Date.now()
    })
    expect(firstRunAt - startedAt).toBeGreaterThan(100)
  })

  it('runs what is of its own machine on every instance, the runner or not', async () => {
    const runs = await countRuns(
      () => false,
      () => Promise.resolve(),
      { isLocal: true },
    )
    expect(runs).toBeGreaterThan(2)
  })

  it('never runs a job twice at once', async () => {
    let [running, most] = [0, 0]
    await countRuns(
      () => true,
      async () => {
        most = Math.max(most, ++running)
        await Bun.sleep(50)
        running--
      },
    )
    expect(most).toBe(1)
  })

  it('logs a failure and tries again', async () => {
    const lines: string[] = []
    let runs = 0
    const stop = startJobs({
      jobs: [
        {
          name: 'failing',
          everySeconds: 0.01,
          run: () => {
            runs++
            throw new Error('not this time')
          },
        },
      ],
      isRunner: () => true,
      log: createLog('warn', (line) => lines.push(line)),
    })
    await Bun.sleep(200)
    stop()
    expect(runs).toBeGreaterThan(1)
    expect(lines.length).toBe(runs)
    expect(lines[0]).toContain('failing')
    expect(lines[0]).toContain('not this time')
  })

  it('gets round to a rare job soon after the start', async () => {
    let runs = 0
    const job = {
      name: 'daily',
      everySeconds: 86_400,
      run: async () => {
        runs++
      },
    }
    const stop = startJobs({ jobs: [job], isRunner: () => true, log: silent, firstAfterSeconds: 0.02 })
    await Bun.sleep(150)
    stop()
    expect(runs).toBe(1)
  })
})
