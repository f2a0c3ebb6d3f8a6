/** A channel and its chat say the same of its name, owner and count, whatever happened to them, and at once. */
import { afterAll, beforeAll, expect, it } from 'bun:test'
import fc from 'fast-check'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { addUsers } from '../chats/support.ts'
import { addChannel, readBoth } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const STEPS = {
  renameChat: (by: TestUser, id: string, of: TestUser) => by.patch(`/chats/${id}`, { name: `chat ${of.id}` }),
  renameChannel: (by: TestUser, id: string, of: TestUser) => by.patch(`/channels/${id}`, { name: `channel ${of.id}` }),
  describe: (by: TestUser, id: string) => by.patch(`/channels/${id}`, { description: by.id }),
  subscribe: (by: TestUser, id: string) => by.post(`/channels/${id}/subscribe`),
  unsubscribe: (by: TestUser, id: string) => by.delete(`/channels/${id}/subscribe`),
  add: (by: TestUser, id: string, of: TestUser) => by.post(`/chats/${id}/members`, { user_ids: [of.id] }),
  remove: (by: TestUser, id: string, of: TestUser) => by.delete(`/chats/${id}/members/${of.id}`),
  promote: (by: TestUser, id: string, of: TestUser) => by.patch(`/chats/${id}/members/${of.id}`, { role: 'admin' }),
  demote: (by: TestUser, id: string, of: TestUser) => by.patch(`/chats/${id}/members/${of.id}`, { role: 'member' }),
  handOver: (by: TestUser, id: string, of: TestUser) => by.patch(`/chats/${id}/members/${of.id}`, { role: 'owner' }),
  post: (by: TestUser, id: string) => by.post('/messages', { chat_id: id, content: 'x' }),
  deleteAccount: (by: TestUser) => by.delete('/users/me'),
}
type StepName = keyof typeof STEPS
interface Step {
  name: StepName
  by: number
  of: number
}
const USERS = 6
// Accounts that are gone do nothing any more: few of those.
const frequent = (Object.keys(STEPS) as StepName[]).filter((name) => name !== 'deleteAccount')
const step = fc.record({
  name: fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...frequent) }, fc.constant<StepName>('deleteAccount')),
  // The first is the owner, and does the most.
  by: fc.oneof(fc.constant(0), fc.nat(USERS - 1)),
  of: fc.nat(USERS - 1),
})
/** Those of one turn happen at once. */
const turns = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 10, maxLength: 25 })

const alone = (name: StepName, by: number, of: number): Step[] => [{ name, by, of }]
/** Every step once, and allowed. */
const tour = [
  alone('subscribe', 1, 1),
  alone('unsubscribe', 1, 1),
  alone('subscribe', 1, 1),
  alone('add', 0, 2),
  alone('promote', 0, 2),
  alone('demote', 0, 2),
  alone('remove', 0, 2),
  alone('renameChat', 0, 0),
  alone('renameChannel', 0, 0),
  alone('describe', 0, 0),
  alone('post', 0, 0),
  alone('handOver', 0, 1),
  alone('deleteAccount', 1, 1),
]

it('after any walk', async () => {
  const taken = new Set<StepName>()
  const walk = async (steps: Step[][]) => {
    const users = await addUsers(server, USERS)
    const { id } = await addChannel(users[0] as TestUser)
    for (const turn of steps) {
      const answers = await Promise.all(
        turn.map(({ name, by, of }) => STEPS[name](users[by] as TestUser, id, users[of] as TestUser)),
      )
      for (const [index, { status }] of answers.entries()) {
        expect(status).toBeLessThan(500)
        if (status < 300) taken.add(turn[index]?.name ?? 'post')
      }
      const both = await readBoth(server, id)
      expect(both?.channel).toEqual(both?.chat)
      expect(both?.members).toBe(Number(both?.chat[2]))
    }
  }
  await fc.assert(fc.asyncProperty(turns, walk), {
    numRuns: 15,
    examples: [[tour]],
  })
  // The walks went everywhere.
  expect([...taken].sort()).toEqual(Object.keys(STEPS).sort() as StepName[])
}, 60_000)
