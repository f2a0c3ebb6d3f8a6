/**
 * Sockets that have shown no good token yet: each has its time, and is closed then. All have as much, so they are due in the
 * order in which they came, and one timer does for all.
 */
import type { Socket } from './socket.ts'

type Stranger = Pick<Socket, 'openedAt'>

export interface Strangers<S extends Stranger> {
  /** One that has just come: those who came before it were added before it. */
  add(socket: S): void
  /** It is known now, or gone. Others may be named too. */
  forget(socket: S): void
  /** Ends the timer. */
  stop(): void
}

/**
 * @param withinMs since `openedAt`
 * @param onLate told once of each whose time is over; it must not throw
 */
export function createStrangers<S extends Stranger>(withinMs: number, onLate: (socket: S) => void): Strangers<S> {
  /** The first to come first. */
  const waiting = new Set<S>()
  let timer: NodeJS.Timeout | undefined

  function lookLater(): void {
    const [first] = waiting.values().take(1)
    if (timer || !first) return
    timer = setTimeout(look, Math.max(0, first.openedAt + withinMs - performance.now()))
  }

  function look(): void {
    timer = undefined
    const now = performance.now()
    for (const socket of waiting) {
      if (socket.openedAt + withinMs > now) break
      waiting.delete(socket)
      onLate(socket)
    }
    lookLater()
  }

  return {
    add(socket) {
      waiting.add(socket)
      lookLater()
    },
    forget: (socket) => void waiting.delete(socket),
    stop() {
      waiting.clear()
      clearTimeout(timer)
      timer = undefined
    },
  }
}
