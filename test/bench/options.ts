/** The command line of the benchmark. */
import { parseArgs } from 'node:util'

export interface Options {
  names: string[]
  rounds: number
  seconds: number
  minutes: number
  sizes: number[]
  json?: string
  isList: boolean
  isMarkdown: boolean
  isHelp: boolean
}

export const USAGE = `npm run bench [-- OPTIONS] [PART...]
  without parts: all but those marked as separate
  --list              the parts
  --rounds N          3; everything takes its turn in each, and the table has the medians
  --seconds N         4; the length of one measurement
  --minutes N         15; no further round begins that would end later
  --sizes N,N...      10000,100000,1000000; of the part growth, in messages, up to 10^7
                      its plans go to dist/bench/growth-plans-<size>.txt
  --json FILE         where the figures go; dist/bench/<date>.json by default
  --markdown          prints nothing but the table and what was measured on
`

const isPositive = (value: number) => Number.isFinite(value) && value > 0

/** @throws Error with words for whoever typed it */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      minutes: { type: 'string', default: '15' },
      sizes: { type: 'string', default: '10000,100000,1000000' },
      json: { type: 'string' },
    },
  })
  const [rounds, seconds, minutes] = [values.rounds, values.seconds, values.minutes].map(Number) as [
    number,
    number,
    number,
  ]
  if (!Number.isInteger(rounds) || !isPositive(rounds)) throw new Error('--rounds must be a whole number from 1')
  if (!isPositive(seconds)) throw new Error('--seconds must be a number above 0')
  if (!isPositive(minutes)) throw new Error('--minutes must be a number above 0')
  const sizes = values.sizes.split(',').map(Number)
  const areFine = sizes.every((size, n) => Number.isInteger(size) && size >= 10_000 && size > (sizes[n - 1] ?? 0))
  if (!areFine) throw new Error('--sizes must be ascending whole numbers from 10000')
  return {
    names: positionals,
    ...{ rounds, seconds, minutes, sizes },
    json: values.json,
    isList: values.list,
    isMarkdown: values.markdown,
    isHelp: values.help,
  }
}
