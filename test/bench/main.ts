/**
 * `npm run bench`: the product beside what its PostgreSQL and Bun take at most, and beside what one would write instead,
 * in turns within one run. `npm run bench -- --help` has the options.
 */
import { join } from 'node:path'
import { type Options, readOptions, USAGE } from './options.ts'
import type { Part, Prepared, Row, Run } from './part.ts'
import { parts } from './parts.ts'
import { describeMachine, headline, isHeld, tableOf, writeJson } from './report.ts'
import { startPostgres } from './systems/postgres.ts'

const say = (text: string) => void process.stderr.write(`${text}\n`)
const print = (text: string) => void process.stdout.write(`${text}\n`)
const FOLDER = join(import.meta.dir, '../../dist/bench')

interface Outcome {
  part: string
  title: string
  seconds: number
  rounds: number
  rows: Row[]
  samples: Record<string, number[]>
  fault?: string
}

const now = () => performance.now() / 1000

/** @param endsAt no further round begins that would end later, in seconds of `now` */
async function runPart(part: Part, run: Run, rounds: number, endsAt: number): Promise<Outcome> {
  const startedAt = now()
  const outcome: Outcome = { part: part.name, title: part.title, seconds: 0, rounds: 0, rows: [], samples: {} }
  let prepared: Prepared | undefined
  if (startedAt > endsAt) return outcome
  try {
    prepared = await part.prepare(run)
    const firstAt = now()
    for (; outcome.rounds < rounds; outcome.rounds++) {
      const each = outcome.rounds === 0 ? 0 : (now() - firstAt) / outcome.rounds
      if (now() + each > endsAt) break
      await prepared.round()
    }
    outcome.samples = prepared.samples.all
    outcome.rows = outcome.rounds > 0 ? prepared.rows() : []
  } catch (error) {
    outcome.fault = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  await prepared?.stop().catch((error) => {
    outcome.fault ??= String(error)
  })
  outcome.seconds = now() - startedAt
  return outcome
}

/** @throws Error for a name that is none */
function choose(names: readonly string[]): readonly Part[] {
  if (names.length === 0) return parts.filter(({ isSeparate }) => !isSeparate)
  return names.map((name) => {
    const part = parts.find((one) => one.name === name)
    if (!part) throw new Error(`There is no part ${name}: ${parts.map((one) => one.name).join(', ')}`)
    return part
  })
}

async function bench(options: Options): Promise<number> {
  const chosen = choose(options.names)
  // For a document nothing but the table is wanted, and what failed.
  const tell = options.isMarkdown ? () => {} : say
  const startedAt = now()
  const endsAt = startedAt + options.minutes * 60
  const postgres = await startPostgres()
  const outcomes: Outcome[] = []
  try {
    const machine = await describeMachine(postgres)
    const run: Run = { postgres, seconds: options.seconds, sizes: options.sizes, folder: FOLDER, say: tell }
    for (const part of chosen) {
      tell(`${part.name}: ${part.title}`)
      const outcome = await runPart(part, run, options.rounds, part.isSeparate ? Number.POSITIVE_INFINITY : endsAt)
      outcomes.push(outcome)
      tell(`  ${outcome.rounds} rounds, ${Math.round(outcome.seconds)} s${outcome.fault ? `: ${outcome.fault}` : ''}`)
    }
    // What was hoped for comes first.
    const rows = outcomes.flatMap((outcome) => outcome.rows).toSorted((a, b) => Number(!a.goal) - Number(!b.goal))
    const path = options.json ?? join(FOLDER, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`)
    await writeJson(path, { ...machine, options, seconds: now() - startedAt, outcomes })
    print(headline(machine))
    print(`Medians of ${options.rounds} rounds in turns, ${options.seconds} s each.\n`)
    print(tableOf(rows))
    const goals = rows.map(isHeld).filter((held) => held !== undefined)
    tell(`\n${goals.filter(Boolean).length} of ${goals.length} goals are held. The figures: ${path}`)
    for (const { part, rounds, fault } of outcomes) {
      if (fault) say(`${part} failed: ${fault}`)
      else if (rounds === 0) say(`${part} was not measured: no time was left`)
    }
    return outcomes.some(({ fault }) => fault) ? 1 : 0
  } finally {
    await postgres.stop()
  }
}

async function main(): Promise<number> {
  let options: Options
  try {
    options = readOptions(process.argv.slice(2))
    choose(options.names)
  } catch (error) {
    say(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return 2
  }
  if (options.isHelp) print(USAGE)
  else if (options.isList) {
    for (const { name, title, isSeparate } of parts)
      print(`${name.padEnd(10)} ${title}${isSeparate ? ' (separate)' : ''}`)
  } else return await bench(options)
  return 0
}

process.exit(await main())
