/** The bus of a single instance: a function call. */
import type { Log } from '../observability/log.ts'
import type { Bus, BusListener } from './bus.ts'

export function createMemoryBus(log: Log): Bus {
  const listeners: BusListener[] = []
  return {
    publish(batch) {
      for (const message of batch) {
        for (const listener of listeners) {
          try {
            listener(message)
          } catch (error) {
            log.error('A bus listener failed', { topic: message.topic, error })
          }
        }
      }
    },
    // Whoever listens here hears everything.
    subscribe: () => Promise.resolve(),
    unsubscribe: () => {},
    onMessage: (listener) => listeners.push(listener),
    close: () => Promise.resolve(),
  }
}
