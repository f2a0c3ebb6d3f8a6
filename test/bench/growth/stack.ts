/** The product's services in this process, to time them; or with every plan that PostgreSQL makes for them. */
import { createApp } from '../../../src/app.ts'
import { createMemoryBus } from '../../../src/bus/memory.ts'
import type { Cache } from '../../../src/cache/cache.ts'
import { createMemoryHolders } from '../../../src/cache/memory-holders.ts'
import { createMemoryLimiter } from '../../../src/cache/memory-limiter.ts'
import { openStorage } from '../../../src/commands/parts.ts'
import { loadConfig } from '../../../src/config.ts'
import { connectDatabase, type DatabaseOptions } from '../../../src/db/client.ts'
import { writerStartup } from '../../../src/features/messages/writer.ts'
import { createLog } from '../../../src/observability/log.ts'
import type { Services } from '../../../src/services.ts'

export interface Stack {
  services: Services
  /** Everything that was asked of PostgreSQL since the last call; nothing unless the stack explains. */
  takePlans(): Plan[]
  stop(): Promise<void>
}

export interface Plan {
  text: string
  /** Pages of 8 KiB that it touched, in PostgreSQL's memory or not. */
  buffers: number
}

/** What a cache would answer is asked of PostgreSQL. */
const NO_CACHE: Cache = {
  recall: () => undefined,
  get: async () => ({ permit: undefined }),
  set: async () => {},
  forget: async () => {},
  replace: async () => {},
}

/** Every statement's plan with what it really did, as a notice to whoever ran it (auto_explain, PostgreSQL's documentation). */
const EXPLAINING = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': 0,
  'auto_explain.log_analyze': true,
  'auto_explain.log_buffers': true,
  'auto_explain.log_timing': false,
  client_min_messages: 'log',
}
const SECRET = 'a secret of the bench, long enough to be one'

export async function startStack(url: string, { isExplaining }: { isExplaining: boolean }): Promise<Stack> {
  let plans: Plan[] = []
  const onNotice: DatabaseOptions['onNotice'] = ({ message = '' }) => {
    const [, text] = /^duration: .*?plan:\n([\s\S]*)$/.exec(message) ?? []
    if (text) plans.push({ text, buffers: buffersOf(text) })
  }
  const explaining = isExplaining ? EXPLAINING : {}
  const connect = (name: string, poolMax: number, startup: DatabaseOptions['startup'] = {}) =>
    connectDatabase({
      url,
      poolMax,
      name,
      startup: { ...startup, ...explaining },
      onNotice,
      statementTimeoutSeconds: 0,
    })
  const database = connect('bench', 2)
  // As `serve` opens it.
  const writerDatabase = connect('bench writer', 1, writerStartup)
  const config = loadConfig({ DATABASE_URL: url, JWT_SECRET: SECRET, RATE_LIMITS: 'off' })
  const log = createLog('error', (line) => process.stderr.write(line))
  const app = createApp({
    ...{ config, secret: SECRET, database, writerDatabase, log, cache: NO_CACHE },
    bus: createMemoryBus(log),
    limiter: createMemoryLimiter(),
    holders: createMemoryHolders(),
    storage: await openStorage(config, log),
    ffmpeg: undefined,
    probes: {},
    isRunner: () => false,
  })
  // What the test stores is indexed before the next size is measured, and not meanwhile.
  await app.services.searchIndexer.stop()
  return {
    services: app.services,
    takePlans() {
      const taken = plans
      plans = []
      return taken
    },
    async stop() {
      await app.settle()
      app.stop()
      await database.close()
      await writerDatabase.close()
    },
  }
}

/** Of the topmost node, which counts those below it. */
function buffersOf(plan: string): number {
  const [, hit = '0', read = '0'] = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(plan) ?? []
  return Number(hit) + Number(read)
}
