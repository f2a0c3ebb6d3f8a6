/** All that the client needs of the world around it. A browser's are in `src/web/platform`; tests bring their own. */
import type { OutboxEntry, Session, StoredChat } from './state.ts'
import type { Head, Message, OwnProfile, PublicProfile } from './wire.ts'

export interface Ports {
  /** Where the server is: `https://chat.example`. */
  serverUrl: string
  clock: Clock
  http: Http
  openSocket: OpenSocket
  storage: Storage
  random: Random
  signals: Signals
  locks: Locks
  channel: Channel
  upload: Upload
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** @returns what cancels it */
  after(ms: number, act: () => void): () => void
}

export interface HttpRequest {
  method: string
  /** JSON; undefined for none. */
  body?: string
  headers: Record<string, string>
}
/** @throws when no answer came */
export type Http = (
  url: string,
  request: HttpRequest,
) => Promise<{ status: number; text(): Promise<string>; headers: { get(name: string): string | null } }>

export interface SocketEvents {
  onOpen(): void
  onText(text: string): void
  /** Once, however it ended. */
  onClose(code: number): void
}
export interface OpenedSocket {
  send(text: string): void
  close(): void
}
export type OpenSocket = (url: string, protocols: string[], events: SocketEvents) => OpenedSocket

export interface Random {
  uuid(): string
  /** From 0 to below 1. */
  fraction(): number
}

export interface Signals {
  isOnline(): boolean
  isVisible(): boolean
  /** The network came or went, the page was shown or hidden, the machine woke. @returns what ends listening */
  onChange(listener: () => void): () => void
}

export interface Lock {
  release(): void
  /** Resolves when somebody stole it. */
  lost: Promise<void>
}
export interface Locks {
  /** Waits until the lock is free; with `steal` takes it from its holder at once. One name is held by one tab. */
  acquire(name: string, options?: { steal?: boolean }): Promise<Lock>
}

/** Tells the other tabs of this browser, never this one. What is told may be lost. */
export interface Channel {
  post(message: unknown): void
  /** @returns what ends listening */
  onMessage(listener: (message: unknown) => void): () => void
}

export interface UploadRequest {
  url: string
  token: string
  /** In the order of the form; the file comes last. */
  fields: [string, string][]
  file: unknown
  fileName: string
  onProgress(loadedBytes: number): void
}
/** Sends a form with a file. `done` rejects when no answer came, or after `abort`. */
export type Upload = (request: UploadRequest) => { done: Promise<{ status: number; text: string }>; abort(): void }

/** What one transaction writes. */
export type StorageOp =
  /** Of each message the higher `rev` stays. */
  | { put: 'messages'; chatId: string; messages: Message[] }
  | { put: 'chat'; chat: StoredChat }
  /** With its messages. */
  | { delete: 'chat'; chatId: string }
  | { delete: 'messages'; chatId: string }
  | { put: 'outbox'; entry: OutboxEntry }
  /** Only if it is still there. */
  | { update: 'outbox'; entry: OutboxEntry }
  | { delete: 'outbox'; clientId: string }
  /** The file of an entry, which goes when the entry goes. */
  | { put: 'file'; clientId: string; file: unknown }
  /** null removes it. */
  | { put: 'draft'; chatId: string; draft: Draft | null }
  | { put: 'users'; users: PublicProfile[] }
  | { put: 'me'; me: OwnProfile }
  | { put: 'session'; session: Session }

export interface Draft {
  text: string
  replyToId: string | null
}

export interface Stored {
  session: Session | undefined
  me: OwnProfile | undefined
  chats: StoredChat[]
  /** In the order they were written. */
  outbox: OutboxEntry[]
  drafts: [chatId: string, draft: Draft][]
  users: PublicProfile[]
}

export interface Standing {
  heads: Record<string, Head>
  outbox: OutboxEntry[]
}

/** A cache, but for the session, the outbox and the drafts. Every call is one transaction; they take effect in order. */
export interface Storage {
  load(): Promise<Stored>
  commit(ops: readonly StorageOp[]): Promise<void>
  /** Those that are there of `from` to `to`, both included, by seq, with the `rev` of the stored chat; -1 without one. */
  readMessages(chatId: string, from: number, to: number): Promise<{ messages: Message[]; rev: number }>
  /** What a tab has to know that writes from now on. */
  readStanding(): Promise<Standing>
  readSession(): Promise<Session | undefined>
  readFile(clientId: string): Promise<unknown>
  /** Forgets everything. */
  clear(): Promise<void>
}
