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
/** Signed in as well, and answered without a look into the database. */
const NO_QUERY = '/api/v1/calls/ice-servers'

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
      const ask = (server: typeof bare, path: string, length: number) =>
        inTurn(servers, server, () => askOverAndOver({ url: server.url + path, token }, CONNECTIONS, length))
      const turns = [
        { name: 'messenger: answers/s', server: messenger, path: PATH },
        { name: 'messenger, without a query: answers/s', server: messenger, path: NO_QUERY },
        { name: `${bare.name}: answers/s`, server: bare, path: PATH },
      ]
      for (const { server, path } of turns) await ask(server, path, 1)
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
          {
            what: 'GET /calls/ice-servers, signed in, no query: answers/s',
            unit: '/s',
            ours: samples.of('messenger, without a query: answers/s'),
            against: { name: bare.name, values: samples.of(`${bare.name}: answers/s`) },
          },
        ],
        async round() {
          for (const { name, server, path } of rotate(turns, rounds++)) {
            samples.note(name, await ask(server, path, seconds))
          }
        },
        stop: undo.run,
      }
    })
  },
}
