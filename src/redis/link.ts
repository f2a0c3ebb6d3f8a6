/** A way to a node that is opened again whenever it breaks, for ever. */
import type { Connection } from './connection.ts'
import { explain } from './errors.ts'

export interface LinkOptions {
  open(onEnd: (reason: Error) => void, signal: AbortSignal): Promise<Connection>
  onUp(connection: Connection): void
  /** It broke, or could not be opened again. */
  onDown(reason: Error): void
}

export interface Link {
  connection(): Connection | undefined
  close(): void
}

/** One that broke sooner has not been of use: the pauses go on growing. */
const PROVEN_MS = 5000

/** Never long, so that Redis is in use again within two seconds; never the same, so that instances come one by one. */
const pauseMs = (failures: number) => Math.min(500, 25 * 2 ** failures) * (0.5 + Math.random() / 2)

export function keepOpen({ open, onUp, onDown }: LinkOptions): Link {
  const closing = new AbortController()
  let connection: Connection | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let openedAt = 0

  function fail(reason: Error): void {
    if (closing.signal.aborted) return
    const wasProven = connection !== undefined && performance.now() - openedAt > PROVEN_MS
    connection = undefined
    failures = wasProven ? 0 : failures + 1
    timer = setTimeout(attempt, pauseMs(failures))
    onDown(reason)
  }

  function attempt(): void {
    open(fail, closing.signal).then(
      (opened) => {
        // Lost in the same moment: that was told to `fail`.
        if (opened.isEnded()) return
        connection = opened
        openedAt = performance.now()
        onUp(opened)
      },
      (error) => fail(explain(error)),
    )
  }

  attempt()
  return {
    connection: () => connection,
    close() {
      connection = undefined
      clearTimeout(timer)
      closing.abort()
    },
  }
}
