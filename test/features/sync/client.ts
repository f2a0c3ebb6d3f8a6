/**
 * A client as the README describes one: it applies events by (chat, seq, rev), asks `changes` when it sees a gap,
 * syncs when it has reconnected, and reads pages where it is told to start anew. It may be made to lose what is pushed.
 */
import type { Json, TestUser } from '../../support/client.ts'

export interface Held {
  /** All messages up to here are held, and all changes. */
  seq: number
  rev: number
  messages: Map<number, Json>
  lastReadSeq: number
  /** As the last sync said. */
  peerReadSeq: number | null
}

export interface ClientOptions {
  /** Whether the next pushed frame is lost on its way. */
  loses(): boolean
  /** How many milliseconds later the next one comes than it was sent: what is late comes after what is not. */
  delayMs?(): number
  /** How long a gap may close by itself. Clients wait 2 s; a test has less time. */
  patienceMs: number
  /** Of a page of `changes`. */
  pageSize: number
}

export class SyncClient {
  readonly chats = new Map<string, Held>()
  /** What was done, to see that a test really tests it. */
  readonly counts = { lost: 0, gaps: 0, syncs: 0, resets: 0, pages: 0 }
  private ws: WebSocket | undefined
  private work: Promise<void> = Promise.resolve()
  private link: Promise<void> = Promise.resolve()
  private readonly patience = new Map<string, Timer>()
  private failure: unknown
  private pongs: (() => void)[] = []
  /** Frames that are on their way. */
  private late = 0

  constructor(
    readonly user: TestUser,
    private readonly options: ClientOptions,
  ) {}

  /** Opens the socket, then syncs. One coming or going ends before the next begins. */
  connect(): Promise<void> {
    this.link = this.link.then(() => this.open())
    return this.link
  }

  disconnect(): Promise<void> {
    this.link = this.link.then(() => this.close())
    return this.link
  }

