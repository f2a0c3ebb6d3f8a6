/** Notices that what was sent is not answered. */

export interface Watch {
  /** Something was sent that has to be answered. */
  sent(): void
  /** The oldest of it was answered. */
  answered(): void
  /** How much was sent and not answered. */
  waiting(): number
  stop(): void
}

const STEPS = 4

/**
 * Calls `onOverdue` once something has waited for its answer longer than `deadlineMs` (by up to a quarter). It counts
 * ticks, not time: a process that was held up itself has not read the answers yet, and blames nobody.
 */
export function createWatch(deadlineMs: number, onOverdue: () => void): Watch {
  let sent = 0
  let answered = 0
  let timer: ReturnType<typeof setInterval> | undefined
  /** How much had been sent at each of the last ticks. */
  let marks: number[] = []

  function stop(): void {
    clearInterval(timer)
    timer = undefined
    marks = []
  }

  function tick(): void {
    if (answered === sent) {
      stop()
      return
    }
    marks.push(sent)
    const oldest = marks.length > STEPS ? marks.shift() : undefined
    if (oldest === undefined || answered >= oldest) return
    stop()
    onOverdue()
  }

  return {
    sent() {
      sent++
      timer ??= setInterval(tick, deadlineMs / STEPS)
    },
    answered() {
      answered++
    },
    waiting: () => sent - answered,
    stop,
  }
}
