/** Whoever is blocked sees no sign of the blocker's presence; everybody else does, and the blocker sees the blocked one. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Json, TestSocket, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

/** Ann has blocked Ben; Carl is in their group too. */
async function createScene() {
  const [ann, ben, carl] = [await server.addUser(), await server.addUser(), await server.addUser()]
  const dm = await server.addDm(ann, ben)
  const group = await server.addGroup(ann, ben, carl)
  expect((await ann.post(`/users/${ben.id}/block`)).status).toBe(200)
  return { ann, ben, carl, dm, group }
}

const signsOf = (socket: TestSocket, { id }: TestUser): Json[] =>
  socket.frames.filter(
    ({ type, user_id }) => ['online_status', 'typing', 'chat_presence'].includes(type) && user_id === id,
  )

describe('the presence of a blocker', () => {
  it('is not shown to the blocked one, coming, looking, typing and going; the others see it', async () => {
    const { ann, ben, carl, dm, group } = await createScene()
    const [bens, carls] = [await ben.socket(), await carl.socket()]
    const anns = await ann.socket()
    expect(await carls.next('online_status', ({ user_id }) => user_id === ann.id)).toMatchObject({ is_online: true })
    for (const chat_id of [dm, group]) {
      expect(await anns.ask({ type: 'join_chat', chat_id })).toMatchObject({ type: 'ack' })
      expect(await anns.ask({ type: 'typing', chat_id })).toMatchObject({ type: 'ack' })
    }
    expect(await carls.next('chat_presence')).toMatchObject({ chat_id: group, user_id: ann.id, is_joined: true })
    expect(await carls.next('typing')).toMatchObject({ chat_id: group, user_id: ann.id, is_typing: true })
    expect(await carls.next('typing')).toMatchObject({ chat_id: group, user_id: ann.id, is_typing: false })
    await anns.close()
    const isOffline = ({ user_id, is_online }: Json) => user_id === ann.id && !is_online
    await carls.next('online_status', isOffline)
    await bens.settle()
    expect(signsOf(bens, ann)).toEqual([])
    await Promise.all([bens.close(), carls.close()])
  })

  it('is not told to the blocked one who looks at the chat later', async () => {
    const { ann, ben, carl, group } = await createScene()
    const [anns, bens, carls] = [await ann.socket(), await ben.socket(), await carl.socket()]
    for (const socket of [anns, carls]) await socket.ask({ type: 'join_chat', chat_id: group })
    await bens.ask({ type: 'join_chat', chat_id: group })
    expect(bens.all('chat_presence').map(({ user_id }) => user_id)).toContain(carl.id)
    expect(signsOf(bens, ann)).toEqual([])
    await Promise.all([anns, bens, carls].map((socket) => socket.close()))
  })

  it('ends for the blocked one with the block, and comes back when it ends', async () => {
    const [ann, ben] = [await server.addUser(), await server.addUser()]
    await server.addDm(ann, ben)
    const bens = await ben.socket()
    const anns = await ann.socket()
    const isAnns = ({ user_id }: Json) => user_id === ann.id
    expect(await bens.next('online_status', isAnns)).toMatchObject({ is_online: true })
    await ann.post(`/users/${ben.id}/block`)
    expect(await bens.next('online_status', isAnns)).toMatchObject({ is_online: false })
    await ann.delete(`/users/${ben.id}/block`)
    expect(await bens.next('online_status', isAnns)).toMatchObject({ is_online: true })
    await Promise.all([anns.close(), bens.close()])
  })

  it('is never told to somebody with whom there is no chat', async () => {
    const [ann, stranger] = [await server.addUser(), await server.addUser()]
    const strangers = await stranger.socket()
    const anns = await ann.socket()
    await ann.post(`/users/${stranger.id}/block`)
    await ann.delete(`/users/${stranger.id}/block`)
    await strangers.settle()
    expect(signsOf(strangers, ann)).toEqual([])
    await Promise.all([anns.close(), strangers.close()])
  })

  it('leaves the presence of the blocked one as it was for the blocker', async () => {
    const { ann, ben, dm } = await createScene()
    const anns = await ann.socket()
    const bens = await ben.socket()
    const isBens = ({ user_id }: Json) => user_id === ben.id
    expect(await anns.next('online_status', isBens)).toMatchObject({ is_online: true })
    await bens.ask({ type: 'join_chat', chat_id: dm })
    expect(await anns.next('chat_presence', isBens)).toMatchObject({ is_joined: true })
    await Promise.all([anns.close(), bens.close()])
  })
})
