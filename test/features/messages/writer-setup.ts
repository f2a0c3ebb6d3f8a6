/** A message writer on a database of its own, without the server around it. */
import type { BusMessage } from '../../../src/bus/bus.ts'
import { createMemoryBus } from '../../../src/bus/memory.ts'
import { connectDatabase } from '../../../src/db/client.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { createMessageWriter, type WriterOptions, writerStartup } from '../../../src/features/messages/writer.ts'
import type { Draft } from '../../../src/features/messages/writer-store.ts'
import { createLog } from '../../../src/observability/log.ts'
import { createDatabase } from '../../support/postgres.ts'

export interface WriterSetup {
  maxQueued?: number
  maxBatch?: number
  statementTimeoutSeconds?: number
}

export async function startWriter({ statementTimeoutSeconds, ...limits }: WriterSetup = {}) {
  const url = await createDatabase()
  const log = createLog('error', () => {})
  const admin = connectDatabase({ url, poolMax: 2, name: 'tests' })
  await migrate(admin.sql, log)
  // As `serve` opens it.
  const own = connectDatabase({
    url,
    poolMax: 1,
    name: 'messenger writer',
    startup: writerStartup,
    statementTimeoutSeconds,
  })
  const published: BusMessage[] = []
  const bus = createMemoryBus(log)
  bus.onMessage((message) => published.push(message))
  const stored: string[] = []
  const onStored: WriterOptions['onStored'] = ({ chat_id, sender_id, seq }) =>
    void stored.push(`${chat_id} ${sender_id} ${seq}`)
  const writer = createMessageWriter({ sql: own.sql, bus, log, onStored, ...limits })

  return {
    writer,
    sql: admin.sql,
    ownSql: own.sql,
    /** Events and marks so far. */
    published,
    stored,
    /** Makes users and chats between them. @returns the ids of both */
    async addChats(count: number, membersEach = 2) {
      const userIds = Array.from({ length: membersEach }, () => Bun.randomUUIDv7())
      const chatIds = Array.from({ length: count }, () => Bun.randomUUIDv7())
      await admin.sql`
        insert into users (id, phone, username, password_hash)
        select id, right(id::text, 12), 'u' || right(id::text, 12), 'none' from unnest(${userIds}::uuid[]) id`
      await admin.sql`
        insert into chats (id, type, member_count)
        select id, 'group', ${membersEach}::int from unnest(${chatIds}::uuid[]) id`
      await admin.sql`
        insert into chat_members (chat_id, user_id)
        select chat_id, user_id from unnest(${chatIds}::uuid[]) chat_id, unnest(${userIds}::uuid[]) user_id`
      return { userIds, chatIds }
    },
    seqsOf: async (chatId: string): Promise<number[]> => {
      const rows = await admin.sql<{ seq: number }[]>`
        select seq::float8 as seq from messages where chat_id = ${chatId} order by seq`
      return rows.map(({ seq }) => seq)
    },
    async stop() {
      await own.close()
      await admin.close()
    },
  }
}

export function draftOf(chatId = '', senderId = '', fields: Partial<Draft> = {}): Draft {
  const id = Bun.randomUUIDv7()
  return { id, chatId, senderId, content: 'a message', clientId: id, replyToId: null, ...fields }
}

/** What became of each: its number, or the status and words of the refusal. */
export async function outcomesOf(sends: Promise<{ message: { seq: number } }>[]): Promise<(number | string)[]> {
  const settled = await Promise.allSettled(sends)
  return settled.map((one) => {
    if (one.status === 'fulfilled') return one.value.message.seq
    const { status, message } = one.reason as { status?: number; message: string }
    return `${status ?? 'error'} ${message}`
  })
}
