/** The places in which the ports are tried: one process, a real Redis, a real Redis cluster. */
import { afterAll, beforeAll } from 'bun:test'
import { createLog } from '../../src/observability/log.ts'
import { connectRedis, type Redis } from '../../src/redis/client.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

export interface RedisWorld {
  readonly server: TestRedis
  /** Another instance's connection. */
  connect(): Promise<Redis>
}

/** The lines of the log so far, and the log. */
export function createTestLog() {
  const lines: string[] = []
  return { lines, log: createLog('debug', (line) => lines.push(line)) }
}

/** For a whole describe. A cluster of one node refuses commands and scripts that touch keys of several slots, as any does. */
export function useRedis(kind: 'single' | 'cluster' = 'single'): RedisWorld {
  let running: TestRedis | undefined
  const connections: Redis[] = []
  const world: RedisWorld = {
    get server() {
      if (!running) throw new Error('Redis is started before the first test')
      return running
    },
    async connect() {
      const redis = await connectRedis(world.server.url, createTestLog().log)
      connections.push(redis)
      return redis
    },
  }
  beforeAll(async () => {
    running = await startRedis(kind === 'cluster' ? ['--cluster-enabled', 'yes'] : [])
    if (kind === 'cluster') await formCluster(running)
  })
  afterAll(async () => {
    for (const redis of connections) await redis.close()
    await running?.stop()
  })
  return world
}

async function formCluster(server: TestRedis): Promise<void> {
  await server.cli('cluster', 'addslotsrange', '0', '16383')
  await until(async () => (await server.cli('cluster', 'info')).includes('cluster_state:ok'))
}

/** A name that no other test uses. */
export const freshName = () => Bun.randomUUIDv7()
