/** A proxy before Redis, for what a server alone does not do: connections that stay up while nothing comes through. */
import { connect, createServer, type Socket } from 'node:net'
import type { TestRedis } from '../support/redis.ts'

export interface TestProxy {
  /** For REDIS_URL. */
  url: string
  /** From now on nothing that Redis sends on the connections of this name, which are up already, arrives. */
  swallow(name: 'messenger-commands' | 'messenger-channels'): void
  stop(): Promise<void>
}

interface Pair {
  outside: Socket
  inside: Socket
  /** What the client called itself. */
  name: string
  isSwallowed: boolean
}

export async function startProxy(redis: TestRedis): Promise<TestProxy> {
  const pairs = new Set<Pair>()

  const server = createServer((outside) => {
    const inside = connect(redis.port, '127.0.0.1')
    const pair: Pair = { outside, inside, name: '', isSwallowed: false }
    pairs.add(pair)
    outside.on('data', (chunk) => {
      pair.name ||= /messenger-\w+/.exec(chunk.toString())?.[0] ?? ''
      inside.write(chunk)
    })
    inside.on('data', (chunk) => {
      if (!pair.isSwallowed) outside.write(chunk)
    })
    const end = () => {
      pairs.delete(pair)
      outside.destroy()
      inside.destroy()
    }
    for (const socket of [outside, inside]) socket.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('the proxy has no port')

  return {
    url: `redis://127.0.0.1:${address.port}`,
    swallow(name) {
      for (const pair of pairs) if (pair.name === name) pair.isSwallowed = true
    },
    async stop() {
      for (const { outside, inside } of pairs) {
        outside.destroy()
        inside.destroy()
      }
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
