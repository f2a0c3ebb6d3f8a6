/** The server in a few lines: what it numbers, what it answers from one snapshot, what it pushes. For one user's eyes. */
import type { Question } from '../../../src/web/sync/turn.ts'
import type { ChatOverview, Head, Message, ServerFrame, SyncResponse } from '../../../src/web/sync/wire.ts'

export const ME = 'me'
export const BEN = 'ben'
/** Small ones, so that a short run sees all of it. */
const PAGE = 3
const RESET_BEHIND = 12

interface ModelChat {
  id: string
  name: string
  amIn: boolean
  head: Head
  messages: Message[]
  reads: Record<string, number>
  lastMessageAt: string
}

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value))

export class ModelServer {
  readonly chats = new Map<string, ModelChat>()
  /** Of each open socket, what was pushed and not yet delivered. */
  readonly sockets = new Set<ServerFrame[]>()
  /** What was asked, to see that a run really tests it. */
  readonly counts: Record<string, number> = {}
  private time = 0

  constructor(ids: readonly string[]) {
    for (const id of ids)
      this.chats.set(id, {
        ...{ id, name: id, amIn: true, head: { seq: 0, rev: 0 }, messages: [], lastMessageAt: this.now() },
        reads: { [ME]: 0, [BEN]: 0 },
      })
  }

  private count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  resync(): void {
    this.emit({ type: 'resync' })
  }

  private now = () => new Date(1_700_000_000_000 + 1000 * ++this.time).toISOString()

  private emit(frame: ServerFrame): void {
    for (const socket of this.sockets) socket.push(copy(frame))
  }

  open(): ServerFrame[] {
    const mine = [...this.chats.values()].filter(({ amIn }) => amIn)
    const socket: ServerFrame[] = [
      {
        type: 'user_chats',
        chat_ids: mine.map(({ id }) => id),
        heads: copy(Object.fromEntries(mine.map(({ id, head }) => [id, head]))),
      },
    ]
    this.sockets.add(socket)
    return socket
  }

  send(chatId: string, sender: string, content: string, clientId: string | null = null): Message | undefined {
    const chat = this.chats.get(chatId)
    if (!chat || (sender === ME && !chat.amIn)) return undefined
    const first = clientId && chat.messages.find((one) => one.client_id === clientId && one.sender_id === sender)
    if (first) return copy(first)
    const at = this.now()
    const seq = chat.head.seq + 1
    const message: Message = {
      ...{ id: `${chatId}-${seq}`, sender_id: sender, chat_id: chatId, content, message_type: 'text', media_url: null },
      ...{ created_at: at, seq, rev: 0, client_id: clientId, reply_to_id: null, updated_at: at, deleted_at: null },
      media: null,
    }
    chat.messages.push(message)
    chat.head = { ...chat.head, seq }
    chat.lastMessageAt = at
    chat.reads[sender] = seq
    if (chat.amIn) this.emit({ type: 'new_message', message })
    return copy(message)
  }

  change(chatId: string, seq: number, content: string | null): void {
    const chat = this.chats.get(chatId)
    const message = chat?.messages[seq - 1]
    if (!chat || !message || message.deleted_at) return
    const rev = chat.head.rev + 1
    chat.head = { ...chat.head, rev }
    const at = this.now()
    chat.messages[seq - 1] = {
      ...message,
      rev,
      content: content ?? '',
      updated_at: at,
      deleted_at: content === null ? at : null,
    }
    const type = content === null ? 'message_deleted' : 'message_updated'
    if (chat.amIn) this.emit({ type, chat_id: chatId, message: copy(chat.messages[seq - 1] ?? message) })
  }

  /** @returns the mark; undefined for one who is not in the chat */
  read(chatId: string, user: string, seq: number): number | undefined {
    const chat = this.chats.get(chatId)
    if (!chat || (user === ME && !chat.amIn)) return undefined
    const mark = Math.max(chat.reads[user] ?? 0, Math.min(seq, chat.head.seq))
    chat.reads[user] = mark
    if (chat.amIn) this.emit({ type: 'read', chat_id: chatId, user_id: user, last_read_seq: mark })
    return mark
  }

