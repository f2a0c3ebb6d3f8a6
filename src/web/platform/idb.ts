/**
 * The storage of a browser: IndexedDB, one transaction a call. A connection that the browser closed (it does so on iOS) is
 * opened anew, once. A browser without it, or in a window that keeps nothing, gets a storage that lasts as long as the tab.
 */
import { createMemoryStorage } from '../sync/memory-storage.ts'
import type { Storage, StorageOp } from '../sync/ports.ts'
import type { StoredChat } from '../sync/state.ts'
import type { Message } from '../sync/wire.ts'

const NAME = 'messenger'
const VERSION = 1
const STORES = ['singles', 'chats', 'messages', 'outbox', 'files', 'drafts', 'users'] as const
type Store = (typeof STORES)[number]
type Stores = Record<Store, IDBObjectStore>

export function createBrowserStorage(): Storage {
  const stored = createIdbStorage()
  let chosen: Promise<Storage> | undefined
  const choose = () => {
    chosen ??= open().then(
      (database) => {
        database.close()
        return stored
      },
      () => createMemoryStorage(),
    )
    return chosen
  }
  return {
    load: async () => (await choose()).load(),
    commit: async (ops) => (await choose()).commit(ops),
    readMessages: async (...range) => (await choose()).readMessages(...range),
    readStanding: async () => (await choose()).readStanding(),
    readSession: async () => (await choose()).readSession(),
    readFile: async (clientId) => (await choose()).readFile(clientId),
    clear: async () => (await choose()).clear(),
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION)
    request.onupgradeneeded = () => {
      for (const store of STORES) request.result.createObjectStore(store)
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

const answerOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/** All messages of a chat: arrays come after numbers in the order of keys. */
const messagesOf = (chatId: string, from = 0, to: number | [] = []) => IDBKeyRange.bound([chatId, from], [chatId, to])

function createIdbStorage(): Storage {
  let connection: Promise<IDBDatabase> | undefined

  function connect(): Promise<IDBDatabase> {
    connection ??= open().then((database) => {
      const forget = () => {
        connection = undefined
      }
      database.onclose = forget
      // Another tab has a newer version, or clears everything.
      database.onversionchange = () => {
        database.close()
        forget()
      }
      return database
    })
    connection.catch(() => {
      connection = undefined
    })
    return connection
  }

  /** @param work may wait for its own requests and for nothing else, or the transaction ends */
  async function run<T>(mode: IDBTransactionMode, work: (stores: Stores) => Promise<T>): Promise<T> {
    try {
      return await once(mode, work)
    } catch (error) {
      const isClosed = error instanceof DOMException && ['InvalidStateError', 'UnknownError'].includes(error.name)
      if (!isClosed) throw error
      connection = undefined
      return once(mode, work)
    }
  }

  async function once<T>(mode: IDBTransactionMode, work: (stores: Stores) => Promise<T>): Promise<T> {
    const transaction = (await connect()).transaction(STORES, mode)
    const stores = Object.fromEntries(STORES.map((name) => [name, transaction.objectStore(name)])) as Stores
    const isOver = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new DOMException('Aborted', 'AbortError'))
    })
    const [result] = await Promise.all([work(stores), isOver])
    return result
  }

  const readOutbox = async ({ outbox }: Stores) =>
    (await answerOf(outbox.getAll())).sort((a, b) => a.writtenAt - b.writtenAt)

  return {
    load: () =>
      run('readonly', async (stores) => {
        const [session, me, chats, outbox, texts, users, ids] = await Promise.all([
          answerOf(stores.singles.get('session')),
          answerOf(stores.singles.get('me')),
          answerOf(stores.chats.getAll()),
          readOutbox(stores),
          answerOf(stores.drafts.getAll()),
          answerOf(stores.users.getAll()),
          answerOf(stores.drafts.getAllKeys()),
        ])
        return { session, me, chats, outbox, drafts: ids.map((id, at) => [String(id), texts[at]]), users }
      }),

    commit: (ops) =>
      run('readwrite', async (stores) => {
        for (const op of merge(ops)) await apply(stores, op)
      }),

    readMessages: (chatId, from, to) =>
      run('readonly', async ({ messages, chats }) => {
        const [found, chat] = await Promise.all([
          answerOf<Message[]>(messages.getAll(messagesOf(chatId, from, to))),
          answerOf<StoredChat | undefined>(chats.get(chatId)),
        ])
        return { messages: found, rev: chat?.head.rev ?? -1 }
      }),

    readStanding: () =>
      run('readonly', async (stores) => {
        const [chats, outbox] = await Promise.all([answerOf<StoredChat[]>(stores.chats.getAll()), readOutbox(stores)])
        return { heads: Object.fromEntries(chats.map(({ id, head }) => [id, head])), outbox }
      }),

    readSession: () => run('readonly', ({ singles }) => answerOf(singles.get('session'))),
    readFile: (clientId) => run('readonly', ({ files }) => answerOf(files.get(clientId))),

    clear: () =>
      run('readwrite', async (stores) => {
        for (const name of STORES) stores[name].clear()
      }),
  }
}

