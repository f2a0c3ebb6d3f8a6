import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { FRAME_TYPES } from '../../src/realtime/frames.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { askFrame, nameOf, seenBy } from './ask.ts'
import { FRAME_ROLES, type FrameRole, type FrameRow, frameRows } from './frame-table.ts'
import { createWorld, takeSnapshot } from './world.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const named = (of: readonly FrameRow[]) => of.map((row): [string, FrameRow] => [nameOf(row), row])

describe('the table', () => {
  it('has every frame of the server, and no other', () => {
    expect([...new Set(frameRows.map(({ type }) => type))].sort()).toEqual([...FRAME_TYPES].sort())
  })
})

describe.each(named(frameRows))('%s', (_, row) => {
  it('answers each role as the table says; a refusal changes nothing and is told to nobody', async () => {
    const world = await createWorld(server)
    const before = await takeSnapshot(server, world)
    const watchers = await Promise.all([world.actors.owner.socket(), world.target.socket()])
    for (const watcher of watchers) await watcher.settle()
    const answers: Record<string, string> = {}
    const told: Record<string, string> = {}
    const tryAs = async (role: FrameRole) => {
      const { type, status, error } = await askFrame(server, row, role, seenBy(role, world))
      told[role] = type === 'ack' ? 'ack' : `${status} ${error}`
    }
    for (const role of FRAME_ROLES) {
      const { status, error } = row.answers[role]
      answers[role] = error === undefined ? 'ack' : `${status} ${error}`
      if (error !== undefined) await tryAs(role)
    }
    expect(await takeSnapshot(server, world)).toEqual(before)
    for (const watcher of watchers) {
      await watcher.settle()
      const heard = watcher.frames.map(({ type }) => type).filter((type) => type !== 'online_status')
      expect(heard).toEqual(['user_chats', 'pong', 'ack', 'pong', 'ack'])
      await watcher.close()
    }
    for (const role of FRAME_ROLES) if (row.answers[role].error === undefined) await tryAs(role)
    expect(told).toEqual(answers)
  })
})

describe('a chat one is not in', () => {
  const hidden = named(frameRows.filter(({ answers }) => answers.stranger.error === 'Chat not found'))

  it.each(hidden)('answers the same as one that is not there: %s', async (_, row) => {
    const world = await createWorld(server)
    const nowhere = { ...world, chatId: Bun.randomUUIDv7(), ownersMessageId: Bun.randomUUIDv7() }
    const unknown = await askFrame(server, row, 'stranger', nowhere)
    expect(unknown).toEqual({ type: 'error', status: 404, error: 'Chat not found', details: {} })
    expect(await askFrame(server, row, 'stranger', world)).toEqual(unknown)
    expect(await askFrame(server, row, 'exMember', world)).toEqual(unknown)
  })

  it('is shut at once for a socket that was open when its user was removed', async () => {
    const world = await createWorld(server)
    const { owner, member } = world.actors
    const socket = await member.socket()
    expect(await socket.ask({ type: 'message', chat_id: world.chatId, content: 'still in' })).toMatchObject({
      type: 'ack',
    })
    await owner.delete(`/chats/${world.chatId}/members/${member.id}`)
    await socket.next('chat_removed')
    for (const [, { type, fields, answers }] of hidden) {
      const answer = await socket.ask({ type, ...fields?.(world, member) })
      expect(answer).toMatchObject({ type: 'error', error: answers.exMember.error })
    }
    const events = socket.frames.length
    const watcher = await owner.socket()
    await watcher.ask({ type: 'message', chat_id: world.chatId, content: 'without you' })
    await watcher.ask({ type: 'typing', chat_id: world.chatId })
    await watcher.settle()
    await socket.settle()
    expect(socket.frames.slice(events).map(({ type }) => type)).toEqual(['pong', 'ack'])
  })
})
