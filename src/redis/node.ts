/** One server: a single one, or a master of a cluster. Commands have a connection of their own, subscriptions another. */
import { openConnection } from './connection.ts'
import { type Access, addressOf, type Endpoint } from './endpoint.ts'
import { keepOpen, type Link, type LinkOptions } from './link.ts'
import { createSubscriber, type Subscriber } from './subscriber.ts'

export interface Node {
  readonly endpoint: Endpoint
  readonly commands: Link
  readonly subscriber: Subscriber
  isUp(): boolean
  close(): void
}

export interface NodeOptions {
  endpoint: Endpoint
  access: Access
  isCluster: boolean
  beatChannel(): string
  listWanted(node: Node): string[]
  onMessage(channel: string, payload: string): void
  /** Commands are answered again, by a server that may have been emptied. */
  onReady(): void
  onRestored(): void
  onDown(reason: Error): void
  onRoundTrip?(ms: number): void
}

export function createNode(options: NodeOptions): Node {
  const { endpoint, access, isCluster, onDown } = options
  const openFor =
    (use: 'commands' | 'channels'): LinkOptions['open'] =>
    (onEnd, signal) =>
      openConnection({ endpoint, access, use, onEnd, signal })
  const commands = keepOpen({ open: openFor('commands'), onUp: options.onReady, onDown })
  const subscriber = createSubscriber({
    open: openFor('channels'),
    isCluster,
    beatChannel: options.beatChannel,
    async publish(channel, payload) {
      const connection = commands.connection()
      if (!connection) throw new Error(`${addressOf(endpoint)} is away`)
      await connection.send(['SPUBLISH', channel, payload])
    },
    listWanted: () => options.listWanted(node),
    onMessage: options.onMessage,
    onRestored: options.onRestored,
    onDown,
    onRoundTrip: options.onRoundTrip,
  })
  const node: Node = {
    endpoint,
    commands,
    subscriber,
    isUp: () => commands.connection() !== undefined && subscriber.isRestored(),
    close() {
      commands.close()
      subscriber.close()
    },
  }
  return node
}
