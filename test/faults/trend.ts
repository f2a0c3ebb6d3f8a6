/** Whether something grows, by measurements that go up and down all the while. Pure. */

export interface Point {
  hours: number
  mb: number
}

/** MB an hour: the likely figure, and what it is between with 95 % certainty. */
export interface Growth {
  perHour: number
  least: number
  most: number
}

/**
 * The lowest of each `size` neighbours. Memory is a sawtooth: what was not collected yet lies on top of what stays, and what
 * stays is what may grow.
 */
export function lowestOf(points: readonly Point[], size: number): Point[] {
  const lowest: Point[] = []
  for (let at = 0; at + size <= points.length; at += size) {
    lowest.push(points.slice(at, at + size).reduce((low, point) => (point.mb < low.mb ? point : low)))
  }
  return lowest
}

/**
 * The slope by Theil and Sen: the median of those between every two points, which a few that are far off do not move as they
 * move least squares; and its interval by Kendall's rank correlation (P. K. Sen, Estimates of the Regression Coefficient
 * Based on Kendall's Tau, 1968). Fewer than six points tell nothing.
 */
export function growthOf(points: readonly Point[]): Growth {
  const slopes = points
    .flatMap((a, at) => points.slice(at + 1).map((b) => (b.mb - a.mb) / (b.hours - a.hours)))
    .sort((a, b) => a - b)
  const { length: n } = points
  const spread = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  const below = Math.floor((slopes.length - spread) / 2) - 1
  return {
    perHour: ((slopes[(slopes.length - 1) >> 1] ?? Number.NaN) + (slopes[slopes.length >> 1] ?? Number.NaN)) / 2,
    least: slopes[below] ?? Number.NEGATIVE_INFINITY,
    most: slopes[slopes.length - 1 - below] ?? Number.POSITIVE_INFINITY,
  }
}

/** Undefined: the measurements are too few, or go up and down too much, to say. */
export function isGrowthWithin({ least, most }: Growth, barPerHour: number): boolean | undefined {
  if (most <= barPerHour) return true
  return least > barPerHour ? false : undefined
}