  rename(chatId: string, name: string): void {
    const chat = this.chats.get(chatId)
    if (!chat) return
    chat.name = name
    if (chat.amIn) this.emit({ type: 'chat_updated', chat_id: chatId, name })
  }

  leaveOrJoin(chatId: string): void {
    const chat = this.chats.get(chatId)
    if (!chat) return
    chat.amIn = !chat.amIn
    if (chat.amIn) {
      chat.reads[ME] = chat.head.seq
      this.emit({ type: 'chat_created', chat_id: chatId, head: copy(chat.head), chat: this.overview(chat) })
    } else this.emit({ type: 'chat_removed', chat_id: chatId })
  }

  overview(chat: ModelChat): ChatOverview {
    const mine = chat.reads[ME] ?? 0
    return copy({
      ...{
        id: chat.id,
        name: chat.name,
        type: 'group' as const,
        owner_id: BEN,
        member_count: 2,
        role: 'member' as const,
      },
      ...{
        created_at: new Date(0).toISOString(),
        is_read_only: false,
        avatar_url: null,
        peer: null,
        last_message_at: chat.lastMessageAt,
      },
      ...{ last_seq: chat.head.seq, last_rev: chat.head.rev, last_read_seq: mine },
      ...{ unread_count: chat.head.seq - mine, peer_read_seq: chat.reads[BEN] ?? 0 },
      last_message: chat.messages.findLast(({ deleted_at }) => !deleted_at) ?? null,
    })
  }

  /** @returns undefined for what is 404 */
  answer(question: Question): unknown {
    this.count(question.ask)
    if (question.ask === 'sync') return this.sync(question.held)
    if (question.ask === 'users') return { users: [] }
    const chat = this.chats.get(question.chatId)
    if (!chat?.amIn) return undefined
    switch (question.ask) {
      case 'changes':
        return this.changes(chat, question.after)
      case 'page': {
        const found = chat.messages.filter(({ seq }) => seq >= question.from && seq <= question.to)
        return copy({ messages: found.reverse(), total: chat.head.seq, has_more: question.from > 1 })
      }
      case 'chat':
        return this.overview(chat)
      case 'message': {
        const found = chat.messages.find(({ id }) => id === question.messageId)
        return found && copy(found)
      }
      case 'members':
        return { members: [], total: 2, has_more: false }
    }
  }

  private changes({ messages, head }: ModelChat, after: Head) {
    const fresh = messages.filter(({ seq }) => seq > after.seq).slice(0, PAGE)
    const isAllFresh = fresh.length < PAGE || fresh.at(-1)?.seq === head.seq
    if (!isAllFresh)
      return copy({ messages: fresh, changes: [], next: { seq: fresh.at(-1)?.seq, rev: after.rev }, has_more: true })
    const older = messages.filter(({ seq, rev }) => seq <= after.seq && rev > after.rev).sort((a, b) => a.rev - b.rev)
    const changes = older.slice(0, PAGE)
    const isAll = changes.length < PAGE
    const rev = isAll ? Math.max(head.rev, after.rev) : (changes.at(-1)?.rev ?? after.rev)
    return copy({ messages: fresh, changes, next: { seq: Math.max(head.seq, after.seq), rev }, has_more: !isAll })
  }

  private sync(held: Record<string, Head>): SyncResponse {
    const mine = [...this.chats.values()].filter(({ amIn }) => amIn)
    return {
      chats: mine.map((one) => {
        const mark = held[one.id]
        const chat = this.overview(one)
        const nothing = { chat, messages: [], changes: [], next: copy(one.head), has_more: false }
        if (!mark) return { ...nothing, is_new: true, reset: false }
        const behind = one.head.seq - mark.seq + one.head.rev - mark.rev
        const isLost = one.head.seq < mark.seq || one.head.rev < mark.rev || behind > RESET_BEHIND
        if (isLost) this.count('reset')
        if (isLost) return { ...nothing, is_new: false, reset: true }
        return { chat, is_new: false, reset: false, ...this.changes(one, mark) } as SyncResponse['chats'][number]
      }),
      gone: Object.keys(held).filter((id) => !this.chats.get(id)?.amIn),
    }
  }
}
