/**
 * What the database could take if nothing but rows had to be written, into the product's own `messages`: plain inserts of
 * 64 rows by two flows, and of single rows by eight. The rows spread over as many chats and senders as those of the
 * server do: rows of one chat alone are cheaper.
 */
import { connectDatabase } from '../../src/db/client.ts'

export interface CeilingShape {
  flows: number
  rows: number
}

export const BATCHES: CeilingShape = { flows: 2, rows: 64 }
export const SINGLE_ROWS: CeilingShape = { flows: 8, rows: 1 }

const CHATS = 100

interface Chat {
  id: string
  senderIds: [string, string]
  seq: number
}

const makeChat = (): Chat => ({ id: Bun.randomUUIDv7(), senderIds: [Bun.randomUUIDv7(), Bun.randomUUIDv7()], seq: 0 })

/** @returns rows a second */
export async function measureCeiling(
  url: string,
  { flows, rows }: CeilingShape,
  seconds: number,
  content: string,
): Promise<number> {
  const database = connectDatabase({ url, poolMax: flows, name: 'bench ceiling' })
  const shares = Array.from({ length: flows }, () => Array.from({ length: Math.ceil(CHATS / flows) }, makeChat))
  try {
    // Every connection is open.
    await Promise.all(shares.map(() => database.sql`select pg_sleep(0.05)`))
    const startedAt = performance.now()
    const until = startedAt + seconds * 1000
    const counts = await Promise.all(shares.map((chats) => insertUntil(database.sql, chats, rows, until, content)))
    return counts.reduce((total, n) => total + n, 0) / ((performance.now() - startedAt) / 1000)
  } finally {
    await database.close()
  }
}

async function insertUntil(
  sql: ReturnType<typeof connectDatabase>['sql'],
  chats: readonly Chat[],
  size: number,
  until: number,
  content: string,
): Promise<number> {
  let count = 0
  const next = () => {
    const chat = chats[count++ % chats.length] ?? makeChat()
    const seq = ++chat.seq
    return { chatId: chat.id, id: Bun.randomUUIDv7(), seq, senderId: chat.senderIds[seq % 2] ?? '' }
  }
  while (performance.now() < until) {
    const rows = Array.from({ length: size }, next)
    const [only] = rows
    if (rows.length === 1 && only) {
      await sql`
        insert into messages (chat_id, id, seq, sender_id, client_id, content)
        values (${only.chatId}, ${only.id}, ${only.seq}, ${only.senderId}, ${only.id}, ${content})`
    } else {
      await sql`
        insert into messages (chat_id, id, seq, sender_id, client_id, content)
        select chat_id, id, seq, sender_id, id::text, content
        from unnest(
          ${rows.map((row) => row.chatId)}::uuid[], ${rows.map((row) => row.id)}::uuid[],
          ${rows.map((row) => row.seq)}::bigint[], ${rows.map((row) => row.senderId)}::uuid[],
          ${rows.map(() => content)}::text[]
        ) row (chat_id, id, seq, sender_id, content)`
    }
  }
  return count
}
