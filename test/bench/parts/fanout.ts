/** A group of 1,000 with one socket each, and one of them who writes: deliveries a second. */
import { join } from 'node:path'
import { startLoad } from '../load/start.ts'
import { type Part, type Row, rotate, Samples, Undo } from '../part.ts'
import { startProgram } from '../systems/server.ts'
import { CONTENT, inTurn, measureSaturated, startContest } from './contestants.ts'

const MEMBERS = 1000
const WINDOWS = [1, 4, 16]
const RAW = 'raw publish'

const key = (name: string, window: number) => `${name}, window ${window}: delivered/s`

export const fanout: Part = {
  name: 'fanout',
  title: `a group of ${MEMBERS.toLocaleString('en')} members, one of them writes`,
  prepare({ postgres, seconds }) {
    const undo = new Undo()
    return undo.guard(async () => {
      const world = { people: MEMBERS, group: (people: readonly { id: string; token: string }[]) => [[...people]] }
      const { contestants: own } = await startContest(postgres, undo, { ...world, isFirstAlone: true }, ['plain'])
      const raw = await startProgram(RAW, [process.execPath, join(import.meta.dir, '../systems/raw.ts'), 'publish'])
      undo.add(raw.stop)
      const members = Array.from({ length: MEMBERS }, (_, n) => ({
        url: raw.url,
        token: '',
        chatId: '',
        isSilent: n > 0,
      }))
      const rawLoad = await startLoad({ protocol: 'messenger', members, content: CONTENT, copies: MEMBERS })
      undo.add(rawLoad.stop)
      const contestants = [...own, { name: RAW, server: raw, load: rawLoad }]
      const samples = new Samples()
      const turns = WINDOWS.flatMap((window) =>
        contestants.map((one) => async () => {
          await inTurn(contestants, one.server, () => measureSaturated(one, postgres, window, seconds, samples))
        }),
      )
      for (const { server, load } of contestants) await inTurn(contestants, server, () => load.saturate(16, 1))
      let rounds = 0
      return {
        samples,
        rows: () => rowsOf(samples),
        async round() {
          for (const turn of rotate(turns, rounds++ * contestants.length)) await turn()
        },
        stop: undo.run,
      }
    })
  },
}

function rowsOf(samples: Samples): Row[] {
  const row = (window: number, name: string, other: string, atLeast?: number): Row => ({
    what: `deliveries/s in a group of ${MEMBERS.toLocaleString('en')}, window ${window}`,
    unit: '/s',
    ours: samples.of(key('messenger', window)),
    against: { name, values: samples.of(key(other, window)) },
    goal: atLeast === undefined ? undefined : { atLeast },
  })
  return [
    row(16, RAW, RAW, 0.6),
    row(4, RAW, RAW, 0.6),
    row(1, RAW, RAW),
    row(16, 'plain stand-in', 'plain', 6),
    row(4, 'plain stand-in', 'plain', 2),
    row(1, 'plain stand-in', 'plain'),
  ]
}
