const MAX_BACKOFF_MS = 30_000

/** 1 s, 2 s, 4 s and so on up to 30 s; never less than the `retryAfter` seconds the server asked for. */
export const backoffMs = (attempts: number, retryAfterSeconds = 0): number =>
  Math.max(retryAfterSeconds * 1000, Math.min(MAX_BACKOFF_MS, 1000 * 2 ** Math.max(0, attempts - 1)))
