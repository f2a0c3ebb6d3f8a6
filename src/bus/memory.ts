/** The bus of a single instance: a function call. */
import type { Log } from '../observability/log.ts'
import type { Bus, BusListener, BusMessage } from './bus.ts'

export function createMemoryBus(log: Log): Bus {
  const listeners: BusListener[] = []
  const waiting: BusMessage[] = []
  let isDelivering = false

  function deliver(message: BusMessage): void {
    for (const listener of listeners) {
      try {
        listener(message)
      } catch (error) {
        log.error('A bus listener failed', { topic: message.topic, error })
      }
    }
  }

  return {
    publish(batch) {
      waiting.push(...batch)
      // What a listener publishes follows what it was told of, for every listener.
      if (isDelivering) return
      isDelivering = true
      for (let message = waiting.shift(); message; message = waiting.shift()) deliver(message)
      isDelivering = false
    },
    // Whoever listens here hears everything.
    subscribe: () => Promise.resolve(),
    unsubscribe: () => {},
    onMessage: (listener) => listeners.push(listener),
    // There is nobody to miss.
    onGap: () => {},
    close: () => Promise.resolve(),
  }
}
