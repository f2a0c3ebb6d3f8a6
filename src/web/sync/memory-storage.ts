/** A storage that lasts as long as the process: for tests, for bots, and for browsers that offer none. */
import type { Draft, Storage, StorageOp } from './ports.ts'
import type { OutboxEntry, Session, StoredChat } from './state.ts'
import type { Message, OwnProfile, PublicProfile } from './wire.ts'

export function createMemoryStorage(): Storage {
  let session: Session | undefined
  let me: OwnProfile | undefined
  const chats = new Map<string, StoredChat>()
  const messages = new Map<string, Map<number, Message>>()
  const outbox = new Map<string, OutboxEntry>()
  const files = new Map<string, unknown>()
  const drafts = new Map<string, Draft>()
  const users = new Map<string, PublicProfile>()

  function putMessages(chatId: string, list: readonly Message[]): void {
    const held = messages.get(chatId) ?? new Map<number, Message>()
    messages.set(chatId, held)
    for (const message of list) {
      const known = held.get(message.seq)
      if (!known || known.rev <= message.rev) held.set(message.seq, message)
    }
  }

  function put(op: Extract<StorageOp, { put: string }>): void {
    if (op.put === 'messages') putMessages(op.chatId, op.messages)
    else if (op.put === 'chat') chats.set(op.chat.id, op.chat)
    else if (op.put === 'outbox') outbox.set(op.entry.clientId, op.entry)
    else if (op.put === 'file') files.set(op.clientId, op.file)
    else if (op.put === 'users') for (const user of op.users) users.set(user.id, user)
    else if (op.put === 'me') me = op.me
    else if (op.put === 'session') session = op.session
    else if (op.draft) drafts.set(op.chatId, op.draft)
    else drafts.delete(op.chatId)
  }

  function remove(op: Extract<StorageOp, { delete: string }>): void {
    if (op.delete === 'outbox') {
      outbox.delete(op.clientId)
      files.delete(op.clientId)
      return
    }
    messages.delete(op.chatId)
    if (op.delete === 'chat') chats.delete(op.chatId)
  }

  const readOutbox = () => [...outbox.values()].sort((a, b) => a.writtenAt - b.writtenAt)

  return {
    async load() {
      return {
        ...{ session, me, chats: [...chats.values()], outbox: readOutbox() },
        ...{ drafts: [...drafts], users: [...users.values()] },
      }
    },

    async commit(ops) {
      for (const op of ops) {
        if ('put' in op) put(op)
        else if ('delete' in op) remove(op)
        else if (outbox.has(op.entry.clientId)) outbox.set(op.entry.clientId, op.entry)
      }
    },

    async readMessages(chatId, from, to) {
      const held = messages.get(chatId)
      const found: Message[] = []
      for (let seq = from; seq <= to; seq++) {
        const message = held?.get(seq)
        if (message) found.push(message)
      }
      return { messages: found, rev: chats.get(chatId)?.head.rev ?? -1 }
    },

    async readStanding() {
      const heads = Object.fromEntries([...chats.values()].map(({ id, head }) => [id, head]))
      return { heads, outbox: readOutbox() }
    },

    readSession: async () => session,
    readFile: async (clientId) => files.get(clientId),

    async clear() {
      session = undefined
      me = undefined
      for (const map of [chats, messages, outbox, files, drafts, users]) map.clear()
    },
  }
}
