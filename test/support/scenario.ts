/**
 * What is done to the server, and what it has to hold: each scenario has a figure and a bar. The short form runs with the
 * suites, the long one by a command of its own that prints a table.
 */

export type Size = 'short' | 'long'

export interface Outcome {
  /** What was measured, for people. */
  figure: string
  isHeld: boolean
  /** What broke the bar, the first few. */
  faults?: readonly string[]
}

export interface Scenario {
  name: string
  /** What has to be, for people. */
  bar: string
  /** Seconds that the short form may take. */
  withinSeconds: number
  /** It makes a disk, say. */
  needsRoot?: true
  run(size: Size): Promise<Outcome>
}

const MAX_FAULTS = 10

const say = (text: string) => process.stderr.write(`${text}\n`)

/** Nothing may be wrong: `0 of 200 accepted`. */
export const noneOf = (faults: readonly string[], count: number, what: string): Outcome => ({
  figure: `${faults.length} of ${count} ${what}`,
  isHeld: faults.length === 0 && count > 0,
  faults: faults.slice(0, MAX_FAULTS),
})

/** Several figures of one scenario: all have to hold. */
export const allOf = (outcomes: readonly Outcome[]): Outcome => ({
  figure: outcomes.map(({ figure }) => figure).join('; '),
  isHeld: outcomes.every(({ isHeld }) => isHeld),
  faults: outcomes.flatMap(({ faults = [] }) => faults),
})

/** A percentile, `share` from 0 to 1, by the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/**
 * Runs all in their long form, or those whose name holds one of `wanted`, and prints the table.
 * @returns whether every bar was held
 */
export async function printTable(scenarios: readonly Scenario[], wanted: readonly string[]): Promise<boolean> {
  const chosen = scenarios.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  if (chosen.length === 0) {
    say(`There is none of that name: ${scenarios.map(({ name }) => name).join(', ')}`)
    return false
  }
  const rows: [string, string, string, string][] = [['Scenario', 'Figure', 'Bar', 'Held']]
  let areHeld = true
  for (const { name, bar, run } of chosen) {
    const startedAt = performance.now()
    const {
      figure,
      isHeld,
      faults = [],
    } = await run('long').catch(
      (error: unknown): Outcome => ({ figure: 'did not end', isHeld: false, faults: [String(error)] }),
    )
    areHeld &&= isHeld
    rows.push([name, figure, bar, isHeld ? 'yes' : 'NO'])
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    say(`${isHeld ? 'held' : 'NOT HELD'}: ${name}: ${figure} (${seconds} s)`)
    for (const fault of faults) say(`  ${fault}`)
  }
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  process.stdout.write(
    `${[line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')}\n`,
  )
  return areHeld
}
