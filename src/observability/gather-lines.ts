/** Log lines that go out together: a write to the standard output costs more than what is written. */
import type { WriteLine } from './log.ts'

/** Characters: what waits is written before it is more. */
const MAX_WAITING = 64 * 1024

export interface GatheredLines {
  /**
   * Takes a line, which is written with the others of this turn of the event loop, in their order. A warning or an error
   * is written at once, with all before it: nobody knows what becomes of the process next.
   */
  write: WriteLine
  /** Writes what waits: before the process ends. */
  flush(): void
}

/** `write` takes the text of whole lines. */
export function gatherLines(write: (text: string) => void): GatheredLines {
  let waiting = ''

  const flush = () => {
    if (waiting === '') return
    const text = waiting
    waiting = ''
    write(text)
  }

  return {
    write(line, level) {
      if (waiting === '') setImmediate(flush)
      waiting += `${line}\n`
      const isUrgent = level === 'warn' || level === 'error'
      if (isUrgent || waiting.length >= MAX_WAITING) flush()
    },
    flush,
  }
}
