/** Whoever wants to be told; one that throws harms neither the others nor the connection. */
import type { Log } from '../observability/log.ts'

export function createListeners<Arguments extends unknown[]>(log: Log) {
  const all: ((...told: Arguments) => void)[] = []

  return {
    add(listener: (...told: Arguments) => void): void {
      all.push(listener)
    },
    tell(...told: Arguments): void {
      for (const listener of all) {
        try {
          listener(...told)
        } catch (error) {
          log.error('A listener to Redis failed', { error })
        }
      }
    },
  }
}
