/** Work that nobody waits for, done now and then. */
import type { Log } from '../observability/log.ts'

export interface Job {
  name: string
  everySeconds: number
  run(): Promise<void>
}

/** Runs each job in its rhythm, never twice at once; a failure is logged, and tried again next time. @returns what stops all */
export function startJobs(jobs: readonly Job[], log: Log): () => void {
  const timers = jobs.map(({ name, everySeconds, run }) => {
    let isRunning = false
    return setInterval(async () => {
      if (isRunning) return
      isRunning = true
      await run().catch((error) => log.warn('A job failed', { job: name, error }))
      isRunning = false
    }, everySeconds * 1000)
  })
  return () => {
    for (const timer of timers) clearInterval(timer)
  }
}
