/** The port for rate limits that may be forgotten; those that protect accounts live in PostgreSQL. */

export interface Limit {
  /** How many at once, and how many in each period in the long run. */
  count: number
  periodSeconds: number
}

export interface RateLimiter {
  /** Counts one. Answers 0 when it is allowed, else the whole seconds until it would be. */
  hit(key: string, limit: Limit): number | Promise<number>
}
