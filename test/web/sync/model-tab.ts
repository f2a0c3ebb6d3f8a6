/** A tab whose every event waits until it is told to happen: questions, answers, frames, timers, transactions. */
import { createMemoryStorage } from '../../../src/web/sync/memory-storage.ts'
import type { Storage } from '../../../src/web/sync/ports.ts'
import { createState, type OutboxEntry, type State } from '../../../src/web/sync/state.ts'
import { step } from '../../../src/web/sync/step.ts'
import type { Answer, Command, Event, Question } from '../../../src/web/sync/turn.ts'
import type { ServerFrame } from '../../../src/web/sync/wire.ts'
import { ME, type ModelServer } from './model-server.ts'

export class ModelWorld {
  now = 1_800_000_000_000
  readonly storage: Storage = createMemoryStorage()
  tabs: ModelTab[] = []
  constructor(readonly server: ModelServer) {}

  /** Who leads now; the others follow. */
  async lead(tab: ModelTab): Promise<void> {
    if (tab.state.isLeader) return
    for (const other of this.tabs) if (other !== tab && other.state.isLeader) other.unlead()
    tab.take({ type: 'led', standing: JSON.parse(JSON.stringify(await this.storage.readStanding())) })
  }
}

/** What may happen next in a tab. */
interface Pending {
  /** @param isLost a request that never arrives, or whose answer does not */
  happen(isLost: boolean): Promise<void> | void
}

export class ModelTab {
  state: State = createState()
  socket: ServerFrame[] | undefined
  /** Frames on their way to the server. */
  sent: Record<string, unknown>[] = []
  pending: Pending[] = []
  /** What other tabs told. */
  news: Event[] = []
  readonly timers = new Map<string, number>()
  private isGone = false

  constructor(readonly world: ModelWorld) {}

  async load(): Promise<void> {
    const stored = await this.world.storage.load()
    const session = { userId: ME, token: '', refreshToken: '', renewAt: 0 }
    this.take({ type: 'loaded', stored: { ...JSON.parse(JSON.stringify(stored)), session } })
    const leader = this.world.tabs.find(({ state }) => state.isLeader)
    if (leader) this.take({ type: 'told-link', status: leader.state.link })
  }

  take(event: Event): void {
    if (this.isGone) return
    const { commands } = step(this.state, event, this.world.now)
    for (const command of commands) this.perform(command)
  }

  private perform(command: Command): void {
    const { storage, server, tabs } = this.world
    switch (command.do) {
      case 'store': {
        // In order, and at once: what is not yet written when a tab dies is another test's.
        const kept = command.ops.flatMap((op) => ('put' in op && op.put === 'outbox' ? [op.entry.clientId] : []))
        storage.commit(JSON.parse(JSON.stringify(command.ops)))
        for (const clientId of kept) this.later(() => this.take({ type: 'kept', clientId }))
        break
      }
      case 'send':
        if (this.socket) this.sent.push(JSON.parse(JSON.stringify(command.frame)))
        break
      case 'ask': {
        const question: Question = JSON.parse(JSON.stringify(command.question))
        this.later((isLost) => {
          const answer = isLost ? NO_ANSWER : answerOf(server.answer(question))
          this.later((isAnswerLost) =>
            this.take({ type: 'answered', question, answer: isAnswerLost ? NO_ANSWER : answer }),
          )
        })
        break
      }
      case 'read-stored': {
        const { question } = command
        this.later(async () => {
          const found = await storage.readMessages(question.chatId, question.from, question.to)
          const event: Event = { type: 'stored-page', question, ...JSON.parse(JSON.stringify(found)) }
          this.later(() => this.take(event))
        })
        break
      }
      case 'read-outbox':
        this.later(async () => {
          const { outbox } = await storage.readStanding()
          const event: Event = { type: 'outbox', entries: JSON.parse(JSON.stringify(outbox)) }
          this.later(() => this.take(event))
        })
        break
      case 'timer':
        this.timers.set(command.name, this.world.now + command.ms)
        break
      case 'tell':
        for (const other of tabs) if (other !== this) other.news.push(JSON.parse(JSON.stringify(command.event)))
    }
  }

  private later(happen: Pending['happen']): void {
    this.pending.push({ happen })
  }

  connect(): void {
    if (this.socket || !this.state.isLeader) return
    this.socket = this.world.server.open()
    this.take({ type: 'link', status: 'open' })
  }

  disconnect(): void {
    if (!this.socket) return
    this.world.server.sockets.delete(this.socket)
    this.socket = undefined
    this.sent = []
    this.take({ type: 'link', status: 'connecting' })
  }

  unlead(): void {
    if (this.socket) this.world.server.sockets.delete(this.socket)
    this.socket = undefined
    this.sent = []
    this.take({ type: 'unled' })
    this.take({ type: 'link', status: 'connecting' })
  }

  /** The socket delivers its frame at `index`; the others hear it from this tab. */
  hear(index: number, isKept: boolean): void {
    const frame = this.socket?.[index]
    if (!frame || !this.socket) return
    if (!isKept) this.socket.splice(index, 1)
    this.take({ type: 'frame', frame: JSON.parse(JSON.stringify(frame)) })
    if (frame.type === 'user_chats' || frame.type === 'error') return
    for (const other of this.world.tabs)
      if (other !== this) other.news.push({ type: 'told-frame', frame: JSON.parse(JSON.stringify(frame)) })
  }

  /** The server takes the first frame that was sent. */
  deliver(): void {
    const frame = this.sent.shift()
    if (!frame || !this.socket) return
    const { server } = this.world
    const [chatId, ref] = [String(frame.chat_id), String(frame.ref)]
    if (frame.type === 'message') {
      const message = server.send(chatId, ME, String(frame.content), String(frame.client_id))
      const details = { status: 404, error: 'Chat not found', details: {} }
      this.socket.push(message ? { type: 'ack', ref, message } : { type: 'error', ref, ...details })
    } else if (frame.type === 'read') {
      const last_read_seq = server.read(chatId, ME, Number(frame.seq))
      const details = { status: 404, error: 'Chat not found', details: {} }
      this.socket.push(
        last_read_seq === undefined ? { type: 'error', ref, ...details } : { type: 'ack', ref, last_read_seq },
      )
    }
  }

  hearNews(index: number): void {
    const [event] = this.news.splice(index, 1)
    if (event) this.take(event)
  }

  fireNext(): boolean {
    const next = [...this.timers].sort(([, a], [, b]) => a - b)[0]
    if (!next) return false
    const [name, at] = next
    this.timers.delete(name)
    this.world.now = Math.max(this.world.now, at)
    this.take({ type: 'timer', name })
    return true
  }

  write(chatId: string, clientId: string): void {
    const entry: OutboxEntry = {
      ...{ clientId, chatId, writtenAt: this.world.now, content: clientId, replyToId: null, file: null },
      ...{ status: 'saving', error: null, attempts: 0, sentBytes: 0 },
    }
    this.take({ type: 'write', entry })
  }

  /** The tab is closed. */
  end(): void {
    if (this.socket) this.world.server.sockets.delete(this.socket)
    this.isGone = true
  }
}

const NO_ANSWER: Answer = { ok: false, status: 0, error: 'No answer came', details: {}, retryAfter: 1 }
const answerOf = (body: unknown): Answer =>
  body === undefined
    ? { ok: false, status: 404, error: 'Chat not found', details: {}, retryAfter: undefined }
    : { ok: true, body }
