/** The server with its inside open: the gateway, the bus, and how much either holds. For what no client can see. */
import { type App, createApp } from '../../src/app.ts'
import type { Bus } from '../../src/bus/bus.ts'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { beAlone } from '../../src/commands/instances.ts'
import { openStorage } from '../../src/commands/parts.ts'
import { loadConfig } from '../../src/config.ts'
import { connectDatabase } from '../../src/db/client.ts'
import { writerStartup } from '../../src/features/messages/writer.ts'
import { createLog } from '../../src/observability/log.ts'
import { TestUser } from '../support/client.ts'
import { TEST_SECRET, type TestServer } from '../support/server.ts'

export interface AppServer {
  app: App
  bus: Bus
  /** Subscriptions that were not taken back, by topic. */
  subscriptions: ReadonlyMap<string, number>
  logs: Record<string, unknown>[]
  /** Every statement that was run, in order. */
  statements: string[]
  /** The same user, talking to this server. */
  here(user: TestUser): TestUser
  /** What a bus does that may have missed something. */
  gap(): void
  stop(): Promise<void>
}

/** A second server on the database of `server`: it has a bus of its own, so what happens there is not heard here. */
export async function startAppServer(server: TestServer): Promise<AppServer> {
  const config = loadConfig({
    RATE_LIMITS: 'off',
    SLOW_QUERY_MS: '0',
    JWT_SECRET: TEST_SECRET,
    DATABASE_URL: server.config.DATABASE_URL,
    DATA_DIR: server.config.DATA_DIR,
  })
  const url = config.DATABASE_URL
  const logs: Record<string, unknown>[] = []
  const log = createLog('debug', (line) => logs.push(JSON.parse(line) as Record<string, unknown>))
  const database = connectDatabase({ url, poolMax: 10, name: 'app' })
  const writerDatabase = connectDatabase({ url, poolMax: 1, name: 'app writer', startup: writerStartup })
  const statements: string[] = []
  for (const { sql } of [database, writerDatabase]) sql.options.debug = (_connection, query) => statements.push(query)
  const subscriptions = new Map<string, number>()
  const gapListeners: (() => void)[] = []
  const bus = {
    ...createCountingBus(createMemoryBus(log), subscriptions),
    onGap: (listener: () => void) => gapListeners.push(listener),
  }
  const app = createApp({
    ...beAlone(log),
    config,
    secret: TEST_SECRET,
    database,
    writerDatabase,
    storage: await openStorage(config, log),
    ffmpeg: undefined,
    bus,
    isRunner: () => false,
    log,
  })
  app.http.listen({ port: 0, hostname: '127.0.0.1', websocket: app.gateway.websocket })
  const { server: listening } = app.http
  if (!listening) throw new Error('The server did not start to listen')
  app.fanout.attach(listening)
  const base = `http://127.0.0.1:${listening.port}`

  return {
    app,
    bus,
    gap() {
      for (const listener of gapListeners) listener()
    },
    subscriptions,
    logs,
    statements,
    here: ({ id, sessionId, token, refreshToken }) => new TestUser(base, id, sessionId, token, refreshToken),
    async stop() {
      app.gateway.drain()
      await listening.stop(true)
      await app.settle()
      app.stop()
      await database.close()
      await writerDatabase.close()
    },
  }
}

function createCountingBus(bus: Bus, counts: Map<string, number>): Bus {
  const count = (topics: readonly string[], change: number) => {
    for (const topic of topics) {
      const now = (counts.get(topic) ?? 0) + change
      if (now === 0) counts.delete(topic)
      else counts.set(topic, now)
    }
  }
  return {
    ...bus,
    subscribe(topics) {
      count(topics, 1)
      return bus.subscribe(topics)
    },
    unsubscribe(topics) {
      count(topics, -1)
      bus.unsubscribe(topics)
    },
  }
}
