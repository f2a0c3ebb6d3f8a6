/** IndexedDB and the storage in memory hold the same, whatever is written. Real browsers are asked by test/web/e2e. */
import { afterAll, beforeEach, describe, expect, it } from 'bun:test'
import { forceCloseDatabase, IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import fc from 'fast-check'
import { createBrowserStorage } from '../../../src/web/platform/idb.ts'
import { createMemoryStorage } from '../../../src/web/sync/memory-storage.ts'
import type { Storage, StorageOp } from '../../../src/web/sync/ports.ts'
import { message, overview } from '../sync/stage.ts'

const CHATS = ['a', 'b']
const WRITTEN = ['x', 'y']
const anyChat = fc.constantFrom(...CHATS)
const anyWritten = fc.constantFrom(...WRITTEN)
const anyCount = fc.integer({ min: 1, max: 6 })

const entry = (clientId: string, content: string) => ({
  ...{ clientId, chatId: 'a', writtenAt: WRITTEN.indexOf(clientId), content, replyToId: null, file: null },
  ...{ status: 'queued' as const, error: null, attempts: 0, sentBytes: 0 },
})
const messages = (chatId: string, seqs: number[], rev: number) =>
  seqs.map((seq) => message(seq, { chat_id: chatId, rev, content: `${seq} at ${rev}` }))

const anyOp: fc.Arbitrary<StorageOp> = fc.oneof(
  fc
    .record({ chatId: anyChat, seqs: fc.uniqueArray(anyCount, { maxLength: 4 }), rev: anyCount })
    .map(({ chatId, seqs, rev }): StorageOp => ({ put: 'messages', chatId, messages: messages(chatId, seqs, rev) })),
  fc.record({ id: anyChat, seq: anyCount, rev: anyCount }).map(
    ({ id, seq, rev }): StorageOp => ({
      put: 'chat',
      chat: { id, row: overview(id, seq), head: { seq, rev }, serverReadSeq: 0 },
    }),
  ),
  anyChat.map((chatId): StorageOp => ({ delete: 'chat', chatId })),
  anyChat.map((chatId): StorageOp => ({ delete: 'messages', chatId })),
  fc.tuple(anyWritten, fc.string()).map(([id, text]): StorageOp => ({ put: 'outbox', entry: entry(id, text) })),
  fc.tuple(anyWritten, fc.string()).map(([id, text]): StorageOp => ({ update: 'outbox', entry: entry(id, text) })),
  anyWritten.map((clientId): StorageOp => ({ delete: 'outbox', clientId })),
  fc.tuple(anyWritten, fc.string()).map(([clientId, file]): StorageOp => ({ put: 'file', clientId, file })),
  fc.tuple(anyChat, fc.option(fc.string())).map(
    ([chatId, text]): StorageOp => ({
      put: 'draft',
      chatId,
      draft: text === null ? null : { text, replyToId: null },
    }),
  ),
  fc
    .string()
    .map((token): StorageOp => ({ put: 'session', session: { userId: 'me', token, refreshToken: '', renewAt: 1 } })),
)

/** All that can be read, in one order. */
async function readAll(storage: Storage) {
  const { chats, drafts, users, ...rest } = await storage.load()
  const byId = <T extends { id: string }>(list: T[]) => [...list].sort((one, other) => (one.id < other.id ? -1 : 1))
  return {
    ...rest,
    chats: byId(chats),
    users: byId(users),
    drafts: Object.fromEntries(drafts),
    standing: await storage.readStanding(),
    session: await storage.readSession(),
    files: await Promise.all(WRITTEN.map((id) => storage.readFile(id))),
    pages: await Promise.all(CHATS.flatMap((id) => [storage.readMessages(id, 1, 9), storage.readMessages(id, 2, 3)])),
  }
}

const before = { indexedDB: globalThis.indexedDB, IDBKeyRange: globalThis.IDBKeyRange }
beforeEach(() => {
  Object.assign(globalThis, { indexedDB: new IDBFactory(), IDBKeyRange })
})
afterAll(() => {
  Object.assign(globalThis, before)
})

describe("a browser's storage", () => {
  it('holds what one in memory holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyOp, { maxLength: 6 }), { maxLength: 8 }), async (commits) => {
        Object.assign(globalThis, { indexedDB: new IDBFactory() })
        const [stored, held] = [createBrowserStorage(), createMemoryStorage()]
        for (const ops of commits) {
          await stored.commit(ops)
          await held.commit(ops)
        }
        expect(await readAll(stored)).toEqual(await readAll(held))
        // Another tab, or the same one later.
        expect(await readAll(createBrowserStorage())).toEqual(await readAll(held))
        await stored.clear()
        expect(await readAll(stored)).toEqual(await readAll(createMemoryStorage()))
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  it('opens again when the browser has closed it', async () => {
    const opened: IDBDatabase[] = []
    const open = indexedDB.open.bind(indexedDB)
    indexedDB.open = (...named) => {
      const request = open(...named)
      request.addEventListener('success', () => opened.push(request.result))
      return request
    }
    const storage = createBrowserStorage()
    const put = (text: string) => storage.commit([{ put: 'draft', chatId: 'a', draft: { text, replyToId: null } }])
    await put('one')
    for (const database of opened.splice(0)) forceCloseDatabase(database as never)
    await put('two')
    expect((await storage.load()).drafts).toEqual([['a', { text: 'two', replyToId: null }]])
    // Without a word, too.
    for (const database of opened) database.close()
    await put('three')
    expect((await storage.load()).drafts).toEqual([['a', { text: 'three', replyToId: null }]])
  })

  it('lasts as long as the tab where there is none', async () => {
    Object.assign(globalThis, { indexedDB: undefined })
    const storage = createBrowserStorage()
    await storage.commit([{ put: 'draft', chatId: 'a', draft: { text: 'one', replyToId: null } }])
    expect((await storage.load()).drafts).toHaveLength(1)
  })
})
