/** Whoever was told a part, in whatever order, or came in the middle of it ends where those are who missed nothing. */
import { SyncClient } from '../features/sync/client.ts'
import type { TestUser } from '../support/client.ts'
import { noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { startServer } from '../support/server.ts'

const LOSS = 0.3
/** Of those that come each is late by up to this, so that they come shuffled. */
const LATE_MS = 60

export const gapFill: Scenario = {
  name: 'gap-fill',
  bar: 'with 30 % of all pushes suppressed and the rest shuffled, the final state is that of one who missed none',
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const server = await startServer()
    const users = await Promise.all(Array.from({ length: 4 }, () => server.addUser()))
    const [owner, ...members] = users as [TestUser, ...TestUser[]]
    const chatIds = await Promise.all([server.addGroup(owner, ...members), server.addGroup(owner, ...members)])
    const lossy = await Promise.all(
      users.map(async (user) => {
        const client = new SyncClient(user, {
          loses: () => Math.random() < LOSS,
          delayMs: () => Math.random() * LATE_MS,
          patienceMs: 200,
          pageSize: 20,
        })
        await client.connect()
        return client
      }),
    )
    const rounds = size === 'long' ? 1500 : 200
    await Promise.all(
      users.map(async (user, index) => {
        const own: { id: string; chatId: string }[] = []
        for (let n = 0; n < rounds; n++) {
          const chatId = chatIds[(n + index) % 2] ?? ''
          const chance = Math.random()
          const target = own[Math.floor(Math.random() * own.length)]
          if (target && chance < 0.15)
            await user.patch(`/chats/${target.chatId}/messages/${target.id}`, { content: `edit ${n}` })
          else if (target && chance < 0.25) await user.delete(`/chats/${target.chatId}/messages/${target.id}`)
          else if (chance < 0.3) await user.post(`/chats/${chatId}/read`)
          else
            own.push({
              chatId,
              id: (await user.post('/messages', { chat_id: chatId, content: `${index} ${n}` })).body.id,
            })
          if (chance > 0.995) {
            await lossy[index]?.disconnect()
            await lossy[index]?.connect()
          }
        }
      }),
    )
    const differing: string[] = []
    // Whatever was pushed last and lost is found by the next sync, as after any reconnection.
    for (const client of lossy) {
      await client.disconnect()
      await client.connect()
      await client.settle()
    }
    const compared = await compare(owner, chatIds, lossy, differing)
    const lost = lossy.reduce((sum, { counts }) => sum + counts.lost, 0)
    for (const client of lossy) await client.disconnect()
    await server.stop()
    const outcome = noneOf(differing, compared, `messages differ after ${lost} lost pushes`)
    return { ...outcome, isHeld: outcome.isHeld && lost > rounds / 2 }
  },
}

/** @returns how many messages were compared */
async function compare(
  reader: TestUser,
  chatIds: readonly string[],
  clients: readonly SyncClient[],
  differing: string[],
): Promise<number> {
  let compared = 0
  for (const chatId of chatIds) {
    const truth = await readAll(reader, chatId)
    for (const [index, client] of clients.entries()) {
      const held = client.chats.get(chatId)
      compared += truth.length
      for (const message of truth) {
        const known = held?.messages.get(message.seq)
        if (JSON.stringify(known) !== JSON.stringify(message))
          differing.push(`client ${index} differs at ${message.seq}`)
      }
      if (held?.messages.size !== truth.length) differing.push(`client ${index} holds ${held?.messages.size}`)
    }
  }
  return compared
}

async function readAll(user: TestUser, chatId: string) {
  const messages: { seq: number }[] = []
  for (;;) {
    const { body } = await user.get(`/chats/${chatId}/messages?limit=100&after_seq=${messages.at(-1)?.seq ?? 0}`)
    messages.push(...body.messages)
    if (!body.has_more) return messages
  }
}

/** Everything that changes a chat, at random, without pause until it is stopped. */
function stir(users: readonly TestUser[], chatIds: readonly string[]) {
  let isOver = false
  let acts = 0
  const running = users.map(async (user) => {
    const own: { id: string; chatId: string }[] = []
    while (!isOver) {
      acts++
      const chatId = chatIds[acts % chatIds.length] ?? ''
      const target = own[Math.floor(Math.random() * own.length)]
      const chance = Math.random()
      if (target && chance < 0.25)
        await user.patch(`/chats/${target.chatId}/messages/${target.id}`, { content: `edit ${acts}` })
      else if (target && chance < 0.4) await user.delete(`/chats/${target.chatId}/messages/${target.id}`)
      else own.push({ chatId, id: (await user.post('/messages', { chat_id: chatId, content: `${acts}` })).body.id })
    }
  })
  return {
    async stop(): Promise<number> {
      isOver = true
      await Promise.all(running)
      return acts
    },
  }
}

/** What comes by Redis may be late on a busy machine. What was lost stays so: nothing more is sent that would show the gap. */
async function compareInTime(reader: TestUser, chatIds: readonly string[], clients: readonly SyncClient[]) {
  const deadline = performance.now() + 15_000
  for (;;) {
    const differing: string[] = []
    const compared = await compare(reader, chatIds, clients, differing)
    if (differing.length === 0 || performance.now() > deadline) return { compared, differing }
    await Bun.sleep(200)
  }
}

export const snapshotRace: Scenario = {
  name: 'snapshot-race',
  bar: '0 differences for those who open and sync, or come back, while everything changes',
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const server = await startServer({}, { instances: 2 })
    const users = await Promise.all(Array.from({ length: 4 }, () => server.addUser()))
    const [owner, ...members] = users as [TestUser, ...TestUser[]]
    const chatIds = await Promise.all([server.addGroup(owner, ...members), server.addGroup(owner, ...members)])
    const differing: string[] = []
    let compared = 0
    let comings = 0
    for (let round = 0; round < (size === 'long' ? 25 : 4); round++) {
      const stirring = stir(users, chatIds)
      const clients = users.flatMap((user) =>
        server.instanceUrls.map(
          (url) => new SyncClient(user.at(url), { loses: () => false, patienceMs: 2000, pageSize: 5 }),
        ),
      )
      await Promise.all(
        clients.map(async (client) => {
          await Bun.sleep(Math.random() * 100)
          await client.connect()
          comings++
          // Half of them are away for a moment.
          if (Math.random() < 0.5) return
          await client.disconnect()
          await Bun.sleep(Math.random() * 60)
          await client.connect()
          comings++
        }),
      )
      await Bun.sleep(Math.random() * 100)
      await stirring.stop()
      for (const client of clients) await client.settle()
      const found = await compareInTime(owner, chatIds, clients)
      compared += found.compared
      differing.push(...found.differing)
      for (const client of clients) await client.disconnect()
    }
    await server.stop()
    return noneOf(differing, compared, `messages differ after ${comings} comings`)
  },
}
