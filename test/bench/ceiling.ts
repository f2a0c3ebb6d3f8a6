/** What the database could take if nothing but rows had to be written: plain inserts of 64 rows from two flows. */
import { connectDatabase } from '../../src/db/client.ts'

const ROWS = 64
const FLOWS = 2
/** Of each flow. The rows spread over chats and senders as those of the server do: rows of one chat alone are cheaper. */
const CHATS = 50

type SocketOptions = NonNullable<Parameters<typeof connectDatabase>[0]['socket']>

/** Writes into `messages`, as the server does, in chats of its own. @returns rows a second */
export async function measureCeiling(socket: SocketOptions, seconds: number, content: string): Promise<number> {
  const database = connectDatabase({ socket, poolMax: FLOWS, name: 'bench ceiling' })
  const flows = Array.from({ length: FLOWS }, () => Array.from({ length: CHATS }, makeChat))
  try {
    await Promise.all(flows.map(() => database.sql`select 1`))
    const startedAt = performance.now()
    const until = startedAt + seconds * 1000
    const rows = await Promise.all(flows.map((chats) => insertUntil(database.sql, chats, until, content)))
    return rows.reduce((total, n) => total + n, 0) / ((performance.now() - startedAt) / 1000)
  } finally {
    await database.close()
  }
}

interface Chat {
  id: string
  senderIds: [string, string]
  seq: number
}

const makeChat = (): Chat => ({ id: Bun.randomUUIDv7(), senderIds: [Bun.randomUUIDv7(), Bun.randomUUIDv7()], seq: 0 })

async function insertUntil(
  sql: ReturnType<typeof connectDatabase>['sql'],
  chats: readonly Chat[],
  until: number,
  content: string,
): Promise<number> {
  let rows = 0
  while (performance.now() < until) {
    const columns = { chatId: [] as string[], id: [] as string[], seq: [] as number[], senderId: [] as string[] }
    for (let n = 0; n < ROWS; n++, rows++) {
      const chat = chats[rows % chats.length] ?? makeChat()
      columns.chatId.push(chat.id)
      columns.id.push(Bun.randomUUIDv7())
      columns.seq.push(++chat.seq)
      columns.senderId.push(chat.senderIds[chat.seq % 2] ?? '')
    }
    const contents = columns.id.map(() => content)
    await sql`
      insert into messages (chat_id, id, seq, sender_id, client_id, content)
      select chat_id, id, seq, sender_id, id::text, content
      from unnest(
        ${columns.chatId}::uuid[], ${columns.id}::uuid[], ${columns.seq}::bigint[], ${columns.senderId}::uuid[],
        ${contents}::text[]
      ) row (chat_id, id, seq, sender_id, content)`
  }
  return rows
}
