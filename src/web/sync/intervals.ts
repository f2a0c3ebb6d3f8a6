/** Which whole numbers are held: sorted intervals that neither overlap nor touch, both ends included. */
export interface Interval {
  from: number
  to: number
}

/** The index of the first interval that ends at `seq` or later. */
function find(held: readonly Interval[], seq: number): number {
  let [low, high] = [0, held.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((held[middle]?.to ?? 0) < seq) low = middle + 1
    else high = middle
  }
  return low
}

/** The interval that holds `seq`. */
export function intervalOf(held: readonly Interval[], seq: number): Interval | undefined {
  const found = held[find(held, seq)]
  return found && found.from <= seq ? found : undefined
}

/** Adds one number, in place. */
export function addSeq(held: Interval[], seq: number): void {
  const at = find(held, seq - 1)
  const here = held[at]
  if (!here || here.from > seq + 1) held.splice(at, 0, { from: seq, to: seq })
  else if (seq === here.from - 1) here.from = seq
  else if (seq === here.to + 1) {
    here.to = seq
    const next = held[at + 1]
    if (next?.from === seq + 1) {
      here.to = next.to
      held.splice(at + 1, 1)
    }
  }
}

/** What is left of it within `from` to `to`. */
export const clip = (held: readonly Interval[], from: number, to: number): Interval[] =>
  held.flatMap((one) => {
    const cut = { from: Math.max(one.from, from), to: Math.min(one.to, to) }
    return cut.from <= cut.to ? [cut] : []
  })
