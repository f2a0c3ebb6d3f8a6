/** Sharded pub/sub: which channels are wanted, and whether all that is published on them can arrive. */
import type { Log } from '../observability/log.ts'
import { createListeners } from './listeners.ts'
import type { Subscriber } from './subscriber.ts'

/** https://redis.io/docs/latest/develop/pubsub/#sharded-pubsub */
export interface Channels {
  /**
   * Resolves when Redis has confirmed the channels: what anybody publishes on them from then on arrives here. While Redis
   * is away it resolves at once, and within 2 s when Redis does not answer; `onWhole` tells when they are subscribed.
   */
  subscribe(channels: readonly string[]): Promise<void>
  /** Takes effect a moment later, for many at once. */
  unsubscribe(channels: readonly string[]): void
  onMessage(listener: (channel: string, payload: string) => void): void
  /** Whether some of the channels cannot be heard, or some messages not be published, at the moment. */
  isCut(): boolean
  onCut(listener: () => void): void
  /** Everything works again, and every wanted channel is subscribed. */
  onWhole(listener: () => void): void
}

export interface ChannelsOptions {
  /** Who has the channel; undefined while nobody does. */
  subscriberOf(channel: string): Subscriber | undefined
  log: Log
}

const UNSUBSCRIBE_AFTER_MS = 100

export function createChannels({ subscriberOf, log }: ChannelsOptions) {
  const wanted = new Set<string>()
  /** Wanted no more, but perhaps again in a moment. */
  const leaving = new Set<string>()
  const messageListeners = createListeners<[channel: string, payload: string]>(log)
  const cutListeners = createListeners<[]>(log)
  const wholeListeners = createListeners<[]>(log)
  let isCut = true
  let timer: ReturnType<typeof setTimeout> | undefined

  function bySubscriber(channels: Iterable<string>): [Subscriber, string[]][] {
    const groups = Map.groupBy(channels, subscriberOf)
    return [...groups].flatMap(([subscriber, some]): [Subscriber, string[]][] =>
      subscriber ? [[subscriber, some]] : [],
    )
  }

  function leave(): void {
    timer = undefined
    for (const [subscriber, some] of bySubscriber(leaving)) subscriber.remove(some)
    leaving.clear()
  }

  const channels: Channels = {
    async subscribe(asked) {
      for (const channel of asked) {
        wanted.add(channel)
        leaving.delete(channel)
      }
      await Promise.all(bySubscriber(asked).map(([subscriber, some]) => subscriber.add(some)))
    },
    unsubscribe(left) {
      for (const channel of left) if (wanted.delete(channel)) leaving.add(channel)
      if (leaving.size > 0) timer ??= setTimeout(leave, UNSUBSCRIBE_AFTER_MS)
    },
    onMessage: messageListeners.add,
    isCut: () => isCut,
    onCut: cutListeners.add,
    onWhole: wholeListeners.add,
  }

  return {
    channels,
    /** The wanted ones that a subscriber has. */
    listWanted: (subscriber: Subscriber | undefined) =>
      [...wanted].filter((channel) => subscriberOf(channel) === subscriber),
    deliver(channel: string, payload: string): void {
      if (wanted.has(channel)) messageListeners.tell(channel, payload)
    },
    /** Tells whoever listens when that has changed. */
    setCut(now: boolean): void {
      if (now === isCut) return
      isCut = now
      const listeners = now ? cutListeners : wholeListeners
      listeners.tell()
    },
    close: () => clearTimeout(timer),
  }
}