  private async open(): Promise<void> {
    if (this.ws) return
    const ws = new WebSocket(`${this.user.serverUrl.replace('http', 'ws')}/ws?token=${this.user.token}`)
    this.ws = ws
    const opened = Promise.withResolvers<void>()
    ws.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data))
      if (frame.type === 'pong') this.pongs.shift()?.()
      else if (frame.type === 'user_chats') opened.resolve()
      else if (this.options.loses()) this.counts.lost++
      else this.hearLater(frame, this.options.delayMs?.() ?? 0)
    }
    await opened.promise
    this.queue(() => this.sync())
    await this.work
  }

  private async close(): Promise<void> {
    const { ws } = this
    this.ws = undefined
    if (!ws) return
    ws.onmessage = null
    const closed = new Promise((resolve) => {
      ws.onclose = resolve
    })
    ws.close()
    await closed
  }

  /** All that was pushed has come, and nothing is left to ask. @throws what went wrong on the way */
  async settle(): Promise<void> {
    if (this.ws) {
      const pong = new Promise<void>((resolve) => this.pongs.push(resolve))
      this.ws.send('{"type":"ping"}')
      await pong
    }
    while (this.late > 0) await Bun.sleep(1)
    do {
      await this.work
      if (this.patience.size > 0) await Bun.sleep(this.options.patienceMs)
    } while (this.patience.size > 0)
    await this.work
    if (this.failure) throw this.failure
  }

  /** Requests go one after the other; events are applied in between. */
  private queue(task: () => Promise<void>): void {
    this.work = this.work.then(task).catch((error) => {
      this.failure ??= error
    })
  }

  private hearLater(frame: Json, delayMs: number): void {
    if (delayMs === 0) {
      this.hear(frame)
      return
    }
    const { ws } = this
    this.late++
    setTimeout(() => {
      this.late--
      if (this.ws === ws) this.hear(frame)
    }, delayMs)
  }

  private hear(frame: Json): void {
    switch (frame.type) {
      case 'new_message':
        this.apply(frame.message.chat_id, frame.message)
        break
      case 'message_updated':
      case 'message_deleted':
        this.apply(frame.chat_id, frame.message)
        break
      case 'read': {
        const held = this.chats.get(frame.chat_id)
        if (held && frame.user_id === this.user.id) held.lastReadSeq = Math.max(held.lastReadSeq, frame.last_read_seq)
        break
      }
      case 'resync':
        this.queue(() => this.sync())
        break
      case 'chat_created':
        this.startAnew(frame.chat_id, frame.head, frame.chat)
        break
      case 'chat_removed':
        this.chats.delete(frame.chat_id)
        break
    }
  }

  /** An event. What is known of a chat that is not held comes when it is. */
  private apply(chatId: string, message: Json): void {
    const held = this.chats.get(chatId)
    if (!held) return
    this.keep(held, message)
    if (message.rev === held.rev + 1) held.rev = message.rev
    while (held.messages.has(held.seq + 1)) held.seq++
    const isGap = message.seq > held.seq || message.rev > held.rev
    if (isGap && !this.patience.has(chatId)) {
      const ask = () => {
        this.patience.delete(chatId)
        const isOpen = [...held.messages.values()].some(({ seq, rev }) => seq > held.seq || rev > held.rev)
        if (isOpen && this.chats.get(chatId) === held) {
          this.counts.gaps++
          this.queue(() => this.catchUp(chatId, held))
        }
      }
      this.patience.set(chatId, setTimeout(ask, this.options.patienceMs))
    }
  }

  /** The latest revision counts; whoever writes has read up to their own message. */
  private keep(held: Held, message: Json): void {
    const known = held.messages.get(message.seq)
    if (!known || known.rev < message.rev) held.messages.set(message.seq, message)
    if (message.sender_id === this.user.id) held.lastReadSeq = Math.max(held.lastReadSeq, message.seq)
  }

  private advance(held: Held, next: { seq: number; rev: number }): void {
    held.seq = Math.max(held.seq, next.seq)
    held.rev = Math.max(held.rev, next.rev)
    while (held.messages.has(held.seq + 1)) held.seq++
  }

  /** `changes` until there are no more. */
  private async catchUp(chatId: string, held: Held): Promise<void> {
    for (;;) {
      const query = `after_seq=${held.seq}&after_rev=${held.rev}&limit=${this.options.pageSize}`
      const { status, body } = await this.user.get(`/chats/${chatId}/changes?${query}`)
      if (this.chats.get(chatId) !== held) return
      if (status === 404) return void this.chats.delete(chatId)
      if (status !== 200) throw new Error(`changes answered ${status} ${JSON.stringify(body)}`)
      this.counts.pages++
      for (const message of [...body.messages, ...body.changes]) this.keep(held, message)
      this.advance(held, body.next)
      if (!body.has_more) return
    }
  }

  private async sync(): Promise<void> {
    this.counts.syncs++
    const heads = [...this.chats].map(([id, { seq, rev }]) => [id, { seq, rev }])
    const asked = new Map(this.chats)
    const { status, body } = await this.user.post('/sync', { chats: Object.fromEntries(heads) })
    if (status !== 200) throw new Error(`sync answered ${status} ${JSON.stringify(body)}`)
    for (const id of body.gone) if (this.chats.get(id) === asked.get(id)) this.chats.delete(id)
    for (const { chat, is_new, reset, messages, changes, next, has_more } of body.chats) {
      const held = this.chats.get(chat.id)
      if (is_new || reset || !held) {
        // Heard of by an event meanwhile: that is at least as new.
        if (is_new && held) continue
        if (reset) this.counts.resets++
        this.startAnew(chat.id, next, chat)
        continue
      }
      for (const message of [...messages, ...changes]) this.keep(held, message)
      this.advance(held, next)
      held.lastReadSeq = Math.max(held.lastReadSeq, chat.last_read_seq)
      held.peerReadSeq = chat.peer_read_seq
      if (has_more) await this.catchUp(chat.id, held)
    }
  }

  /** Drops what is held and reads the history by pages. */
  private startAnew(chatId: string, head: { seq: number; rev: number }, chat: Json): void {
    const held: Held = {
      ...{ seq: head.seq, rev: head.rev, messages: new Map() },
      ...{ lastReadSeq: chat.last_read_seq, peerReadSeq: chat.peer_read_seq },
    }
    this.chats.set(chatId, held)
    this.queue(async () => {
      for (let beforeSeq = head.seq + 1; ; ) {
        const { status, body } = await this.user.get(`/chats/${chatId}/messages?before_seq=${beforeSeq}&limit=7`)
        if (this.chats.get(chatId) !== held) return
        if (status === 404) return void this.chats.delete(chatId)
        if (status !== 200) throw new Error(`history answered ${status} ${JSON.stringify(body)}`)
        for (const message of body.messages) this.keep(held, message)
        if (!body.has_more) return
        beforeSeq = body.messages.at(-1).seq
      }
    })
  }
}
