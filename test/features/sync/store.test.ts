import { afterAll, beforeAll, expect, it } from 'bun:test'
import { sql } from 'drizzle-orm'
import { chats } from '../../../src/db/schema/index.ts'
import { findHead, inSnapshot } from '../../../src/features/sync/store.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const CHAT = '0190f6a2-7c1e-7000-8000-000000000001'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
  await server.database.db.insert(chats).values({ id: CHAT, type: 'group' })
})
afterAll(() => server.stop())

const grow = () => server.database.db.update(chats).set({ lastSeq: sql`${chats.lastSeq} + 1` })
const readMode = sql`
  select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as only`

it('shows one snapshot from the first query on, on a connection of any age', async () => {
  const { db } = server.database
  for (let time = 0; time < 20; time++) {
    const [mode, before, after] = await inSnapshot(db, async (tx) => {
      const found = await tx.execute(readMode)
      const head = await findHead(tx, CHAT)
      await grow()
      return [found[0], head, await findHead(tx, CHAT)]
    })
    expect(mode).toEqual({ isolation: 'repeatable read', only: 'on' })
    expect(before).toEqual({ seq: time, rev: 0 })
    expect(after).toEqual(before)
  }
})

it('shows one snapshot to queries that are on their way at once', async () => {
  const { db } = server.database
  const heads = await inSnapshot(db, (tx) => Promise.all(Array.from({ length: 10 }, () => findHead(tx, CHAT))))
  expect(new Set(heads.map(({ seq }) => seq)).size).toBe(1)
})

it('lets nothing be written, and leaves the connection as it was', async () => {
  const { db } = server.database
  const writing = inSnapshot(db, (tx) => tx.update(chats).set({ lastRev: 1 }).execute())
  expect(await writing.catch((error) => error.cause.code)).toBe('25006')
  await grow()
  const [mode] = await db.execute(readMode)
  expect(mode).toEqual({ isolation: 'read committed', only: 'off' })
})
