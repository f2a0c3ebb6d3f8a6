/** Messages beside a storm of logins: what checking passwords takes from the conversation. */
import { startLoad } from '../load/start.ts'
import { type Part, type Row, Samples, Undo } from '../part.ts'
import { addPairs, addPeople } from '../people.ts'
import { startMessenger } from '../systems/messenger.ts'
import { CONTENT } from './contestants.ts'

const RATE = 500
const AT_ONCE = 16
const PASSWORD = 'Password123'

export const logins: Part = {
  name: 'logins',
  title: `${RATE} messages/s beside ${AT_ONCE} logins at a time`,
  prepare({ postgres, seconds }) {
    const undo = new Undo()
    return undo.guard(async () => {
      const messenger = await startMessenger(postgres, undo)
      const { database, secret, url } = messenger
      const hash = await Bun.password.hash(PASSWORD, { algorithm: 'bcrypt', cost: 12 })
      const people = await addPeople(database, AT_ONCE, secret, hash)
      const names = await database.sql<{ phone: string }[]>`
        select phone from users where id = any(${people.map(({ id }) => id)}::uuid[])`
      const pairs = await addPairs(database, 100, secret)
      const members = pairs.map(({ token, chatId }) => ({ url, token, chatId }))
      const load = await startLoad({ protocol: 'messenger', members, content: CONTENT, copies: 2 })
      undo.add(load.stop)
      const samples = new Samples()
      const note = async (name: string) => {
        const { '': all } = (await load.schedule(RATE, seconds)).arrivals
        samples.note(`${name}: p50 ms`, all?.p50 ?? Number.NaN)
        samples.note(`${name}: p99 ms`, all?.p99 ?? Number.NaN)
      }
      let isOver = false
      let [done, refused] = [0, 0]
      const signIn = async (phone: string) => {
        while (!isOver) {
          const { status, headers } = await fetch(`${url}/api/v1/auth/login`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ phone_or_email: phone, password: PASSWORD }),
          })
          if (status === 200) done++
          else if (status === 503) {
            refused++
            await Bun.sleep(Number(headers.get('retry-after') ?? 1) * 1000)
          } else throw new Error(`A login answers ${status}`)
        }
      }
      await load.schedule(RATE, 1)
      return {
        samples,
        rows: () => rowsOf(samples),
        async round() {
          await note('without logins')
          isOver = false
          done = 0
          const startedAt = performance.now()
          const storm = Promise.all(names.map(({ phone }) => signIn(phone)))
          await note('beside logins')
          isOver = true
          samples.note('logins/s', (done * 1000) / (performance.now() - startedAt))
          samples.note('logins refused (503)', refused)
          await storm
        },
        stop: undo.run,
      }
    })
  },
}

function rowsOf(samples: Samples): Row[] {
  const row = (quantile: string): Row => ({
    what: `delivery at ${RATE} messages/s beside logins, ${quantile}`,
    unit: 'ms',
    ours: samples.of(`beside logins: ${quantile} ms`),
    against: { name: 'without', values: samples.of(`without logins: ${quantile} ms`) },
  })
  return [row('p50'), row('p99'), { what: 'logins beside them', unit: '/s', ours: samples.of('logins/s') }]
}
