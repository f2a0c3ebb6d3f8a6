/** Work that may go only so many at a time: the rest waits in a bounded queue. */
import type { AppError } from '../errors.ts'

export interface InTurn {
  <T>(work: () => Promise<T>): Promise<T>
  /** How many wait. */
  waiting(): number
}

/** Runs up to `concurrency` at a time; up to `queueLimit` wait, first come, first served; all others are refused. */
export function createTurns(concurrency: number, queueLimit: number, tooMany: () => AppError): InTurn {
  const waiting: (() => void)[] = []
  let running = 0

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= concurrency) {
      if (waiting.length >= queueLimit) throw tooMany()
      // Whoever ends hands the turn over, so `running` stays.
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else {
      running += 1
    }
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }

  return Object.assign(inTurn, { waiting: () => waiting.length })
}
