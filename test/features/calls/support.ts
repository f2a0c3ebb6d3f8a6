/** People who call each other over real sockets. */
import { expect } from 'bun:test'
import type { Json, TestSocket, TestUser } from '../../support/client.ts'
import type { TestServer } from '../../support/server.ts'

export interface Pair {
  ann: TestUser
  ben: TestUser
  chatId: string
}

export async function addPair(server: TestServer): Promise<Pair> {
  const [ann, ben] = [await server.addUser(), await server.addUser()]
  return { ann, ben, chatId: await server.addDm(ann, ben) }
}

export async function invite(socket: TestSocket, chatId: string, media = 'audio'): Promise<string> {
  const answer = await socket.ask({ type: 'call_invite', chat_id: chatId, media })
  expect(answer).toMatchObject({ type: 'ack', state: 'ringing' })
  return answer.call_id
}

export const ask = (socket: TestSocket, type: string, callId: string, fields: Record<string, unknown> = {}) =>
  socket.ask({ type, call_id: callId, ...fields })

export async function act(socket: TestSocket, type: string, callId: string): Promise<Json> {
  const answer = await ask(socket, type, callId)
  expect(answer).toMatchObject({ type: 'ack', call_id: callId })
  return answer
}

/** Rings, and answers. @returns the call's id */
export async function connect(caller: TestSocket, callee: TestSocket, chatId: string): Promise<string> {
  const callId = await invite(caller, chatId)
  await callee.next('call_invite', (event) => event.call_id === callId)
  await act(callee, 'call_accept', callId)
  await caller.next('call_accept', (event) => event.call_id === callId)
  return callId
}

/** The message about a call, as it arrives. */
export const nextRecord = (socket: TestSocket): Promise<Json> =>
  socket.next('new_message', ({ message }) => message.message_type === 'call').then(({ message }) => message)

export async function readCall({ database: { sql } }: TestServer, callId: string): Promise<Json> {
  const [row] = await sql`select * from calls where id = ${callId}`
  return row
}

/** So long has passed for the call. */
export async function age({ database: { sql } }: TestServer, callId: string, seconds: number): Promise<void> {
  const by = `${seconds} seconds`
  await sql`update calls set created_at = created_at - ${by}::interval, ring_until = ring_until - ${by}::interval,
    answered_at = answered_at - ${by}::interval, caller_until = caller_until - ${by}::interval,
    callee_until = callee_until - ${by}::interval where id = ${callId}`
}

/** The events of a call that came to a socket, in order. */
export const heard = (socket: TestSocket): string[] =>
  socket.frames.map(({ type }: Json) => type).filter((type: string) => type.startsWith('call_'))
