/** What a connection costs that says nothing: 5,000 sockets of users with 50 chats each. */
import { memoryBytes } from '../cpu.ts'
import { startLoad } from '../load/start.ts'
import { type Part, Samples, Undo } from '../part.ts'
import { addChats, addPeople, type Person } from '../people.ts'
import { startMessenger } from '../systems/messenger.ts'
import { CONTENT } from './contestants.ts'

const SOCKETS = 5000
const CHATS_EACH = 50
const GROUP = 10
/** Until what opening them took is given back. */
const REST_MS = 10_000
const PER_CONNECTION = 'memory of an idle connection, KB'
const IN_ALL = 'memory of the server with all of them, MB'

/** Everybody in `CHATS_EACH` groups: the n-th round of groups takes every `step`-th user, so that all have other members. */
function groupsOf(people: readonly Person[]): Person[][] {
  return Array.from({ length: CHATS_EACH }, (_, round) => {
    const step = 2 * round + 1
    const order = people.map((_, n) => people[(n * step) % people.length] ?? people[0])
    const isWhole = new Set(order).size === people.length
    const line = (isWhole ? order : [...people.slice(round), ...people.slice(0, round)]) as Person[]
    return Array.from({ length: line.length / GROUP }, (_, n) => line.slice(n * GROUP, (n + 1) * GROUP))
  }).flat()
}

export const idle: Part = {
  name: 'idle',
  title: `${SOCKETS.toLocaleString('en')} sockets of users with ${CHATS_EACH} chats each: memory`,
  prepare({ postgres }) {
    const undo = new Undo()
    return undo.guard(async () => {
      // Made once: the server migrates, then each round starts a fresh one on what is there.
      const first = new Undo()
      const made = await startMessenger(postgres, first)
      const { databaseUrl: url, secret } = made
      const people = await addPeople(made.database, SOCKETS, secret)
      await addChats(made.database, groupsOf(people))
      await first.run()
      const samples = new Samples()
      return {
        samples,
        rows: () => [
          {
            what: `memory of an idle connection with ${CHATS_EACH} chats`,
            unit: 'KB',
            ours: samples.of(PER_CONNECTION),
            goal: { atMost: 10 },
          },
          {
            what: `memory of the server at ${SOCKETS.toLocaleString('en')} of them`,
            unit: 'MB',
            ours: samples.of(IN_ALL),
            goal: { atMost: 120 },
          },
        ],
        async round() {
          const own = new Undo()
          await own.guard(async () => {
            const server = await startMessenger(postgres, own, { databaseUrl: url })
            await Bun.sleep(REST_MS)
            const before = await memoryBytes(server.pid)
            const members = people.map(({ token }) => ({ url: server.url, token, chatId: '', isSilent: true }))
            const load = await startLoad({ protocol: 'messenger', members, content: CONTENT, copies: 0 })
            own.add(load.stop)
            await Bun.sleep(REST_MS)
            const after = await memoryBytes(server.pid)
            samples.note('memory of the server without connections, MB', before / 1e6)
            samples.note(IN_ALL, after / 1e6)
            samples.note(PER_CONNECTION, (after - before) / SOCKETS / 1000)
            await own.run()
          })
        },
        stop: undo.run,
      }
    })
  },
}
