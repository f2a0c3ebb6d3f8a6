/** What the instances of one database have in common, in this process: for one that is alone. */
import type { Bus } from '../bus/bus.ts'
import { createMemoryBus } from '../bus/memory.ts'
import type { Cache } from '../cache/cache.ts'
import type { Holders } from '../cache/holders.ts'
import type { RateLimiter } from '../cache/limiter.ts'
import { createMemoryCache } from '../cache/memory-cache.ts'
import { createMemoryHolders } from '../cache/memory-holders.ts'
import { createMemoryLimiter } from '../cache/memory-limiter.ts'
import type { Log } from '../observability/log.ts'

export interface Instances {
  bus: Bus
  cache: Cache
  limiter: RateLimiter
  holders: Holders
  /** What the health of the server may tell of, without needing it. */
  probes: Record<string, () => Promise<unknown>>
  close(): Promise<void>
}

export function beAlone(log: Log): Instances {
  const bus = createMemoryBus(log)
  const holders = createMemoryHolders()
  return {
    bus,
    cache: createMemoryCache(),
    limiter: createMemoryLimiter(),
    holders,
    probes: {},
    close: () => bus.close(),
  }
}
