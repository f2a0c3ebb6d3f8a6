/** The way to Redis, a single server or a cluster, through whatever befalls it. */
import type { Log } from '../observability/log.ts'
import { type Channels, createChannels } from './channels.ts'
import { createCommands } from './commands.ts'
import { readRedisUrls } from './endpoint.ts'
import { explain, RedisRefused } from './errors.ts'
import { createListeners } from './listeners.ts'
import { createNodes } from './nodes.ts'
import type { RedisReply } from './reply.ts'
import type { Script } from './script.ts'
import { createTroubleLog } from './trouble-log.ts'

export { RedisAway, RedisRefused } from './errors.ts'
export type { RedisReply } from './reply.ts'
export { defineScript, type Script } from './script.ts'

export interface Redis {
  /** Found out when the first connection is there. */
  kind(): 'single' | 'cluster' | undefined
  /** Whether commands are answered at the moment; of a cluster, those of every key. */
  isReady(): boolean
  /**
   * Sends one command. Commands of one turn go out in one write. `key` decides the node in a cluster.
   * @throws RedisAway at once while Redis is away, and after 1 s without an answer (the connection is then given up and
   *   made anew)
   */
  send(key: string, command: readonly string[]): Promise<RedisReply>
  /** Runs a script that touches `key` alone, by its SHA-1; loaded where the server does not know it (restart, flush, failover). */
  runScript(script: Script, key: string, args: readonly string[]): Promise<RedisReply>
  /** Redis, or a node of it, is there again, perhaps emptied. Called on every (re)connection but not for the listener's own registration. */
  onReady(listener: () => void): void
  /** How many commands wait for their answers. */
  unanswered(): number
  /** Waits up to 1 s until what was sent before is answered, and ends every connection. What is sent later is refused. */
  close(): Promise<void>
}

/** Redis with its pub/sub. */
export interface RedisWithChannels extends Redis {
  readonly channels: Channels
}

const FIRST_WAIT_MS = 5000

/**
 * Waits up to 5 s for the first connection, and goes on without (logged as an error; tries on for ever).
 * @param url one, or several of a cluster with commas between them
 * @param onRoundTrip told now and then how many milliseconds a message takes through Redis and back
 * @throws for a malformed URL. @throws RedisRefused when Redis answers meanwhile that it will not have us
 */
export async function connectRedis(
  url: string,
  log: Log,
  onRoundTrip?: (ms: number) => void,
): Promise<RedisWithChannels> {
  const { seeds, access } = readRedisUrls(url)
  const troubles = createTroubleLog(log)
  const first = Promise.withResolvers<void>()
  const readyListeners = createListeners<[]>(log)
  const { channels, ...inner } = createChannels({
    subscriberOf: (channel) => nodes.nodeOf(channel)?.subscriber,
    log,
  })
  const nodes = createNodes({
    seeds,
    access,
    instanceId: crypto.randomUUID(),
    listWanted: (node) => inner.listWanted(node.subscriber),
    onMessage: inner.deliver,
    onReady: readyListeners.tell,
    onRoundTrip,
    onUp() {
      if (!nodes.areUp()) return
      troubles.end()
      inner.setCut(false)
      first.resolve()
    },
    onDown(reason) {
      if (nodes.areUp()) return
      troubles.note(reason)
      inner.setCut(true)
      if (reason instanceof RedisRefused) first.reject(reason)
    },
  })

  const redis: RedisWithChannels = {
    channels,
    kind: nodes.kind,
    isReady: nodes.areReady,
    unanswered: nodes.unanswered,
    ...createCommands(nodes),
    onReady: readyListeners.add,
    async close() {
      await nodes.close()
      inner.close()
    },
  }
  const patience = setTimeout(() => {
    log.error('Redis did not answer at the start: going on without it, and trying on')
    first.resolve()
  }, FIRST_WAIT_MS)
  try {
    await first.promise
  } catch (error) {
    await redis.close()
    throw explain(error)
  } finally {
    clearTimeout(patience)
  }
  return redis
}
