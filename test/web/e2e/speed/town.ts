/** A server with much on it: somebody with many chats, a long one among them, and those who write there. */
import type { TestSocket, TestUser } from '../../../support/client.ts'
import { startServer, type TestServer } from '../../../support/server.ts'

export interface Town {
  server: TestServer
  reader: TestUser
  phone: string
  /** Of those who write. */
  sockets: TestSocket[]
  /** Groups of all of them, with a few messages each. */
  chatIds: string[]
  /** The same with many messages, all read. */
  longId: string
}

const WRITERS = 4
/** Each chat but the long one has so many. */
const FEW = 3

/** @param chats how many beside the long one @param messages how many the long one has */
export async function startTown({ chats, messages }: { chats: number; messages: number }): Promise<Town> {
  const server = await startServer()
  const reader = await server.addUser('reader')
  const writers = await Promise.all(Array.from({ length: WRITERS }, (_, n) => server.addUser(`writer_${n + 1}`)))
  const longId = Bun.randomUUIDv7()
  const chatIds = Array.from({ length: chats }, () => Bun.randomUUIDv7())
  const userIds = [reader, ...writers].map(({ id }) => id)
  await addGroup(server, longId, 'The long one', userIds, messages)
  for (const [n, id] of chatIds.entries()) await addGroup(server, id, `Group ${n + 1}`, userIds, FEW)
  await server.database.sql`analyze`
  const { body } = await reader.get('/users/me')
  const sockets = await Promise.all(writers.map((writer) => writer.socket()))
  return { server, reader, phone: String(body.phone), sockets, chatIds, longId }
}

/** A group whose messages came one a minute, up to an hour ago, of one line to eight. */
async function addGroup({ database: { sql } }: TestServer, id: string, name: string, userIds: string[], count: number) {
  await sql`
    insert into chats (id, type, name, owner_id, member_count, last_seq, last_message_at)
    values (${id}, 'group', ${name}, ${userIds[0] ?? ''}, ${userIds.length}, ${count}, now() - interval '1 hour')`
  await sql`
    insert into chat_members (chat_id, user_id, last_read_seq)
    select ${id}, user_id, ${count} from unnest(${userIds}::uuid[]) user_id`
  await sql`
    insert into messages (chat_id, id, seq, sender_id, client_id, content, created_at)
    select ${id}, gen_random_uuid(), seq, (${userIds}::uuid[])[1 + (seq / 3) % ${userIds.length}::int], ${id}::text || seq,
      'Line ' || seq || '. ' || repeat('Some words of it. ', 1 + (seq * 7) % 18),
      now() - interval '1 hour' - (${count}::int - seq) * interval '1 minute'
    from generate_series(1, ${count}::int) seq`
}
