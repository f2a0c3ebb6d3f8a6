/** The bus of several instances: a function call for the own sockets, Redis's sharded pub/sub for the others'. */
import type { Log } from '../observability/log.ts'
import type { Bus, BusMessage } from './bus.ts'
import { createMemoryBus } from './memory.ts'
import { createLossReport } from './redis-losses.ts'
import type { Topic } from './topics.ts'

/** What the bus needs of Redis. */
export interface BusRedis {
  /** `key` decides the node in a cluster. Commands of one turn go out in one write. Rejects at once while Redis is away. */
  send(key: string, command: readonly string[]): Promise<unknown>
  channels: {
    /** Resolves when Redis has confirmed them, at once while Redis is away, and in a few seconds whatever happens. */
    subscribe(channels: readonly string[]): Promise<void>
    unsubscribe(channels: readonly string[]): void
    onMessage(listener: (channel: string, payload: string) => void): void
    /** Whether messages of other instances are missed at the moment. */
    isCut(): boolean
    onCut(listener: () => void): void
    onWhole(listener: () => void): void
  }
}

/**
 * A message on its way: the sender's id, one letter for the kind, the payload. As fixed in size as it can be, so that
 * neither end has to parse it.
 */
const KINDS = { event: 'e', control: 'c', lost: 'l' } as const
const ID_LENGTH = 36

/** On it an instance says that messages of its own were lost: everybody else has a gap then. */
const LOSSES = 'losses'
const GAP_EVERY_MS = 15_000

/** Redis stays the caller's to close. `gapEveryMs` is for tests. */
export function createRedisBus(redis: BusRedis, log: Log, gapEveryMs = GAP_EVERY_MS): Bus {
  const { channels } = redis
  const instanceId = crypto.randomUUID()
  const local = createMemoryBus(log)
  const counts = new Map<Topic, number>()
  const gapListeners: (() => void)[] = []
  let gapTimer: ReturnType<typeof setInterval> | undefined
  let isClosed = false

  const send = (topic: string, kind: keyof typeof KINDS, payload: string) =>
    redis.send(topic, ['SPUBLISH', topic, `${instanceId}${KINDS[kind]}${payload}`])
  const losses = createLossReport(() => send(LOSSES, 'lost', ''), log)

  function receive(topic: string, text: string): void {
    const isOwn = text.startsWith(instanceId)
    if (isOwn || isClosed) return
    const kind = text[ID_LENGTH]
    const payload = text.slice(ID_LENGTH + 1)
    if (kind === KINDS.lost) tellGap()
    else if (!isSubscribed(topic)) return
    else if (kind === KINDS.event) local.publish([{ topic, kind: 'event', payload }])
    else if (kind === KINDS.control) local.publish([{ topic, kind: 'control', payload }])
  }

  const isSubscribed = (topic: string): topic is Topic => counts.has(topic as Topic)

  function tellGap(): void {
    for (const listener of gapListeners) {
      try {
        listener()
      } catch (error) {
        log.error('A listener to gaps failed', { error })
      }
    }
  }

  function startGap(): void {
    if (!isClosed) gapTimer ??= setInterval(tellGap, gapEveryMs)
  }

  function stopGap(): void {
    clearInterval(gapTimer)
    gapTimer = undefined
  }

  channels.onMessage(receive)
  channels.onCut(startGap)
  channels.onWhole(() => {
    stopGap()
    if (!isClosed) tellGap()
  })
  if (channels.isCut()) startGap()
  channels.subscribe([LOSSES]).catch((error) => log.error('Could not subscribe', { error }))

  return {
    publish(batch: readonly BusMessage[]): void {
      if (isClosed) return
      // First, so that what a listener publishes in answer goes out after it; it is written after this turn.
      for (const { topic, kind, payload } of batch) send(topic, kind, payload).catch(losses.note)
      local.publish(batch)
    },
    subscribe(topics) {
      for (const topic of topics) counts.set(topic, (counts.get(topic) ?? 0) + 1)
      return channels.subscribe(topics)
    },
    unsubscribe(topics) {
      const left = topics.filter((topic) => {
        const count = (counts.get(topic) ?? 0) - 1
        if (count > 0) counts.set(topic, count)
        return count <= 0 && counts.delete(topic)
      })
      channels.unsubscribe(left)
    },
    onMessage: local.onMessage,
    onGap: (listener) => gapListeners.push(listener),
    async close() {
      if (isClosed) return
      isClosed = true
      stopGap()
      losses.close()
      channels.unsubscribe([LOSSES, ...counts.keys()])
      counts.clear()
    },
  }
}
