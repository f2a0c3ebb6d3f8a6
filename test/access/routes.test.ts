import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { type Answer, request } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import type { Row } from './answers.ts'
import { askRoute, listRoutes, nameOf, seenBy } from './ask.ts'
import { rows } from './table.ts'
import { createWorld, ROLES, type Role, takeSnapshot, type World } from './world.ts'

let server: TestServer
beforeAll(async () => {
  // Sparing the time that many hashes of the default kind take.
  server = await startServer({ PASSWORD_HASH: 'argon2id' })
})
afterAll(() => server.stop())

/** All that a client can tell answers apart by. */
function visible({ status, headers, body }: Answer): unknown {
  const told = Object.fromEntries([...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id'))
  return { status, headers: told, body }
}

const named = (of: readonly Row[]) => of.map((row): [string, Row] => [nameOf(row), row])
const isRefusal = ({ error }: { error?: string }) => error !== undefined

describe('the table', () => {
  it('has every route of the server, and no other', async () => {
    expect([...new Set(rows.map(({ route }) => route))].sort()).toEqual(await listRoutes(server))
  })

  it('has every documented route', async () => {
    const { body } = await request(`${server.url}/swagger/json`, 'GET')
    const documented = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    )
    const listed = rows.map(({ route }) => route.replace(/(?<=.)\/$/, ''))
    expect(documented.filter((route) => !listed.includes(route))).toEqual([])
  })
})

describe.each(named(rows))('%s', (_, row) => {
  it('answers each role as the table says, and a refusal changes nothing', async () => {
    const world = await createWorld(server)
    const before = await takeSnapshot(server, world)
    const answers: Record<string, unknown> = {}
    const told: Record<string, unknown> = {}
    const tryAs = async (role: Role, of: World) => {
      const { status, body } = await askRoute(server, row, role, seenBy(role, of))
      told[role] = { status, ...(typeof body?.error === 'string' && { error: body.error }) }
    }
    for (const role of ROLES) {
      if (isRefusal(row.answers[role]) || !row.changes) await tryAs(role, world)
      answers[role] = row.answers[role]
    }
    expect(await takeSnapshot(server, world)).toEqual(before)
    for (const role of ROLES) {
      if (!isRefusal(row.answers[role]) && row.changes) await tryAs(role, await createWorld(server))
    }
    expect(told).toEqual(answers)
  })
})

const hidden = named(rows.filter(({ answers }) => answers.stranger.error === 'Chat not found'))

describe('a chat one is not in', () => {
  it.each(hidden)('answers the same as one that is not there: %s', async (_, row) => {
    const world = await createWorld(server)
    const nowhere = {
      ...world,
      chatId: Bun.randomUUIDv7(),
      ownersMessageId: Bun.randomUUIDv7(),
      membersMessageId: Bun.randomUUIDv7(),
    }
    const [unknown, stranger, exMember] = await Promise.all([
      askRoute(server, row, 'stranger', nowhere),
      askRoute(server, row, 'stranger', world),
      askRoute(server, row, 'exMember', world),
    ])
    expect(visible(unknown)).toMatchObject({ status: 404, body: { error: 'Chat not found', details: {} } })
    expect(visible(stranger)).toEqual(visible(unknown))
    expect(visible(exMember)).toEqual(visible(unknown))
  })
})

describe('what a list tells', () => {
  it('hides chats one is not in from the list, sync and search', async () => {
    const world = await createWorld(server)
    for (const role of ['stranger', 'exMember'] as const) {
      const actor = world.actors[role]
      expect((await actor.get('/chats')).body.chats).toEqual([])
      const { body } = await actor.post('/sync', { chats: { [world.chatId]: { seq: 0, rev: 0 } } })
      expect(body).toEqual({ chats: [], gone: [world.chatId] })
    }
  })

  it('says of messages of other chats only that they are not there', async () => {
    const world = await createWorld(server)
    const { owner, admin } = world.actors
    const other = await server.addGroup(world.outsider)
    const { body: message } = await world.outsider.post('/messages', { chat_id: other, content: 'elsewhere' })
    for (const id of [message.id, Bun.randomUUIDv7()]) {
      const path = `/chats/${world.chatId}/messages/${id}`
      expect(await owner.patch(path, { content: 'x' })).toMatchObject({
        status: 404,
        body: { error: 'Message not found' },
      })
      expect(await admin.delete(path)).toMatchObject({ status: 404, body: { error: 'Message not found' } })
      const reply = { chat_id: world.chatId, content: 'x', reply_to_id: id }
      expect(await owner.post('/messages', reply)).toMatchObject({
        status: 400,
        body: { details: { reply_to_id: 'is no message of this chat' } },
      })
    }
    const { body: kept } = await world.outsider.get(`/chats/${other}/messages`)
    expect(kept.messages).toMatchObject([{ content: 'elsewhere', deleted_at: null }])
  })
})
