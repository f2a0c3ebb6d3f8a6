/** A server that was told of several replicas, and of some that are none. */
import { afterAll, beforeAll, expect, it } from 'bun:test'
import { createDatabase } from '../support/postgres.ts'
import { startPrimary, type TestPrimary } from '../support/replicated-postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

let primary: TestPrimary
let other: TestPrimary
let server: TestServer

beforeAll(async () => {
  ;[primary, other] = await Promise.all([startPrimary(), startPrimary()])
  const [url, elsewhere] = await Promise.all([primary.createDatabase(), other.createDatabase()])
  const [first, second, stranger] = [await primary.addReplica(), await primary.addReplica(), await other.addReplica()]
  server = await startServer({
    DATABASE_URL: url,
    DATABASE_REPLICA_URLS: [
      first.urlOf(url),
      second.urlOf(url),
      stranger.urlOf(elsewhere),
      // A database that follows nobody; a role that is none; nothing at all.
      await createDatabase(),
      second.urlOf(url).replace('app@', 'nobody_we_know:secret@'),
      'postgres://app:secret@127.0.0.1:1/none',
    ].join(),
  })
}, 120_000)
afterAll(async () => {
  await server.stop()
  await Promise.all([primary.stop(), other.stop()])
}, 60_000)

const metrics = async () => (await fetch(`${server.url}/metrics`)).text()
const whyNot = (name: string) =>
  server.logs.find(({ message, replica }) => /not used now/.test(String(message)) && replica === name)

it('uses those of its own primary, says why not of the others, and answers all the same', async () => {
  const ann = await server.addUser()
  const chatId = await server.addGroup(ann)
  for (let n = 0; n < 5; n++) await ann.post('/messages', { chat_id: chatId, content: `message ${n}` })
  const isSeen = (n: number) =>
    metrics().then((text) => text.includes(`messenger_replica_used{replica="replica_${n}"} 1`))
  for (let n = 0; !((await isSeen(1)) && (await isSeen(2))); n++) {
    if (n > 200) throw new Error('The replicas are not used')
    await Bun.sleep(50)
  }
  const pages = Array.from({ length: 60 }, () => ann.get(`/chats/${chatId}/messages?before_seq=3`))
  for (const { status, body } of await Promise.all(pages)) {
    expect([status, body.messages.length]).toEqual([200, 2])
  }
  const text = await metrics()
  const answered = (n: number) =>
    Number(new RegExp(`reads_total{replica="replica_${n}",outcome="answered"} (\\d+)`).exec(text)?.[1] ?? 0)
  // They share the work; how far both were when asked is nobody's promise.
  expect(answered(1)).toBeGreaterThan(0)
  expect(answered(2)).toBeGreaterThan(0)
  expect([3, 4, 5, 6].map(answered)).toEqual([0, 0, 0, 0])

  expect(whyNot('replica_3')?.reason).toBe('it is a replica of another database')
  expect(whyNot('replica_4')?.reason).toBe('it is no replica, or none any more')
  expect(String(whyNot('replica_5')?.reason)).toContain('nobody_we_know')
  expect(whyNot('replica_6')).toMatchObject({ reason: 'it does not answer', address: '127.0.0.1:1/none' })
  expect(JSON.stringify(server.logs)).not.toContain('secret@')
  const health = (await (await fetch(`${server.url}/health/ready`)).json()) as { parts: Record<string, string> }
  expect(health.parts).toMatchObject({ replica_1: 'ok', replica_2: 'ok', replica_3: 'failing', replica_6: 'failing' })
  for (let n = 0; n < 3; n++) await fetch(`${server.url}/health/ready`)
  const repeated = server.logs.filter(
    ({ message, part }) => /part of the server fails/.test(String(message)) && part === 'replica_3',
  )
  expect(repeated).toHaveLength(1)
})
