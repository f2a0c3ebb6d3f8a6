/** Locks and a channel between the tabs of one browser: the Web Locks API and BroadcastChannel. */
import type { Channel, Lock, Locks } from '../sync/ports.ts'

export function createBrowserLocks(manager: LockManager): Locks {
  return {
    acquire: (name, { steal = false } = {}) =>
      new Promise<Lock>((resolve, reject) => {
        const { promise: lost, resolve: lose } = Promise.withResolvers<void>()
        let isHeld = false
        const hold = () =>
          new Promise<void>((release) => {
            isHeld = true
            resolve({ release, lost })
          })
        manager.request(`messenger ${name}`, { steal }, hold).catch((error) => {
          // A lock that was held is lost when somebody steals it; one that was not is refused.
          if (isHeld) lose()
          else reject(error)
        })
      }),
  }
}

/** What follows something so soon goes together. */
const GATHER_MS = 100

/** Messages go in lists: each costs as much as rendering what it tells of. */
export function createBrowserChannel(name: string): Channel {
  const channel = new BroadcastChannel(name)
  let waiting: unknown[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (waiting.length === 0) return
    channel.postMessage(waiting)
    waiting = []
    timer = setTimeout(flush, GATHER_MS)
  }
  // A hidden page's timers come late, and others may be waiting for an answer.
  const isHidden = () => document.visibilityState === 'hidden'
  document.addEventListener('visibilitychange', () => isHidden() && flush())
  return {
    post(message) {
      waiting.push(message)
      if (timer === undefined || isHidden()) flush()
    },
    onMessage(listener) {
      const hear = ({ data }: MessageEvent<unknown[]>) => {
        for (const message of data) listener(message)
      }
      channel.addEventListener('message', hear)
      return () => channel.removeEventListener('message', hear)
    },
  }
}
