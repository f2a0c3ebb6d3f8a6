/** Two instances, and the same users on either. */
import type { TestUser } from '../support/client.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { startServer, type TestServer } from '../support/server.ts'

export interface TwoInstances {
  server: TestServer
  redis: TestRedis
  /** The user on the first instance, and on the second. */
  on(user: TestUser): [TestUser, TestUser]
  stop(): Promise<void>
}

export async function startTwo(settings: Record<string, string> = {}): Promise<TwoInstances> {
  const redis = await startRedis()
  const server = await startServer(settings, { instances: 2, redis })
  const [first = '', second = ''] = server.instanceUrls
  return {
    server,
    redis,
    on: (user) => [user.at(first), user.at(second)],
    async stop() {
      await server.stop()
      await redis.stop()
    },
  }
}
