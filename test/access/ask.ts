/** One question of the access tables, asked as one role, of a server that runs. */
import { createApp } from '../../src/app.ts'
import { beAlone } from '../../src/commands/instances.ts'
import { openStorage } from '../../src/commands/parts.ts'
import { createLog } from '../../src/observability/log.ts'
import { handshake } from '../http/raw.ts'
import { type Answer, type Json, request, TestSocket, type TestUser } from '../support/client.ts'
import { TEST_SECRET, type TestServer } from '../support/server.ts'
import type { Row } from './answers.ts'
import type { FrameRole, FrameRow } from './frame-table.ts'
import type { Role, World } from './world.ts'

/** As a role sees it: the chat of the peer of a direct chat is that one. */
export const seenBy = (role: Role, world: World): World => (role === 'dmPeer' ? { ...world, ...world.dm } : world)
export const actorOf = (role: Role, world: World): TestUser | undefined =>
  role === 'anonymous' ? undefined : world.actors[role]

/** How a row is called. */
export const nameOf = (row: Row | FrameRow): string =>
  ['route' in row ? row.route : row.type, row.about].filter(Boolean).join(', ')

export async function askRoute(server: TestServer, row: Row, role: Role, seen: World): Promise<Answer> {
  const actor = actorOf(role, seen)
  const [method = '', pattern = ''] = row.route.split(' ')
  const params: Record<string, string> = { chat_id: seen.chatId, ...row.params?.(seen, actor) }
  const path = (pattern + (row.query ?? '')).replace(
    /:(\w+)|\*$|\*(?=\?)/g,
    (whole, name: string = '*') => params[name] ?? whole,
  )
  if (row.isHandshake) {
    const { status, headers, body } = await handshake(
      server.url,
      path,
      actor && { authorization: `Bearer ${actor.token}` },
    )
    return { status, headers, body: status === 101 ? undefined : JSON.parse(body) }
  }
  return request(`${server.url}${path}`, method, actor?.token, row.body?.(seen, actor), row.headers?.(seen))
}

async function openSocket(server: TestServer, actor: TestUser | undefined): Promise<TestSocket> {
  if (actor) return actor.socket()
  const socket = new TestSocket(`${server.url.replace('http', 'ws')}/ws`)
  await new Promise((resolve) => socket.ws.addEventListener('open', resolve))
  return socket
}

/** The answer to the row's frame on a socket of the role's own, without its `ref`. */
export async function askFrame(server: TestServer, row: FrameRow, role: FrameRole, seen: World): Promise<Json> {
  const actor = actorOf(role, seen)
  const socket = await openSocket(server, actor)
  const { ref: _, ...answer } = await socket.ask({ type: row.type, ...row.fields?.(seen, actor) })
  await socket.close()
  return answer
}

/** Every route that the server has, as it names them. */
export async function listRoutes(server: TestServer): Promise<string[]> {
  const app = createApp({
    ...beAlone(createLog('error')),
    config: server.config,
    secret: TEST_SECRET,
    database: server.database,
    writerDatabase: server.database,
    storage: await openStorage(server.config, createLog('error')),
    ffmpeg: undefined,
    isRunner: () => false,
    log: createLog('error'),
  })
  app.stop()
  return [...new Set(app.http.routes.map(({ method, path }) => `${method} ${path}`))].sort()
}
