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

export function createBrowserChannel(name: string): Channel {
  const channel = new BroadcastChannel(name)
  return {
    post: (message) => channel.postMessage(message),
    onMessage(listener) {
      const hear = ({ data }: MessageEvent) => listener(data)
      channel.addEventListener('message', hear)
      return () => channel.removeEventListener('message', hear)
    },
  }
}
