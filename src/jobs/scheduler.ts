/** Work that nobody waits for, done now and then, by one of all instances or by each. */
import type { Log } from '../observability/log.ts'

export interface Job {
  name: string
  everySeconds: number
  run(): Promise<unknown>
  /** Of this machine, not of all instances: each runs it. */
  isLocal?: true
}

export interface SchedulerOptions {
  jobs: readonly Job[]
  /** Whether this instance is the one that runs jobs, asked at each turn. */
  isRunner(): boolean
  log: Log
  /** Before a job's first run at the latest: a server that is restarted often must get round to its daily jobs too. */
  firstAfterSeconds?: number
}

/**
 * Runs each job in its rhythm, never twice at once on one instance; a failure is logged, and tried again next time. When
 * the runner changes, the old one may still be ending a job that the new one begins: jobs must bear that.
 * @returns what stops all
 */
export function startJobs({ jobs, isRunner, log, firstAfterSeconds = 60 }: SchedulerOptions): () => void {
  const stops = jobs.map(({ name, everySeconds, run, isLocal = false }) => {
    let isRunning = false
    const turn = async () => {
      if (isRunning || !(isLocal || isRunner())) return
      isRunning = true
      try {
        await run()
      } catch (error) {
        log.warn('A job failed', { job: name, error })
      }
      isRunning = false
    }
    let interval: Timer | undefined
    const first = setTimeout(() => {
      turn()
      interval = setInterval(turn, everySeconds * 1000)
    }, Math.min(everySeconds, firstAfterSeconds) * 1000)
    return () => {
      clearTimeout(first)
      clearInterval(interval)
    }
  })
  return () => {
    for (const stop of stops) stop()
  }
}
