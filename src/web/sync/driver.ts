/** Does in the world what a step says: asks, sends, stores, waits; and tells the state machine what came of it. */
import type { Link } from './link.ts'
import type { Ports } from './ports.ts'
import { ApiError, type Call, NetworkError, read, type TokenSource } from './rest.ts'
import type { ChangeSet, State } from './state.ts'
import { step } from './step.ts'
import type { Answer, Command, Event, PageQuestion, Question } from './turn.ts'
import { createWriter } from './writer.ts'

export interface DriverOptions {
  ports: Ports
  state: State
  call: Call
  tokens: TokenSource
  link(): Pick<Link, 'send' | 'probe'>
  /** The other tabs. */
  tell(event: Event): void
  onChange(changes: ChangeSet): void
}

/** How often an upload tells how far it is. */
const PROGRESS_MS = 100

export type Driver = ReturnType<typeof createDriver>

export function createDriver({ ports, state, call, tokens, link, tell, onChange }: DriverOptions) {
  const { clock, random, storage } = ports
  const writer = createWriter(storage, clock, (ids) => {
    for (const clientId of ids) dispatch({ type: 'kept', clientId })
  })
  const timers = new Map<string, () => void>()
  const uploads = new Map<string, () => void>()
  const events: Event[] = []
  let isStepping = false
  let isStopped = false

  /** One after the other: what follows from a step comes after it. */
  function dispatch(event: Event): void {
    if (isStopped) return
    events.push(event)
    if (isStepping) return
    isStepping = true
    try {
      for (let next = events.shift(); next; next = events.shift()) {
        const { changes, commands } = step(state, next, clock.now())
        for (const command of commands) perform(command)
        onChange(changes)
      }
    } finally {
      isStepping = false
    }
  }

  function perform(command: Command): void {
    switch (command.do) {
      case 'store':
        writer.write(command.ops)
        break
      case 'send':
        link().send(command.frame)
        break
      case 'ask':
        void answer(command.question)
        break
      case 'read-stored':
        void readStored(command.question)
        break
      case 'read-outbox':
        void readOutbox()
        break
      case 'timer':
        later(command.name, command.ms * (command.isLoose ? 1 + random.fraction() / 4 : 1))
        break
      case 'upload':
        void upload(command.clientId)
        break
      case 'abort':
        uploads.get(command.clientId)?.()
        break
      case 'tell':
        tell(command.event)
        break
      case 'probe':
        link().probe()
    }
  }

  function later(name: string, ms: number): void {
    timers.get(name)?.()
    const act = () => {
      timers.delete(name)
      dispatch({ type: 'timer', name })
    }
    timers.set(name, clock.after(ms, act))
  }

  async function answer(question: Question): Promise<void> {
    dispatch({ type: 'answered', question, answer: await toAnswer(request(question)) })
  }

  function request(question: Question): Promise<unknown> {
    switch (question.ask) {
      case 'sync':
        return call('POST', '/sync', { chats: question.held })
      case 'changes': {
        const { seq, rev } = question.after
        return call('GET', `/chats/${question.chatId}/changes?after_seq=${seq}&after_rev=${rev}`)
      }
      case 'page': {
        const { from, to } = question
        return call('GET', `/chats/${question.chatId}/messages?before_seq=${to + 1}&limit=${to - from + 1}`)
      }
      case 'chat':
        return call('GET', `/chats/${question.chatId}`)
      case 'message':
        return call('GET', `/chats/${question.chatId}/messages/${question.messageId}`)
      case 'members':
        return call('GET', `/chats/${question.chatId}/members?limit=100`)
      case 'users':
        return call('GET', `/users?ids=${question.ids.join(',')}`)
    }
  }

  async function readStored(question: PageQuestion): Promise<void> {
    const { chatId, from, to } = question
    await writer.flush()
    const found = await storage.readMessages(chatId, from, to).catch(() => ({ messages: [], rev: -1 }))
    dispatch({ type: 'stored-page', question, ...found })
  }

  async function readOutbox(): Promise<void> {
    await writer.flush()
    const standing = await storage.readStanding().catch(() => undefined)
    if (standing && !writer.isBroken()) dispatch({ type: 'outbox', entries: standing.outbox })
  }

  async function upload(clientId: string): Promise<void> {
    const result = await toAnswer(send(clientId))
    uploads.delete(clientId)
    dispatch({ type: 'uploaded', clientId, answer: result })
  }

  async function send(clientId: string, stale?: string): Promise<unknown> {
    const file = await storage.readFile(clientId)
    const token = await tokens.token(stale)
    const entry = state.outbox.get(clientId)
    if (!entry?.file) throw new NetworkError('It was taken back')
    const { chatId, content, replyToId } = entry
    const fields: [string, string][] = [
      ['chat_id', chatId],
      ['client_id', clientId],
    ]
    if (content) fields.push(['content', content])
    if (replyToId) fields.push(['reply_to_id', replyToId])
    let toldAt = 0
    const { done, abort } = ports.upload({
      ...{ url: `${ports.serverUrl}/api/v1/messages/upload`, token, fields, file, fileName: entry.file.name },
      onProgress: (sentBytes) => {
        if (clock.now() - toldAt < PROGRESS_MS && sentBytes < (entry.file?.bytes ?? 0)) return
        toldAt = clock.now()
        dispatch({ type: 'uploading', clientId, sentBytes })
      },
    })
    uploads.set(clientId, abort)
    const { status, text } = await done.catch((cause) => {
      throw new NetworkError('The upload broke off', { cause })
    })
    if (status === 401 && stale === undefined) return send(clientId, token)
    return read(status, text)
  }

  return {
    dispatch,
    flush: writer.flush,
    isBroken: writer.isBroken,

    stop(): void {
      isStopped = true
      for (const cancel of timers.values()) cancel()
      for (const abort of uploads.values()) abort()
    },
  }
}

async function toAnswer(asked: Promise<unknown>): Promise<Answer> {
  try {
    return { ok: true, body: await asked }
  } catch (error) {
    if (error instanceof ApiError) {
      const { status, message, details, retryAfter } = error
      return { ok: false, status, error: message, details, retryAfter }
    }
    if (!(error instanceof NetworkError)) throw error
    return { ok: false, status: 0, error: 'No answer came', details: {}, retryAfter: 1 }
  }
}
