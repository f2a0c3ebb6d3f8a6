/** The port between whoever changes something and the sockets that should hear of it, on this instance or another. */
import type { Topic } from './topics.ts'

export interface BusMessage {
  topic: Topic
  /** `event`: a finished frame for clients, forwarded byte by byte. `control`: for the instances themselves. */
  kind: 'event' | 'control'
  payload: string
}

export type BusListener = (message: BusMessage) => void

/**
 * Guarantees of every implementation:
 * - A message reaches the listeners of the publishing instance always, and every other instance that had subscribed to
 *   its topic at most once. What is lost on the way is found again by `seq` and `rev`: nothing may depend on the bus alone.
 * - Messages of one publisher on one topic arrive in the order of publishing.
 * - `publish` returns at once and never throws: call it after the commit.
 */
export interface Bus {
  publish(batch: readonly BusMessage[]): void
  /** Resolves when messages of the topic, published anywhere from now on, will arrive here. Repeats are counted. */
  subscribe(topics: readonly Topic[]): Promise<void>
  /** Takes back one `subscribe` of each topic. */
  unsubscribe(topics: readonly Topic[]): void
  onMessage(listener: BusListener): void
  /**
   * Told that messages of other instances may have been missed: every 15 s while the way to them is cut, and once when
   * it is there again.
   */
  onGap(listener: () => void): void
  close(): Promise<void>
}
