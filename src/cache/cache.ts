/** The port for answers of the database that are kept for a while. */

/** `permit` lets the value be set that was read after it was given out. */
export type Found = { value: string; permit?: undefined } | { value?: undefined; permit: string | undefined }

/**
 * Guarantees of every implementation:
 * - A value is never older than its TTL, counted from before it was loaded.
 * - When `forget` has resolved, no instance reads an older value, not even one that was loaded before and set after it:
 *   whoever misses gets a permit, `forget` makes it worthless, and only a permit that is still good sets anything.
 *   Whoever forgets has committed before, and whoever loads reads where the commit is seen: never from a replica.
 * - Nothing throws. While the cache is away every `get` misses, `set` does nothing, and what was forgotten is made up for
 *   before this instance reads anything again; other instances may meanwhile read values up to their TTL.
 */
export interface Cache {
  /** The value where it is in this very process and `get` would answer it; undefined where somebody has to be asked. */
  recall(key: string): string | undefined
  get(key: string): Promise<Found>
  /** `ttlSeconds` up to MAX_CACHE_SECONDS. Without a good permit nothing happens. */
  set(key: string, value: string, ttlSeconds: number, permit: string | undefined): Promise<void>
  forget(key: string): Promise<void>
  /**
   * Sets without a permit, whatever is there. Only for values that say themselves whether they are current, and whose
   * readers ask: an older one may come back after `forget`.
   */
  replace(key: string, value: string, ttlSeconds: number): Promise<void>
}

/** The kept value, else what `load` answers, which is kept for the next one; undefined is not kept. */
export async function remember<Value extends string | undefined>(
  cache: Cache,
  key: string,
  ttlSeconds: number,
  load: () => Promise<Value>,
): Promise<string | Value> {
  const { value, permit } = await cache.get(key)
  if (value !== undefined) return value
  const loaded = await load()
  if (loaded !== undefined) await cache.set(key, loaded, ttlSeconds, permit)
  return loaded
}
