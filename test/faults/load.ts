/**
 * Users that write without pause, each lane one message after the other, and send again under the same key whatever is
 * not acknowledged. It notes what was acknowledged, and how every single request fared.
 */
import type { Json } from '../support/client.ts'
import { request } from '../support/client.ts'

export interface User {
  id: string
  token: string
}

export interface Acknowledged {
  lane: string
  chatId: string
  userId: string
  clientId: string
  id: string
  seq: number
  /** Milliseconds of performance.now(). */
  at: number
}

/** How one attempt ended: an HTTP status, `ack`, the words of an error frame, or what was lost with the connection. */
export interface Attempt {
  by: 'REST' | 'socket'
  outcome: string
  ms: number
}

export interface Load {
  acknowledged: Acknowledged[]
  attempts: Attempt[]
  /** Sockets that closed without being asked to. */
  closed: { code: number; at: number }[]
  openSockets(): number
  /** The server has gone, and will be there. */
  pause(): void
  resume(url: string): void
  /** Every lane ends with its message acknowledged. */
  stop(): Promise<void>
}

const PAUSE_MS = 25
/** Longer than any request may take. */
const PATIENCE_MS = 30_000

/** Two lanes for each member of each chat, one by REST and one over a socket of its own. */
export function startLoad(startUrl: string, chats: { id: string; members: User[] }[]): Load {
  const acknowledged: Acknowledged[] = []
  const attempts: Attempt[] = []
  const closed: Load['closed'] = []
  const sockets = new Set<LaneSocket>()
  let url: string | undefined = startUrl
  let isStopping = false

  async function runLane(by: Attempt['by'], chatId: string, user: User): Promise<void> {
    const lane = `${by} ${chatId} ${user.id}`
    const send = by === 'REST' ? byRest(user) : bySocket(user)
    for (let n = 1; !isStopping; n++) {
      const clientId = `${by} ${n}`
      const body = { chat_id: chatId, content: `${lane} ${n}`, client_id: clientId }
      for (;;) {
        const from = url
        if (from === undefined) {
          await Bun.sleep(PAUSE_MS)
          continue
        }
        const startedAt = performance.now()
        const { outcome, message } = await send(from, body)
        const at = performance.now()
        attempts.push({ by, outcome, ms: at - startedAt })
        if (message) {
          acknowledged.push({ lane, chatId, userId: user.id, clientId, id: message.id, seq: message.seq, at })
          break
        }
        await Bun.sleep(PAUSE_MS)
      }
    }
  }

  type Send = (from: string, body: Json) => Promise<{ outcome: string; message?: Json }>

  const byRest =
    ({ token }: User): Send =>
    async (from, body) => {
      try {
        const answer = await within(PATIENCE_MS, request(`${from}/api/v1/messages`, 'POST', token, body))
        if (answer === undefined) return { outcome: 'no answer' }
        return { outcome: String(answer.status), message: answer.status === 201 ? answer.body : undefined }
      } catch {
        return { outcome: 'connection lost' }
      }
    }

  const bySocket = (user: User): Send => {
    let socket: LaneSocket | undefined
    return async (from, body) => {
      if (!socket || socket.url !== from || socket.isClosed) {
        socket?.leave()
        socket = new LaneSocket(from, user.token, sockets, closed)
      }
      const answer = await within(PATIENCE_MS, socket.ask({ type: 'message', ...body }))
      if (answer === undefined) return { outcome: 'no answer' }
      if (answer.type === 'ack') return { outcome: 'ack', message: answer.message }
      return { outcome: answer.type === 'error' ? answer.error : 'connection lost' }
    }
  }

  const lanes = chats.flatMap(({ id: chatId, members }) =>
    members.flatMap((user) => [runLane('REST', chatId, user), runLane('socket', chatId, user)]),
  )

  return {
    acknowledged,
    attempts,
    closed,
    openSockets: () => [...sockets].filter(({ isClosed }) => !isClosed).length,
    pause: () => {
      url = undefined
    },
    resume: (to) => {
      url = to
    },
    async stop() {
      isStopping = true
      await Promise.all(lanes)
      for (const socket of sockets) socket.leave()
    },
  }
}

