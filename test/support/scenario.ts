/**
 * What is done to the server, and what it has to hold: each scenario has a figure and a bar. The short form runs with the
 * suites, the long one by a command of its own that prints a table.
 */

import { cpus, totalmem } from 'node:os'

export type Size = 'short' | 'long'

export interface Outcome {
  /** What was measured, for people. */
  figure: string
  /** Undefined: it could not be found out here, which the figure says; that breaks nothing and proves nothing. */
  isHeld: boolean | undefined
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
  isHeld: outcomes.some(({ isHeld }) => isHeld === false) ? false : outcomes.every(({ isHeld }) => isHeld) || undefined,
  faults: outcomes.flatMap(({ faults = [] }) => faults),
})

/**
 * Whether a time holds its bar. The short form runs while other suites have the machine: there a time only tells what comes
 * from what hangs. The long form, by itself, holds the bar.
 */
export const isWithin = (ms: number, barMs: number, size: Size): boolean => ms <= (size === 'long' ? 1 : 10) * barMs

/** A percentile, `share` from 0 to 1, by the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

type Row = [name: string, figure: string, bar: string, held: string]

/** Padded, for a terminal. */
function toText(rows: readonly Row[]): string {
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ')).join('\n')
}

/** For the README: when and on what it ran, and the table. */
function toMarkdown([head, ...rows]: readonly Row[]): string {
  const [cpu] = cpus()
  const machine = `${cpus().length} cores of ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const named = rows.map(([name, ...rest]) => [`\`${name}\``, ...rest])
  const table = [head ?? [], ['---', '---', '---', '---'], ...named].map(line).join('\n')
  return `${new Date().toISOString().slice(0, 10)}, ${machine}, Bun ${Bun.version}:\n\n${table}`
}

const HELD = (isHeld: boolean | undefined) => (isHeld === undefined ? 'unknown' : isHeld ? 'yes' : 'NO')

/**
 * Runs all in their long form, or those whose name holds one of the words of `args`, and prints the table; with
 * `--markdown` as the README has it, with `--list` only the names and bars.
 * @returns whether no bar was broken
 */
export async function printTable(scenarios: readonly Scenario[], args: readonly string[]): Promise<boolean> {
  const wanted = args.filter((word) => !word.startsWith('--'))
  const unknown = args.filter((word) => word.startsWith('--') && word !== '--markdown' && word !== '--list')
  if (unknown.length > 0) {
    say(`Not understood: ${unknown.join(' ')}; there are --markdown and --list`)
    return false
  }
  const chosen = scenarios.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  if (chosen.length === 0) {
    say(`There is none of that name: ${scenarios.map(({ name }) => name).join(', ')}`)
    return false
  }
  if (args.includes('--list')) {
    process.stdout.write(`${toText(chosen.map(({ name, bar }) => [name, bar, '', '']))}\n`)
    return true
  }
  const rows: Row[] = [['Scenario', 'Figure', 'Bar', 'Held']]
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
    areHeld &&= isHeld !== false
    rows.push([name, figure, bar, HELD(isHeld)])
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    say(`held: ${HELD(isHeld)}: ${name}: ${figure} (${seconds} s)`)
    for (const fault of faults) say(`  ${fault}`)
  }
  process.stdout.write(`${(args.includes('--markdown') ? toMarkdown : toText)(rows)}\n`)
  return areHeld
}
