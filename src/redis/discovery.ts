/** Asks Redis what it is: a single server, or a cluster and who has which slot in it. */
import { type Connection, type ConnectionOptions, openConnection } from './connection.ts'
import { addressOf, type Endpoint } from './endpoint.ts'
import { explain, RedisAway, RedisRefused } from './errors.ts'
import { readSlots, type SlotRange } from './slots.ts'

export interface Discovery {
  /** Who answered. */
  endpoint: Endpoint
  /** Undefined: it is a single server. */
  slots: SlotRange[] | undefined
}

export interface DiscoveryOptions extends Pick<ConnectionOptions, 'access' | 'signal'> {
  seeds: readonly Endpoint[]
  /** The ways to nodes that are open already. */
  listOpen(): { endpoint: Endpoint; connection: Connection }[]
}

/**
 * Asks the nodes that are known and there, then those of the URL: all others may have been replaced meanwhile.
 * @throws the last failure when none answers
 */
export async function discover({ seeds, access, signal, listOpen }: DiscoveryOptions): Promise<Discovery> {
  let failure: Error = new RedisAway('Redis is away: no server is known')
  for (const { endpoint, connection } of listOpen()) {
    try {
      return { endpoint, slots: await readSlots(endpoint, connection.send) }
    } catch (error) {
      failure = explain(error)
    }
  }
  for (const endpoint of seeds) {
    try {
      const slots = await askBriefly(endpoint)
      if (!slots && seeds.length > 1) throw notACluster(endpoint)
      return { endpoint, slots }
    } catch (error) {
      failure = explain(error)
    }
  }
  throw failure

  async function askBriefly(endpoint: Endpoint): Promise<SlotRange[] | undefined> {
    const connection = await openConnection({ endpoint, access, use: 'commands', onEnd: () => {}, signal })
    try {
      return await readSlots(endpoint, connection.send)
    } finally {
      connection.end(new RedisAway('It was only asked for its slots'))
    }
  }
}

/** Each instance would take the one it reaches first, and some would never hear of each other. */
const notACluster = (endpoint: Endpoint) =>
  new RedisRefused(`${addressOf(endpoint)} is not in a cluster: then there must be one URL alone`)
