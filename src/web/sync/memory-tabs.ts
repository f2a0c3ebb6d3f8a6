/** Locks and a channel for clients within one process: for tests, and where a browser has none (each tab then leads). */
import type { Channel, Lock, Locks } from './ports.ts'

export function createMemoryLocks(): Locks {
  const holders = new Map<string, { lose(): void; release(): void }>()
  const queues = new Map<string, (() => void)[]>()

  function take(name: string): Lock {
    const { promise: lost, resolve: lose } = Promise.withResolvers<void>()
    const holder = { lose, release }
    function release(): void {
      if (holders.get(name) !== holder) return
      holders.delete(name)
      queues.get(name)?.shift()?.()
    }
    holders.set(name, holder)
    return { release, lost }
  }

  return {
    async acquire(name, { steal = false } = {}) {
      if (steal) {
        const robbed = holders.get(name)
        const mine = take(name)
        robbed?.lose()
        return mine
      }
      if (!holders.has(name)) return take(name)
      return new Promise((resolve) => {
        const queue = queues.get(name) ?? []
        queues.set(name, queue)
        queue.push(() => resolve(take(name)))
      })
    },
  }
}

/** Each call makes the end of one more tab. What is told arrives later, as a copy. */
export function createMemoryChannels(): () => Channel {
  const ends = new Set<(message: unknown) => void>()
  return () => {
    const mine = new Set<(message: unknown) => void>()
    return {
      post(message) {
        const copy = JSON.stringify(message)
        for (const end of ends) if (!mine.has(end)) setTimeout(() => ends.has(end) && end(JSON.parse(copy)), 0)
      },
      onMessage(listener) {
        mine.add(listener)
        ends.add(listener)
        return () => {
          mine.delete(listener)
          ends.delete(listener)
        }
      },
    }
  }
}
