/** How long a message takes to the other one's socket at an even rate, from when it was due. */
import type { Latencies } from '../load/options.ts'
import { type Part, type Row, rotate, Samples, Undo } from '../part.ts'
import { pairsOf } from '../people.ts'
import { measureDisk } from '../systems/disk.ts'
import { inTurn, startContest } from './contestants.ts'

const USERS = 200
const RATES = [500, 2000, 5000]
const SLOW = 500
const DISK = 'the disk alone'
const QUANTILES = ['p50', 'p95', 'p99'] as const

const key = (name: string, rate: number, quantile: keyof Latencies) => `${name}, ${rate}/s: ${quantile} ms`

export const latency: Part = {
  name: 'latency',
  title: 'from sending to the other socket, at an even rate',
  prepare({ postgres, seconds }) {
    const undo = new Undo()
    return undo.guard(async () => {
      const world = { people: USERS, group: pairsOf }
      const { contestants } = await startContest(postgres, undo, world, ['plain', 'tuned'])
      const samples = new Samples()
      const note = (name: string, latencies: Latencies | undefined) => {
        for (const [quantile, ms] of Object.entries(latencies ?? {})) samples.note(`${name}: ${quantile} ms`, ms)
      }
      const turns = contestants.flatMap((one) =>
        (one.name === 'messenger' ? RATES : [SLOW]).map((rate) => async () => {
          const { load, name, server } = one
          const { arrivals, sendings } = await inTurn(contestants, server, () => load.schedule(rate, seconds))
          note(`${name}, ${rate}/s`, arrivals[''])
          note(`${name}, ${rate}/s, sent`, sendings)
        }),
      )
      turns.push(async () => note(DISK, await inTurn(contestants, undefined, () => measureDisk(seconds))))
      for (const { load, server } of contestants) {
        await inTurn(contestants, server, async () => {
          await load.saturate(4, 1)
          await load.schedule(SLOW, 1)
        })
      }
      let rounds = 0
      return {
        samples,
        rows: () => rowsOf(samples),
        async round() {
          for (const turn of rotate(turns, rounds++)) await turn()
        },
        stop: undo.run,
      }
    })
  },
}

function rowsOf(samples: Samples): Row[] {
  const ours = (rate: number, quantile: keyof Latencies, goal?: Row['goal']): Row => ({
    what: `delivery at ${rate} messages/s, ${quantile}`,
    unit: 'ms',
    ours: samples.of(key('messenger', rate, quantile)),
    goal,
  })
  const standIn = (name: string, goal?: Row['goal']): Row => ({
    what: 'delivery at 5000 messages/s, p99',
    unit: 'ms',
    ours: samples.of(key('messenger', 5000, 'p99')),
    against: { name: `${name} stand-in's at ${SLOW}/s`, values: samples.of(key(name, SLOW, 'p99')) },
    goal,
  })
  return [
    standIn('plain', { atMost: 1 }),
    standIn('tuned'),
    ours(2000, 'p99', { atMost: 10 }),
    {
      what: 'delivery at 5000 messages/s, p99',
      unit: 'ms',
      ours: samples.of(key('messenger', 5000, 'p99')),
      against: { name: 'if only the disk took time', values: samples.of(`${DISK}: p99 ms`) },
    },
    ...QUANTILES.map((quantile) => ({
      what: `if only the disk took time, ${quantile}`,
      unit: 'ms',
      ours: samples.of(`${DISK}: ${quantile} ms`),
    })),
    ...RATES.map((rate) => ({
      what: `the load at ${rate} messages/s: from due to sent, p99`,
      unit: 'ms',
      ours: samples.of(`messenger, ${rate}/s, sent: p99 ms`),
    })),
    ...RATES.flatMap((rate) =>
      QUANTILES.filter((quantile) => !(rate === 2000 && quantile === 'p99')).map((quantile) => ours(rate, quantile)),
    ),
  ]
}
