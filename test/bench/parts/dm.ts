/** Messages a second between 200 users in 100 direct chats, as many as each system takes. */
import { BATCHES, measureCeiling, SINGLE_ROWS } from '../ceilings.ts'
import { type Part, type Row, rotate, Samples, Undo } from '../part.ts'
import { pairsOf } from '../people.ts'
import { CONTENT, inTurn, measureSaturated, startContest } from './contestants.ts'

const USERS = 200
const WINDOWS = [1, 4, 16]
/** Measured twice as long: whoever asks the database twice for a message answers in bursts, seconds apart. */
const FULL = 16
const BATCH_CEILING = 'plain INSERT of 64 rows, two flows: rows/s'
const ROW_CEILING = 'plain INSERT of a row, eight connections: rows/s'

const throughput = (name: string, window: number) => `${name}, window ${window}: acknowledged/s`
const cpu = (name: string, part = '') => `${name}, window ${FULL}: CPU µs a message${part}`

export const dm: Part = {
  name: 'dm',
  title: `${USERS} users in ${USERS / 2} direct chats, as fast as they can`,
  prepare({ postgres, seconds }) {
    const undo = new Undo()
    return undo.guard(async () => {
      const world = { people: USERS, group: pairsOf }
      const { messenger, contestants } = await startContest(postgres, undo, world, ['plain', 'tuned', 'guarantees'])
      const samples = new Samples()
      const ceilings = [
        { name: BATCH_CEILING, shape: BATCHES },
        { name: ROW_CEILING, shape: SINGLE_ROWS },
      ].map(({ name, shape }) => async () => {
        for (const { server } of contestants) server.freeze()
        samples.note(name, await measureCeiling(messenger.databaseUrl, shape, seconds, CONTENT))
        for (const { server } of contestants) server.thaw()
      })
      const turns = WINDOWS.flatMap((window) =>
        contestants.map((one) => async () => {
          await postgres.checkpoint()
          const length = window === FULL ? 2 * seconds : seconds
          await inTurn(contestants, one.server, () => measureSaturated(one, postgres, window, length, samples))
        }),
      )
      // Everything is compiled and every plan is made.
      for (const { load, server } of contestants) {
        await inTurn(contestants, server, () => load.saturate(FULL, Math.min(2, seconds)))
      }
      let rounds = 0
      return {
        samples,
        rows: () => rowsOf(samples),
        async round() {
          for (const turn of rotate([...turns, ...ceilings], rounds++ * contestants.length)) await turn()
        },
        stop: undo.run,
      }
    })
  },
}

function rowsOf(samples: Samples): Row[] {
  const against = (other: string, window: number, goal?: Row['goal']): Row => ({
    what: `acknowledged messages/s, window ${window}`,
    unit: '/s',
    ours: samples.of(throughput('messenger', window)),
    against: { name: `${other} stand-in`, values: samples.of(throughput(other, window)) },
    goal,
  })
  const ceiling = (name: string, atLeast: number): Row => ({
    what: `acknowledged messages/s, window ${FULL}`,
    unit: '/s',
    ours: samples.of(throughput('messenger', FULL)),
    against: { name: name.split(':')[0] ?? name, values: samples.of(name) },
    goal: { atLeast },
  })
  const cost = (other: string, goal?: Row['goal']): Row => ({
    what: 'CPU a message, server and PostgreSQL',
    unit: 'µs',
    ours: samples.of(cpu('messenger')),
    against: { name: `${other} stand-in`, values: samples.of(cpu(other)) },
    goal,
  })
  const part = (name: string): Row => ({
    what: `CPU a message: ${name === 'postgres' ? 'PostgreSQL' : name} alone`,
    unit: 'µs',
    ours: samples.of(cpu('messenger', `, ${name}`)),
  })
  return [
    against('plain', 16, { atLeast: 10 }),
    against('tuned', 16, { atLeast: 6 }),
    against('guarantees', 16, { atLeast: 20 }),
    ceiling(ROW_CEILING, 3),
    ceiling(BATCH_CEILING, 0.5),
    ...[4, 1].flatMap((window) => ['plain', 'tuned', 'guarantees'].map((other) => against(other, window))),
    cost('plain', { atMost: 0.1 }),
    cost('tuned'),
    cost('guarantees'),
    part('server'),
    part('postgres'),
  ]
}