/**
 * The same in fewer operations: of a chat's rows the last one counts, and messages of one chat go together.
 * @returns what leads to the same state, when it is done in its order
 */
export function merge(ops: readonly StorageOp[]): StorageOp[] {
  const merged: StorageOp[] = []
  /** Operations of a chat that a later one joins or replaces, by their place. */
  const rows = new Map<string, number>()
  const messages = new Map<string, Message[]>()
  for (const op of ops) {
    if ('put' in op && op.put === 'messages') {
      const known = messages.get(op.chatId)
      if (known) known.push(...op.messages)
      else {
        const list = [...op.messages]
        messages.set(op.chatId, list)
        merged.push({ ...op, messages: list })
      }
    } else if ('put' in op && op.put === 'chat') {
      const at = rows.get(op.chat.id)
      if (at === undefined) rows.set(op.chat.id, merged.push(op) - 1)
      else merged[at] = op
    } else {
      // What was there before it is another's.
      if ('delete' in op && op.delete !== 'outbox') {
        messages.delete(op.chatId)
        rows.delete(op.chatId)
      }
      merged.push(op)
    }
  }
  return merged
}

async function apply(stores: Stores, op: StorageOp): Promise<void> {
  if ('put' in op) return put(stores, op)
  if ('update' in op) {
    const { entry } = op
    if (await answerOf(stores.outbox.getKey(entry.clientId))) stores.outbox.put(entry, entry.clientId)
    return
  }
  if (op.delete === 'outbox') {
    stores.outbox.delete(op.clientId)
    stores.files.delete(op.clientId)
    return
  }
  stores.messages.delete(messagesOf(op.chatId))
  if (op.delete === 'chat') stores.chats.delete(op.chatId)
}

async function put(stores: Stores, op: Extract<StorageOp, { put: string }>): Promise<void> {
  switch (op.put) {
    case 'messages':
      return putMessages(stores.messages, op.chatId, op.messages)
    case 'chat':
      stores.chats.put(op.chat, op.chat.id)
      return
    case 'outbox':
      stores.outbox.put(op.entry, op.entry.clientId)
      return
    case 'file':
      stores.files.put(op.file, op.clientId)
      return
    case 'draft':
      if (op.draft) stores.drafts.put(op.draft, op.chatId)
      else stores.drafts.delete(op.chatId)
      return
    case 'users':
      for (const user of op.users) stores.users.put(user, user.id)
      return
    case 'me':
      stores.singles.put(op.me, 'me')
      return
    case 'session':
      stores.singles.put(op.session, 'session')
  }
}

/** Put in one go: more would keep the page from its next frame. */
const SLICE = 10

/** Of each the higher `rev` stays. */
async function putMessages(store: IDBObjectStore, chatId: string, messages: readonly Message[]): Promise<void> {
  const newest = new Map<number, Message>()
  for (const message of messages)
    if (message.rev >= (newest.get(message.seq)?.rev ?? 0)) newest.set(message.seq, message)
  const all = [...newest.values()].sort((a, b) => a.seq - b.seq)
  for (let at = 0; at < all.length; at += SLICE) {
    const slice = all.slice(at, at + SLICE)
    const range = messagesOf(chatId, slice[0]?.seq, slice.at(-1)?.seq)
    const isDense = (slice.at(-1)?.seq ?? 0) - (slice[0]?.seq ?? 0) < 2 * SLICE
    const known = isDense
      ? await answerOf<Message[]>(store.getAll(range))
      : await Promise.all(slice.map(({ seq }) => answerOf<Message | undefined>(store.get([chatId, seq]))))
    const revs = new Map(known.map((message) => [message?.seq, message?.rev ?? 0]))
    for (const message of slice)
      if ((revs.get(message.seq) ?? 0) <= message.rev) store.put(message, [chatId, message.seq])
  }
}
