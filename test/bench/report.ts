/** The table, and the figures as JSON. */
import { mkdir } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { $ } from 'bun'
import { type Goal, median, type Row } from './part.ts'
import type { BenchPostgres } from './systems/postgres.ts'
import { findRuntime } from './systems/stand-in.ts'

export interface Machine {
  date: string
  machine: string
  versions: Record<string, string>
  commit: string
}

export async function describeMachine(postgres: BenchPostgres): Promise<Machine> {
  const git = async (...args: string[]) =>
    (
      await $`git ${args}`
        .cwd(import.meta.dir)
        .nothrow()
        .quiet()
    ).stdout.toString()
  const isChanged = (await git('status', '--porcelain', '--untracked-files=no')).trim() !== ''
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    versions: {
      messenger: `from source on Bun ${Bun.version}`,
      'stand-in': `socket.io, express and pg on ${findRuntime().name}`,
      postgresql: `${await postgres.show('server_version')}, synchronous_commit ${await postgres.show('synchronous_commit')}`,
    },
    commit: `${(await git('rev-parse', '--short', 'HEAD')).trim() || 'unknown'}${isChanged ? ' and changes' : ''}`,
  }
}

/** One for each round: the figures that the goal is about. */
export const figuresOf = ({ ours, against }: Row): number[] =>
  ours.map((value, round) => (against ? value / (against.values[round] ?? Number.NaN) : value))

/** Undefined where there is no goal. */
export function isHeld(row: Row): boolean | undefined {
  const { goal } = row
  if (!goal) return undefined
  const figure = median(figuresOf(row))
  return figure >= (goal.atLeast ?? Number.NEGATIVE_INFINITY) && figure <= (goal.atMost ?? Number.POSITIVE_INFINITY)
}

/** Three digits that count, thousands whole. */
export function show(value: number): string {
  if (!Number.isFinite(value)) return 'none'
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  const digits = value === 0 ? 0 : Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(Math.abs(value)))))
  return value.toFixed(digits)
}

const withUnit = (value: number, unit: string) => (unit === '/s' ? `${show(value)}/s` : `${show(value)} ${unit}`.trim())

function showGoal({ atLeast, atMost }: Goal, unit: string): string {
  return atLeast !== undefined ? `at least ${withUnit(atLeast, unit)}` : `at most ${withUnit(atMost ?? 0, unit)}`
}

const TITLES = ['', 'Median', 'Compared with', 'Ratio or figure', 'Rounds', 'Goal', '']

function cellsOf(row: Row): string[] {
  const { what, unit, ours, against, goal } = row
  const figures = figuresOf(row)
  const figureUnit = against ? 'x' : unit
  const held = isHeld(row)
  const [least, most] = [Math.min(...figures), Math.max(...figures)]
  return [
    what,
    withUnit(median(ours), unit),
    against ? `${against.name}: ${withUnit(median(against.values), unit)}` : '',
    withUnit(median(figures), figureUnit),
    figures.length > 1 ? `${show(least)} to ${show(most)}` : show(least),
    goal ? showGoal(goal, figureUnit) : '',
    held === undefined ? '' : held ? 'held' : '**missed**',
  ]
}

/** In Markdown, aligned to be read as it is. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [TITLES, ...rows.map(cellsOf)]
  const widths = TITLES.map((_, at) => Math.max(3, ...lines.map((cells) => cells[at]?.length ?? 0)))
  const isNumber = (at: number) => at === 1 || at === 3
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (isNumber(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join(' | ')} |`
  const rule = widths.map((width, at) => (isNumber(at) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)))
  return [line(TITLES), line(rule), ...lines.slice(1).map(line)].join('\n')
}

export const headline = ({ date, machine, versions, commit }: Machine): string =>
  `${date}, ${machine}; messenger ${versions.messenger}; stand-in: ${versions['stand-in']}; ` +
  `PostgreSQL ${versions.postgresql}; commit ${commit}. The load runs on the same machine.`

export async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await Bun.write(path, `${JSON.stringify(value, null, 2)}\n`)
}
