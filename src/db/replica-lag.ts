/** How far a replica is behind, by this process's clock alone. Pure. */

/** How far the primary had written its log (WAL) at a moment. */
export interface Sample {
  /** performance.now() before the primary was asked. */
  at: number
  /** A place in the log, in bytes from its beginning. */
  written: number
}

const MAX_SAMPLES = 3600

/** The samples with another one; of those of an idle primary the last counts, and the oldest go. */
export function addSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const isIdle = samples.at(-1)?.written === sample.written
  return [...(isIdle ? samples.slice(0, -1) : samples), sample].slice(-MAX_SAMPLES)
}

/**
 * The seconds between the last sample and the last one that the replica has replayed: 0 for one that has everything, on
 * an idle primary too. Undefined when it has not even the first.
 */
export function lagOf(samples: readonly Sample[], replayed: number): number | undefined {
  const reached = samples.findLast(({ written }) => written <= replayed)
  const last = samples.at(-1)
  return reached && last && (last.at - reached.at) / 1000
}