/** One socket, one question at a time. */
class LaneSocket {
  isClosed = false
  private readonly ws: WebSocket
  private readonly opened: Promise<void>
  private answer: ((frame: Json) => void) | undefined
  private refs = 0

  constructor(
    readonly url: string,
    token: string,
    private readonly all: Set<LaneSocket>,
    closed: Load['closed'],
  ) {
    this.ws = new WebSocket(`${url.replace('http', 'ws')}/ws?token=${token}`)
    const opened = Promise.withResolvers<void>()
    this.opened = opened.promise
    let wasOpen = false
    this.ws.onmessage = ({ data }) => {
      const text = String(data)
      if (text.startsWith('{"type":"user_chats"')) {
        wasOpen = true
        all.add(this)
        opened.resolve()
      } else if (text.startsWith('{"type":"ack"') || text.startsWith('{"type":"error"')) {
        const frame = JSON.parse(text)
        if (frame.ref === this.refs) this.answer?.(frame)
      }
    }
    this.ws.onclose = ({ code }) => {
      this.isClosed = true
      all.delete(this)
      if (wasOpen) closed.push({ code, at: performance.now() })
      opened.resolve()
      this.answer?.({ type: 'closed' })
    }
  }

  async ask(frame: Record<string, unknown>): Promise<Json> {
    await this.opened
    if (this.isClosed) return { type: 'closed' }
    return new Promise((resolve) => {
      this.answer = resolve
      this.ws.send(JSON.stringify({ ...frame, ref: ++this.refs }))
    })
  }

  /** Closes it on purpose. */
  leave(): void {
    this.all.delete(this)
    this.ws.onclose = null
    this.ws.close()
  }
}

const within = <T>(ms: number, work: Promise<T>): Promise<T | undefined> =>
  Promise.race([work, Bun.sleep(ms).then(() => undefined)])

/** The whole history of a chat, oldest first. */
export async function readHistory(url: string, user: User, chatId: string): Promise<Json[]> {
  const messages: Json[] = []
  for (;;) {
    const path = `/api/v1/chats/${chatId}/messages?limit=100&after_seq=${messages.at(-1)?.seq ?? 0}`
    const { status, body } = await request(`${url}${path}`, 'GET', user.token)
    if (status !== 200) throw new Error(`The history answered ${status}`)
    messages.push(...body.messages)
    if (!body.has_more) return messages
  }
}

/** What is wrong with what is stored, given what was acknowledged: nothing lost, nothing twice, in order, without gaps. */
export function listFaults(history: readonly Json[], acknowledged: readonly Acknowledged[]): string[] {
  const faults: string[] = []
  for (const [index, { seq }] of history.entries())
    if (seq !== index + 1) faults.push(`place ${index + 1} has seq ${seq}`)
  const byKey = new Map<string, Json>()
  for (const message of history) {
    const key = `${message.sender_id} ${message.client_id}`
    if (byKey.has(key)) faults.push(`stored twice: ${key}`)
    byKey.set(key, message)
  }
  const lastSeqs = new Map<string, number>()
  for (const { lane, userId, clientId, id, seq } of acknowledged) {
    const stored = byKey.get(`${userId} ${clientId}`)
    if (!stored) faults.push(`lost: ${lane} ${clientId}, acknowledged as ${seq}`)
    else if (stored.id !== id || stored.seq !== seq) faults.push(`acknowledged as ${seq}, stored as ${stored.seq}`)
    if (seq <= (lastSeqs.get(lane) ?? 0)) faults.push(`out of order: ${lane} ${clientId} as ${seq}`)
    lastSeqs.set(lane, seq)
  }
  return faults
}
