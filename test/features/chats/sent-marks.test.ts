import { afterAll, beforeAll, expect, it } from 'bun:test'
import { connectDatabase, type Database } from '../../../src/db/client.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { updateReadMark, updateSentMarks } from '../../../src/features/chats/reads-store.ts'
import { createLog } from '../../../src/observability/log.ts'
import { createDatabase } from '../../support/postgres.ts'

let database: Database
const [chatId, userId] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
beforeAll(async () => {
  database = connectDatabase({ url: await createDatabase(), poolMax: 1, name: 'tests' })
  const { sql } = database
  await migrate(sql, createLog('error'))
  await sql`insert into users (id, phone, username, password_hash) values (${userId}, '+1', 'one', 'none')`
  await sql`insert into chats (id, type, member_count, last_seq) values (${chatId}, 'group', 1, 9)`
  await sql`insert into chat_members (chat_id, user_id) values (${chatId}, ${userId})`
})
afterAll(() => database.close())

/** How the transaction that is open, or else the connection's next one, will commit. */
async function mode(db: Pick<Database['db'], 'execute'>) {
  const [row] = await db.execute<{ synchronous_commit: string }>('show synchronous_commit')
  return row?.synchronous_commit
}

it('marks that sending implies do not wait for the disk, and explicit ones on the same connection do', async () => {
  await database.db.transaction(async (tx) => {
    await updateSentMarks(tx, [{ chatId, userId, seq: 4 }])
    expect(await mode(tx)).toBe('off')
  })
  expect(await mode(database.db)).toBe('on')
  await updateSentMarks(database.db, [{ chatId, userId, seq: 5 }])
  expect(await mode(database.db)).toBe('on')
  await database.db.transaction(async (tx) => {
    await updateReadMark(tx, chatId, userId)
    expect(await mode(tx)).toBe('on')
  })
})

it('marks that sending implies move forward alone', async () => {
  await updateSentMarks(database.db, [{ chatId, userId, seq: 2 }])
  const [row] = await database.sql`select last_read_seq::int as seq from chat_members where user_id = ${userId}`
  expect(row).toEqual({ seq: 9 })
})
