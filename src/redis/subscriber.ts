/** The subscriptions on one node: all that are wanted there, again after every loss. */
import { createBeat } from './beat.ts'
import type { ChannelListener, Connection } from './connection.ts'
import { explain, RedisAway } from './errors.ts'
import { keepOpen, type LinkOptions } from './link.ts'
import { slotOf } from './slots.ts'

export interface SubscriberOptions {
  open: LinkOptions['open']
  /** In a cluster, the channels of one command must be of one slot. */
  isCluster: boolean
  /** A channel of this node's own that nobody else uses. Asked on every connection. */
  beatChannel(): string
  /** Publishes by the node's other connection. */
  publish(channel: string, payload: string): Promise<unknown>
  /** The channels that are wanted on this node now. */
  listWanted(): string[]
  onMessage(channel: string, payload: string): void
  /** All that is wanted is subscribed. */
  onRestored(): void
  onDown(reason: Error): void
  onRoundTrip?(ms: number): void
}

export interface Subscriber {
  /**
   * The channels are wanted from now on. Resolves when Redis has confirmed them; at once while there is no connection,
   * and when it is lost meanwhile: then they are subscribed before `onRestored`.
   */
  add(channels: readonly string[]): Promise<void>
  /** They are wanted no more. */
  remove(channels: readonly string[]): void
  isRestored(): boolean
  /** Subscribes to everything anew, by a new connection. */
  restart(reason: Error): void
  close(): void
}

/** Channels whose confirmation is waited for at once, so that none is late only for the number of those before it. */
const CHUNK = 1000

export function createSubscriber(options: SubscriberOptions): Subscriber {
  const { isCluster, listWanted } = options
  /** What Redis has been asked for on this connection, and when it is confirmed. */
  const asked = new Map<string, Promise<void>>()
  let beatChannel = ''
  let isRestored = false
  const beat = createBeat({
    publish: () => options.publish(beatChannel, ''),
    onSilence: () => restart(new RedisAway('A subscription is dead, though its connection is up')),
    onRoundTrip: options.onRoundTrip,
  })

  const onMessage: ChannelListener = (payload, channel) => {
    if (channel === beatChannel) beat.heard()
    else options.onMessage(channel, payload)
  }

  const link = keepOpen({
    open: options.open,
    onUp: (connection) => {
      restore(connection).catch((error) => connection.end(explain(error)))
    },
    onDown(reason) {
      beat.stop()
      asked.clear()
      isRestored = false
      options.onDown(reason)
    },
  })

  async function restore(connection: Connection): Promise<void> {
    beatChannel = options.beatChannel()
    await ask(connection, [beatChannel])
    // What is added meanwhile waits for the next round.
    for (let missing = listMissing(); missing.length > 0; missing = listMissing()) {
      for (let from = 0; from < missing.length; from += CHUNK) {
        // The next connection restores everything: this one must not count for it.
        if (connection.isEnded()) return
        await ask(connection, missing.slice(from, from + CHUNK))
      }
    }
    if (connection.isEnded()) return
    isRestored = true
    beat.start()
    options.onRestored()
  }

  const listMissing = () => listWanted().filter((channel) => !asked.has(channel))

  /** In one write. Never rejects: a connection that does not confirm in time, or refuses, is given up. */
  function ask(connection: Connection, channels: string[]): Promise<void> {
    if (channels.length === 0) return Promise.resolve()
    const answers = inCommands(channels).map((some) => connection.subscribe(some, onMessage))
    const confirmed = Promise.all(answers).then(
      () => {},
      (error) => connection.end(explain(error)),
    )
    for (const channel of channels) asked.set(channel, confirmed)
    return confirmed
  }

  function inCommands(channels: string[]): string[][] {
    return isCluster ? [...Map.groupBy(channels, slotOf).values()] : [channels]
  }

  function restart(reason: Error): void {
    link.connection()?.end(reason)
  }

  return {
    async add(channels) {
      const connection = link.connection()
      if (!connection || !isRestored) return
      ask(
        connection,
        channels.filter((channel) => !asked.has(channel)),
      )
      await Promise.all(new Set(channels.map((channel) => asked.get(channel))))
    },
    remove(channels) {
      const connection = link.connection()
      const known = channels.filter((channel) => asked.delete(channel))
      if (!connection || known.length === 0) return
      for (const some of inCommands(known)) {
        connection.unsubscribe(some, onMessage).catch((error) => connection.end(explain(error)))
      }
    },
    isRestored: () => isRestored,
    restart,
    close() {
      beat.stop()
      link.close()
    },
  }
}
