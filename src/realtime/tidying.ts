/**
 * Collects garbage while many sockets open, and once more when they have. What each leaves behind, its lists of chats and
 * the news of its coming, lies between what stays; left to itself the engine lets the heap grow around it, and a part of the
 * heap where one thing stays is never given back. Collected often, it makes room for the next ones instead.
 */
const WORTH_OPENINGS = 25
/** A collection stops everything for some 15 ms: no more than about a fifth of the work. */
const WORK_PER_COLLECTION = 4
/** Of a heap so large that it takes longer than this, the gain is not worth what the messages of that moment wait. */
const TOO_LONG_MS = 60
const LONG_REST_MS = 60_000
/** So long after the last one opened, no other is expected at once, and what is noted of those who came is written. */
const QUIET_MS = 6000

/**
 * @param collect returns when it is done
 * @param now milliseconds, of a clock that nobody sets
 * @param worked milliseconds that this thread had the processor: what others do meanwhile on a busy machine counts neither
 *   as a long collection nor as work that is worth another
 */
export function createTidying(collect: () => void, now = () => performance.now(), worked = workedMs) {
  /** Since the last collection, and since the last one that came when it was quiet. */
  let opened = 0
  let openedInAll = 0
  let lastOpenedAt = Number.NEGATIVE_INFINITY
  let restsUntil = Number.NEGATIVE_INFINITY
  let worksUntil = Number.NEGATIVE_INFINITY

  const isWorth = (openings: number) => openings >= WORTH_OPENINGS && now() >= restsUntil

  function tidy(): void {
    opened = 0
    const before = worked()
    collect()
    const after = worked()
    const took = after - before
    worksUntil = after + WORK_PER_COLLECTION * took
    if (took > TOO_LONG_MS) restsUntil = now() + LONG_REST_MS
  }

  return {
    /** A socket is about to open. */
    noteOpening(): void {
      opened++
      openedInAll++
      lastOpenedAt = now()
      if (isWorth(opened) && worked() >= worksUntil) tidy()
    },

    /** To be called every second or so: collects what those left who opened last. */
    look(): void {
      if (!isWorth(openedInAll) || now() < lastOpenedAt + QUIET_MS) return
      openedInAll = 0
      tidy()
    },
  }
}

function workedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
