/**
 * What the server counts, in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats,
 * version 0.0.4). Counting allocates nothing: a counter is a number, a histogram an array of them.
 */

export interface Counter {
  inc(by?: number): void
}

export interface Histogram {
  /** `times` observations of the same value cost as much as one. */
  observe(value: number, times?: number): void
}

/** A number as it is now, or one for each set of labels. Undefined: there is nothing to tell, and nothing is printed. */
export type Reading = number | undefined | readonly { labels: readonly string[]; value: number }[]

export interface GaugeOptions {
  labels?: readonly string[]
  /** `counter`: somebody else counts, and the number only grows. */
  type?: 'gauge' | 'counter'
}

export interface Metrics {
  counter(name: string, help: string): Counter
  /** One for each set of values of its labels. Only values of which there are few: no ids, no paths. */
  counters(name: string, help: string, labels: readonly string[]): (...values: string[]) => Counter
  histogram(name: string, help: string, bounds: readonly number[]): Histogram
  histograms(
    name: string,
    help: string,
    bounds: readonly number[],
    labels: readonly string[],
  ): (...values: string[]) => Histogram
  /** Read when somebody asks. What fails or takes longer than 1 s is left out. */
  gauge(name: string, help: string, read: () => Reading | Promise<Reading>, options?: GaugeOptions): void
  /** All of it, as Prometheus reads it. */
  print(): Promise<string>
}

/** Seconds, around the times that matter here: 20 ms of a query, 50 ms of a delivery, 100 ms of an answer. */
export const LATENCIES = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const
/** A family holds no more series: further sets of labels are counted together, as `other`. */
const MAX_SERIES = 1000
const READ_WITHIN_MS = 1000

interface Family {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  lines(): string[] | Promise<string[]>
}

export function createMetrics(): Metrics {
  const families = new Map<string, Family>()

  function add(family: Family): void {
    if (families.has(family.name)) throw new Error(`There is a metric ${family.name} already`)
    families.set(family.name, family)
  }

  function counters(name: string, help: string, labels: readonly string[]) {
    const { of, all } = createSeries(labels, () => new Count())
    add({ name, help, type: 'counter', lines: () => all().map(([text, { value }]) => `${name}${text} ${value}`) })
    return of
  }

  function histograms(name: string, help: string, bounds: readonly number[], labels: readonly string[]) {
    const { of, all } = createSeries(labels, () => new Spread(bounds))
    add({ name, help, type: 'histogram', lines: () => all().flatMap(([text, spread]) => spread.lines(name, text)) })
    return of
  }

  return {
    counter: (name, help) => counters(name, help, [])(),
    counters,
    histogram: (name, help, bounds) => histograms(name, help, bounds, [])(),
    histograms,
    gauge(name, help, read, { labels = [], type = 'gauge' } = {}) {
      const lines = async () => {
        const reading = await Promise.race([read(), Bun.sleep(READ_WITHIN_MS)])
        const readings = typeof reading === 'number' ? [{ labels: [], value: reading }] : (reading ?? [])
        return readings.map(({ labels: values, value }) => `${name}${labelText(labels, values)} ${value}`)
      }
      add({ name, help, type, lines })
    },
    async print() {
      const read = await Promise.allSettled([...families.values()].map(async (family) => family.lines()))
      const texts = [...families.values()].map(({ name, help, type }, index) => {
        const outcome = read[index]
        const lines = outcome?.status === 'fulfilled' ? outcome.value : []
        return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`
      })
      return texts.join('')
    },
  }
}

/** One of `make` for each set of values, in the order of their first use. */
function createSeries<T>(labels: readonly string[], make: () => T) {
  const series = new Map<string, T>()
  const find = (text: string): T => {
    const known = series.get(text)
    if (known) return known
    if (series.size >= MAX_SERIES) {
      const others = labelText(
        labels,
        labels.map(() => 'other'),
      )
      if (text !== others) return find(others)
    }
    const made = make()
    series.set(text, made)
    return made
  }

  /** Each by its values, one label after the other: whoever counts builds no text. */
  const root = createBranch<T>()
  const of = (...values: string[]): T => {
    let branch: Branch<T> | undefined = root
    for (const value of values) branch = branch?.next.get(value)
    if (branch?.found !== undefined) return branch.found
    const text = labelText(labels, values)
    const found = find(text)
    // What is counted with others is not remembered: there may be any number of it.
    if (series.get(text) === found) plant(root, values, found)
    return found
  }

  return { of, all: () => [...series] }
}

interface Branch<T> {
  next: Map<string, Branch<T>>
  found: T | undefined
}

const createBranch = <T>(): Branch<T> => ({ next: new Map(), found: undefined })

function plant<T>(root: Branch<T>, values: readonly string[], found: T): void {
  let branch = root
  for (const value of values) {
    const next = branch.next.get(value) ?? createBranch<T>()
    branch.next.set(value, next)
    branch = next
  }
  branch.found = found
}

function labelText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return ''
  return `{${names.map((name, index) => `${name}="${escapeLabel(values[index] ?? '')}"`).join(',')}}`
}

const escapeLabel = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

class Count implements Counter {
  value = 0
  inc(by = 1): void {
    this.value += by
  }
}

class Spread implements Histogram {
  private readonly counts: Float64Array
  private sum = 0

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number, times = 1): void {
    let at = 0
    while (at < this.bounds.length && value > (this.bounds[at] ?? 0)) at++
    this.counts[at] = (this.counts[at] ?? 0) + times
    this.sum += value * times
  }

  lines(name: string, labels: string): string[] {
    const start = labels === '' ? '{' : `${labels.slice(0, -1)},`
    let total = 0
    const buckets = [...this.bounds, '+Inf'].map((bound, at) => {
      total += this.counts[at] ?? 0
      return `${name}_bucket${start}le="${bound}"} ${total}`
    })
    return [...buckets, `${name}_sum${labels} ${this.sum}`, `${name}_count${labels} ${total}`]
  }
}
