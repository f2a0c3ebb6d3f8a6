/** What a signed-in request costs beyond its route: `GET /users/me` beside the same answer from Elysia alone. */
import { join } from 'node:path'
import { askOverAndOver } from '../load/ask.ts'
import { type Part, rotate, Samples, Undo } from '../part.ts'
import { addPeople } from '../people.ts'
import { startMessenger } from '../systems/messenger.ts'
import { startProgram } from '../systems/server.ts'
import { inTurn } from './contestants.ts'

const CONNECTIONS = 32
const PATH = '/api/v1/users/me'

export const http: Part = {
  name: 'http',
  title: `GET /users/me over ${CONNECTIONS} connections, beside a bare route`,
  prepare({ postgres, seconds }) {
    const undo = new Undo()
    return undo.guard(async () => {
      const messenger = await startMessenger(postgres, undo)
      const [person] = await addPeople(messenger.database, 1, messenger.secret)
      const token = person?.token ?? ''
      const me = await (await fetch(messenger.url + PATH, { headers: { authorization: `Bearer ${token}` } })).text()
      const script = join(import.meta.dir, '../systems/raw.ts')
      const bare = await startProgram('bare Elysia route', [process.execPath, script, 'route', me])
      undo.add(bare.stop)
      const samples = new Samples()
      const servers = [messenger, bare].map((server) => ({ server }))
      const ask = (server: typeof bare, length: number) =>
        inTurn(servers, server, () => askOverAndOver({ url: server.url + PATH, token }, CONNECTIONS, length))
      for (const { server } of servers) await ask(server, 1)
      let rounds = 0
      return {
        samples,
        rows: () => [
          {
            what: 'GET /users/me, signed in: answers/s',
            unit: '/s',
            ours: samples.of('messenger: answers/s'),
            against: { name: bare.name, values: samples.of(`${bare.name}: answers/s`) },
            goal: { atLeast: 0.5 },
          },
        ],
        async round() {
          for (const { server } of rotate(servers, rounds++)) {
            samples.note(`${server.name}: answers/s`, await ask(server, seconds))
          }
        },
        stop: undo.run,
      }
    })
  },
}
