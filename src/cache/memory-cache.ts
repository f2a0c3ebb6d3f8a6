/** The cache of a single instance: a map that forgets the least recently used. */
import type { Cache } from './cache.ts'
import { LEASE_MS, MAX_CACHE_SECONDS } from './keys.ts'

interface Entry {
  /** Undefined while it is being loaded. */
  value: string | undefined
  permit: string
  leasedAt: number
  expiresAt: number
}

/** What an entry takes beside its text, roughly. */
const ENTRY_BYTES = 250
const bytesOf = (key: string, { value }: Entry) => ENTRY_BYTES + 2 * (key.length + (value?.length ?? 0))

/** `now` in milliseconds, of a clock that nobody sets. */
export function createMemoryCache({ maxBytes = 16 * 1024 * 1024, now = () => performance.now() } = {}): Cache {
  /** The least recently used first. */
  const entries = new Map<string, Entry>()
  let bytes = 0
  let permits = 0

  function remove(key: string): void {
    const entry = entries.get(key)
    if (!entry) return
    entries.delete(key)
    bytes -= bytesOf(key, entry)
  }

  function put(key: string, entry: Entry): void {
    remove(key)
    entries.set(key, entry)
    bytes += bytesOf(key, entry)
    for (const oldest of entries.keys()) {
      if (bytes <= maxBytes) return
      remove(oldest)
    }
  }

  function find(key: string): Entry | undefined {
    const entry = entries.get(key)
    return entry && entry.expiresAt > now() ? entry : undefined
  }

  function recall(key: string): string | undefined {
    const entry = find(key)
    if (entry?.value === undefined) return undefined
    entries.delete(key)
    entries.set(key, entry)
    return entry.value
  }

  function lease(key: string): string {
    const permit = `${++permits}`
    put(key, { value: undefined, permit, leasedAt: now(), expiresAt: now() + LEASE_MS })
    return permit
  }

  return {
    recall,

    async get(key) {
      const value = recall(key)
      return value === undefined ? { permit: find(key)?.permit ?? lease(key) } : { value }
    },

    async set(key, value, ttlSeconds, permit) {
      const entry = find(key)
      const isGood = entry !== undefined && entry.value === undefined && entry.permit === permit
      if (!isGood) return
      put(key, { ...entry, value, expiresAt: entry.leasedAt + Math.min(ttlSeconds, MAX_CACHE_SECONDS) * 1000 })
    },

    async replace(key, value, ttlSeconds) {
      const ttlMs = Math.min(ttlSeconds, MAX_CACHE_SECONDS) * 1000
      put(key, { value, permit: '', leasedAt: now(), expiresAt: now() + ttlMs })
    },

    async forget(key) {
      remove(key)
    },
  }
}
