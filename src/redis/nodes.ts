/** The servers there are, and which of them has what: found out from Redis itself, and again when that changes. */
import { discover } from './discovery.ts'
import { type Access, addressOf, type Endpoint } from './endpoint.ts'
import { explain, RedisAway } from './errors.ts'
import { createNode, type Node, type NodeOptions } from './node.ts'
import { SLOT_COUNT, type SlotRange, slotOf } from './slots.ts'

export interface NodesOptions {
  seeds: readonly Endpoint[]
  access: Access
  /** This instance's own, part of the name of the channels that prove subscriptions alive. */
  instanceId: string
  listWanted: NodeOptions['listWanted']
  onMessage: NodeOptions['onMessage']
  onReady(): void
  /** Something went up. */
  onUp(): void
  /** Something went down, or cannot be reached. */
  onDown(reason: Error): void
  onRoundTrip?(ms: number): void
}

export type Nodes = ReturnType<typeof createNodes>

/** At most, while something is wrong; and in any case, since slots may move without a word. */
const LOOK_AGAIN_MS = 500
const LOOK_EVERY_MS = 10_000

export function createNodes({ seeds, access, instanceId, onMessage, ...options }: NodesOptions) {
  const closing = new AbortController()
  const nodes = new Map<string, Node>()
  /** By slot; a single server has all. */
  const owners: (Node | undefined)[] = new Array(SLOT_COUNT).fill(undefined)
  let kind: 'single' | 'cluster' | undefined
  /** Every slot has an owner. */
  let isComplete = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let isLooking = false
  let lookedAt = Number.NEGATIVE_INFINITY

  /** Finds out soon who has which slot now. A single server has them for good. */
  function refresh(): void {
    if (kind === 'single' || isLooking || timer !== undefined || closing.signal.aborted) return
    timer = setTimeout(look, Math.max(0, lookedAt + LOOK_AGAIN_MS - performance.now()))
  }

  async function look(): Promise<void> {
    timer = undefined
    isLooking = true
    lookedAt = performance.now()
    const found = await discover({ seeds, access, signal: closing.signal, listOpen }).catch(explain)
    isLooking = false
    if (closing.signal.aborted) return
    if (found instanceof Error) {
      options.onDown(found)
      refresh()
      return
    }
    if (found.slots) assign(found.slots)
    else haveOne(found.endpoint)
    options.onUp()
    if (!isComplete) refresh()
  }

  function listOpen() {
    return [...nodes.values()].flatMap(({ endpoint, commands }) => {
      const connection = commands.connection()
      return connection ? [{ endpoint, connection }] : []
    })
  }

  function haveOne(endpoint: Endpoint): void {
    for (const [address, node] of nodes) remove(address, node)
    kind = 'single'
    owners.fill(add(endpoint))
    isComplete = true
  }

  function assign(slots: readonly SlotRange[]): void {
    kind = 'cluster'
    const before = [...owners]
    owners.fill(undefined)
    for (const { from, to, master } of slots) {
      owners.fill(nodes.get(addressOf(master)) ?? add(master), from, to + 1)
    }
    isComplete = !owners.includes(undefined)
    const changed = new Set<Node>()
    for (const [slot, owner] of owners.entries()) if (owner && owner !== before[slot]) changed.add(owner)
    // Those that lost slots notice by themselves: Redis ends such subscriptions.
    for (const node of changed) node.subscriber.restart(new RedisAway('The slots of the cluster have moved'))
    for (const [address, node] of nodes) if (!owners.includes(node)) remove(address, node)
  }

  function add(endpoint: Endpoint): Node {
    const node = createNode({
      endpoint,
      access,
      isCluster: kind === 'cluster',
      beatChannel: () => findBeatChannel(node),
      listWanted: options.listWanted,
      onMessage,
      onReady() {
        options.onReady()
        options.onUp()
      },
      onRestored: options.onUp,
      onDown(reason) {
        options.onDown(reason)
        refresh()
      },
      onRoundTrip: options.onRoundTrip,
    })
    nodes.set(addressOf(endpoint), node)
    return node
  }

  function remove(address: string, node: Node): void {
    nodes.delete(address)
    node.close()
  }

  /** The first of a row of names that is in one of the node's slots. */
  function findBeatChannel(node: Node): string {
    for (let n = 0; n < SLOT_COUNT; n++) {
      const channel = `beat:${instanceId}:${n}`
      if (owners[slotOf(channel)] === node) return channel
    }
    throw new RedisAway(`${addressOf(node.endpoint)} has no slots`)
  }

  refresh()
  const looks = setInterval(refresh, LOOK_EVERY_MS)
  return {
    kind: () => kind,
    refresh,
    /** Undefined while nobody is known to have it. */
    nodeOf: (key: string): Node | undefined => (kind === 'single' ? owners[0] : owners[slotOf(key)]),
    nodeAt: (address: string): Node | undefined => nodes.get(address),
    unanswered: () => listOpen().reduce((sum, { connection }) => sum + connection.unanswered(), 0),
    /** Whether commands of every key are answered. */
    areReady: () => isComplete && [...nodes.values()].every((node) => node.commands.connection()),
    /** Whether every subscription stands, too. */
    areUp: () => isComplete && [...nodes.values()].every((node) => node.isUp()),
    async close(): Promise<void> {
      clearInterval(looks)
      clearTimeout(timer)
      closing.abort()
      // Answers come in the order of the commands: with this one all have come.
      await Promise.allSettled(listOpen().map(({ connection }) => connection.send(['PING'])))
      for (const node of nodes.values()) node.close()
    },
  }
}
