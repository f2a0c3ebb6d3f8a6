/**
 * How long a test waits for what has to come: long enough for a machine with other work, where it only tells what comes
 * from what never does. How fast things come is shown by the benchmarks and by the long forms of the scenarios.
 */
export const PATIENCE_MS = 20_000

/**
 * Waits until it is so.
 * @returns the milliseconds it took
 * @throws when it is not so within `PATIENCE_MS`
 */
export async function until(isSo: () => unknown, what = 'what was waited for'): Promise<number> {
  const startedAt = performance.now()
  while (!(await isSo())) {
    if (performance.now() - startedAt > PATIENCE_MS) throw new Error(`Not within ${PATIENCE_MS} ms: ${what}`)
    await Bun.sleep(5)
  }
  return performance.now() - startedAt
}
