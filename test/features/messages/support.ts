/** Sending, and what the database holds, for the tests of messages. */
import type { Json, TestSocket, TestUser } from '../../support/client.ts'
import type { TestServer } from '../../support/server.ts'

/** Sends by REST. @returns the stored message; throws when it was refused */
export async function say(user: TestUser, chatId: string, content: string, extra: object = {}): Promise<Json> {
  const { status, body } = await user.post('/messages', { chat_id: chatId, content, ...extra })
  if (status !== 201) throw new Error(`Not sent: ${status} ${JSON.stringify(body)}`)
  return body
}

/** Sends many over a socket without waiting in between. @returns the stored messages in the order of sending */
export async function sayMany(socket: TestSocket, chatId: string, contents: readonly string[]): Promise<Json[]> {
  const refs = contents.map((content, index) => {
    const ref = `many-${Bun.randomUUIDv7()}-${index}`
    socket.send({ type: 'message', ref, chat_id: chatId, content })
    return ref
  })
  const last = refs.at(-1)
  await socket.find((frame) => frame.ref === last, 20_000, 'answer to the last send')
  const answers = new Map(socket.frames.map((frame) => [frame.ref, frame]))
  return refs.map((ref) => answers.get(ref)?.message)
}

export interface StoredMessage {
  id: string
  seq: number
  rev: number
  sender_id: string
  client_id: string
  content: string
}

/** What is stored of a chat, by seq. */
export const readStored = ({ database: { sql } }: TestServer, chatId: string) =>
  sql<StoredMessage[]>`
    select id, seq::float8 as seq, rev::float8 as rev, sender_id, client_id, content
    from messages where chat_id = ${chatId} order by seq`

/** 1, 2, ... n */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1)

export const seqsOf = (messages: readonly { seq: number }[]): number[] => messages.map(({ seq }) => seq)
