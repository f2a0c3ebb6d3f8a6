/** What could not be published: the other instances are told as soon as they can be, so that their clients sync. */
import type { Log } from '../observability/log.ts'

export interface LossReport {
  /** A message of this instance was lost. */
  note(error: unknown): void
  close(): void
}

const TRY_EVERY_MS = 1000
/** A report makes every client sync, so one that loses messages all the time must not go on and on about it. */
const REPORT_EVERY_MS = 15_000

/** `tell` publishes the report; it rejects while that is as impossible as publishing anything else. */
export function createLossReport(tell: () => Promise<unknown>, log: Log): LossReport {
  let lost = 0
  let reportedAt = Number.NEGATIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false

  async function report(): Promise<void> {
    const told = lost
    const isTold = await tell().then(
      () => true,
      () => false,
    )
    timer = undefined
    if (isTold) {
      lost -= told
      reportedAt = performance.now()
      log.info('Other instances missed messages of this one, and know it now', { messages: told })
    }
    if (lost > 0) schedule()
  }

  function schedule(): void {
    const waitMs = Math.max(TRY_EVERY_MS, reportedAt + REPORT_EVERY_MS - performance.now())
    if (!isClosed) timer ??= setTimeout(report, waitMs)
  }

  return {
    note(error) {
      if (lost === 0) log.warn('Messages do not reach other instances', { error })
      lost++
      schedule()
    },
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}
