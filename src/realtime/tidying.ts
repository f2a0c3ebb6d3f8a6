/**
 * Collects garbage while many sockets open, and once more when they have. What each leaves behind, its lists of chats and
 * the news of its coming, lies between what stays; left to itself the engine lets the heap grow around it, and a part of the
 * heap where one thing stays is never given back. Collected often, it makes room for the next ones instead.
 */
const WORTH_OPENINGS = 25
/** A collection stops everything for some 15 ms: no more than about a fifth of the time. */
const REST_PER_COLLECTION = 4
/** Of a heap so large that it takes longer than this, the gain is not worth what the messages of that moment wait. */
const TOO_LONG_MS = 60
const LONG_REST_MS = 60_000
/** So long after the last one opened, no other is expected at once. */
const QUIET_MS = 2000

/** @param collect returns when it is done. `now` in milliseconds, of a clock that nobody sets */
export function createTidying(collect: () => void, now = () => performance.now()) {
  let opened = 0
  let lastOpenedAt = Number.NEGATIVE_INFINITY
  let restsUntil = Number.NEGATIVE_INFINITY

  function tidy(started: number): void {
    if (opened < WORTH_OPENINGS || started < restsUntil) return
    opened = 0
    collect()
    const ended = now()
    const took = ended - started
    restsUntil = ended + (took > TOO_LONG_MS ? LONG_REST_MS : REST_PER_COLLECTION * took)
  }

  return {
    /** A socket is about to open. */
    noteOpening(): void {
      opened++
      lastOpenedAt = now()
      tidy(lastOpenedAt)
    },

    /** To be called every second or so: collects what those left who opened last. */
    look(): void {
      const started = now()
      if (started >= lastOpenedAt + QUIET_MS) tidy(started)
    },
  }
}
