/** What a part of the benchmark is, and what it reports. */
import type { BenchPostgres } from './systems/postgres.ts'

export interface Goal {
  atLeast?: number
  atMost?: number
}

/** One line of the table: a figure of ours, or its ratio to another figure of the same round. */
export interface Row {
  what: string
  /** Of the figures; a ratio has none. */
  unit: string
  /** One for each round. */
  ours: readonly number[]
  /** The figure is the ratio `ours / values`, round by round. */
  against?: { name: string; values: readonly number[] }
  goal?: Goal
}

/** What a run asks of its parts. */
export interface Run {
  /** The length of one measurement; a part says where it takes another. */
  seconds: number
  postgres: BenchPostgres
  /** Sizes of the growth part, in messages, ascending. */
  sizes: readonly number[]
  /** Where evidence goes that is too long for the table. */
  folder: string
  say(text: string): void
}

export interface Prepared {
  /** Measures everything once, in turns. */
  round(): Promise<void>
  rows(): Row[]
  /** Every figure of every round, by name. */
  samples: Samples
  stop(): Promise<void>
}

export interface Part {
  name: string
  title: string
  /** Runs only when it is named, as long as it takes. */
  isSeparate?: boolean
  prepare(run: Run): Promise<Prepared>
}

/** Figures by name, one for each round. */
export class Samples {
  readonly all: Record<string, number[]> = {}

  note(name: string, value: number): void {
    this.all[name] ??= []
    this.all[name].push(value)
  }

  /** @throws Error when nothing of that name was noted */
  of(name: string): readonly number[] {
    const values = this.all[name]
    if (!values) throw new Error(`Nothing was noted as ${name}`)
    return values
  }
}

/** What ends what was started, in the opposite order, whatever fails. */
export class Undo {
  private readonly steps: (() => Promise<unknown>)[] = []

  add(step: () => Promise<unknown>): void {
    this.steps.push(step)
  }

  readonly run = async (): Promise<void> => {
    const faults: unknown[] = []
    for (const step of this.steps.splice(0).reverse()) await step().catch((fault) => faults.push(fault))
    if (faults.length > 0) throw faults[0]
  }

  /** Runs `prepare`; when it fails, what it had started ends. */
  async guard<T>(prepare: () => Promise<T>): Promise<T> {
    try {
      return await prepare()
    } catch (error) {
      await this.run().catch(() => {})
      throw error
    }
  }
}

/** `things` beginning with another one in each round, so that none always comes first. */
export const rotate = <T>(things: readonly T[], by: number): T[] => {
  const at = by % Math.max(1, things.length)
  return [...things.slice(at), ...things.slice(0, at)]
}

export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

export const median = (values: readonly number[]): number => quantile(values, 0.5)
