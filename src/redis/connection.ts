/** One connection to one node. It ends once, for whatever reason, and is never mended: a new one is opened. */
import { createClient } from 'redis'
import { type Access, addressOf, type Endpoint } from './endpoint.ts'
import { explain, RedisAway } from './errors.ts'
import type { RedisReply } from './reply.ts'
import { createWatch } from './watch.ts'

export interface ConnectionOptions {
  endpoint: Endpoint
  access: Access
  /** `commands` answers them; `channels` can subscribe alone. */
  use: 'commands' | 'channels'
  /** An open connection was lost or given up. Called once; whatever it had not answered has been rejected. */
  onEnd(reason: Error): void
  /** Ends it, also while it opens. */
  signal: AbortSignal
}

export type ChannelListener = (payload: string, channel: string) => void

export interface Connection {
  /** What is sent in one turn goes out in one write. @throws what {@link explain} makes of an error */
  send(command: readonly string[]): Promise<RedisReply>
  /** Resolves when Redis has confirmed all. In a cluster they must be of one slot. */
  subscribe(channels: string[], listener: ChannelListener): Promise<void>
  unsubscribe(channels: string[], listener: ChannelListener): Promise<void>
  end(reason: Error): void
  isEnded(): boolean
  /** How many commands wait for their answers. */
  unanswered(): number
}

const OPEN_MS = 2000
/** Without an answer for so long a connection counts as dead, though TCP holds it up. */
const DEADLINE_MS = { commands: 1000, channels: 2000 }
/** Unanswered commands that a connection holds at most; further ones are refused. */
const MAX_WAITING = 20_000

/** @throws RedisAway when it does not open within 2 s, RedisRefused when Redis does not let us in */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { use, endpoint, onEnd, signal } = options
  const client = createClientOf(options)
  const lost = Promise.withResolvers<never>()
  // Whoever opens it may be gone by then.
  lost.promise.catch(() => {})
  const watch = createWatch(DEADLINE_MS[use], () => {
    end(new RedisAway(`${addressOf(endpoint)} has not answered for ${DEADLINE_MS[use]} ms`))
  })
  let state: 'opening' | 'open' | 'ended' = 'opening'

  const abort = () => end(new RedisAway('Redis is not needed any more'))

  function end(reason: Error): void {
    if (state === 'ended') return
    const wasOpen = state === 'open'
    state = 'ended'
    watch.stop()
    signal.removeEventListener('abort', abort)
    client.destroy()
    lost.reject(reason)
    if (wasOpen) onEnd(reason)
  }

  async function answered<T>(ask: () => Promise<T>): Promise<T> {
    if (state === 'ended') throw new RedisAway(`The connection to ${addressOf(endpoint)} has ended`)
    watch.sent()
    try {
      return await ask()
    } catch (error) {
      throw explain(error)
    } finally {
      watch.answered()
    }
  }

  client.on('error', (error) => end(explain(error)))
  // Redis took the slot from this node, and the subscriptions with it.
  client.on('sharded-channel-moved', () => end(new RedisAway(`${addressOf(endpoint)} has no longer all of its slots`)))
  // A socket that was still connecting when it was given up.
  client.on('connect', () => {
    if (state === 'ended') client.destroy()
  })
  signal.addEventListener('abort', abort, { once: true })
  const deadline = setTimeout(() => end(new RedisAway(`${addressOf(endpoint)} does not answer`)), OPEN_MS)
  try {
    signal.throwIfAborted()
    await Promise.race([client.connect(), lost.promise])
    state = 'open'
  } catch (error) {
    end(explain(error))
    throw explain(error)
  } finally {
    clearTimeout(deadline)
  }

  return {
    send: (command) => answered(() => client.sendCommand<RedisReply>(command)),
    subscribe: (channels, listener) => answered(() => client.sSubscribe(channels, listener)),
    unsubscribe: (channels, listener) => answered(() => client.sUnsubscribe(channels, listener)),
    end,
    isEnded: () => state === 'ended',
    unanswered: watch.waiting,
  }
}

function createClientOf({ endpoint, access, use }: ConnectionOptions) {
  const { tls, ...credentials } = access
  const socket = { ...endpoint, reconnectStrategy: false as const, connectTimeout: OPEN_MS }
  return createClient({
    ...credentials,
    socket: tls ? { ...socket, tls } : socket,
    // Only RESP 3 keeps what is published apart from answers; only RESP 2 answers in the shapes of RedisReply.
    RESP: use === 'channels' ? 3 : 2,
    name: `messenger-${use}`,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_WAITING,
    // A timer for each command would cost more than the command; the watch has one for all.
    commandOptions: { timeout: undefined },
  })
}
