/**
 * The client of messenger without a face: it keeps what the server, the storage and the person have said in one `state`,
 * gap-free and in order, over sleep, lost networks, restarted servers and several tabs. It knows no DOM and no framework.
 *
 *     const client = createClient(ports)           // ports.ts says what it needs; src/web/platform has a browser's
 *     client.subscribe((changes) => ...)           // what changed, once per event: gather per frame, then read
 *     await client.start()                         // reads the storage; connects when somebody is signed in
 *     await client.signIn({ phone_or_email, password })
 *
 *     chatOrder(client.state)                      // lists.ts: ids in order; client.state.chats.get(id).row has the rest
 *     client.open(chatId)                          // then conversationOf, rowsOf, pendingRowsOf of rows.ts
 *     client.loadOlder(chatId)                     // and loadNewer, openAt: windows grow in both directions
 *     client.send(chatId, { content: 'Hello' })    // shown at once by pendingRowsOf; kept over reloads; never sent twice
 *     client.api.createGroup({ ... })              // api.ts: everything else, one typed call each
 *
 * Calls that go over the network reject with an `ApiError` (what the server said, field by field) or a `NetworkError`
 * (no answer came). `send`, `read` and the like never do: they wait for the network by themselves.
 */
import type { Login, Register } from '../../features/auth/model.ts'
import type { Api } from './api.ts'
import type { Draft } from './ports.ts'
import type { AnyFrame } from './requests.ts'
import type { ChangeSet, OutboxFile, State } from './state.ts'
import type { Message } from './wire.ts'

export { createClient } from './create.ts'

export interface NewMessage {
  content: string
  replyToId?: string | null
}

export interface NewUpload {
  /** A Blob or File; it is kept in the storage until it is sent. */
  file: unknown
  about: OutboxFile
  /** The caption. */
  content?: string
  replyToId?: string | null
}

export interface Client {
  /** Read it, by the selectors; only the client changes it. */
  readonly state: State
  /** Typed calls; what they answer is in the state too where it belongs there. */
  readonly api: Api
  /** @returns what ends it */
  subscribe(listener: (changes: ChangeSet) => void): () => void

  start(): Promise<void>
  /** Closes the socket and stops every timer; what is stored stays. */
  stop(): Promise<void>

  register(account: Register): Promise<void>
  signIn(login: Login): Promise<void>
  /** Ends the session here and forgets all that is stored, drafts and unsent messages included. */
  signOut(): Promise<void>

  /** Opens a conversation at its first unread message, else at its end. Again: does nothing. */
  open(chatId: string): void
  /** Opens it around a message: a search result, what is replied to. */
  openAt(chatId: string, seq: number): void
  /** Back to the newest. */
  openEnd(chatId: string): void
  close(chatId: string): void
  loadOlder(chatId: string): void
  loadNewer(chatId: string): void
  /** The message the reader is at, so that what is far from it may be let go. */
  view(chatId: string, seq: number): void
  /** Asks for a message that `repliedOf` does not know, once. */
  seek(chatId: string, messageId: string): void

  /** @returns the `client_id`: the key of its row for ever */
  send(chatId: string, message: NewMessage): string
  upload(chatId: string, upload: NewUpload): string
  /** Tries what failed again. */
  retry(clientId: string): void
  /** Takes back what was not sent, or is being uploaded. */
  discard(clientId: string): void
  /** What was given to `upload`, after a reload too; undefined when it is sent or taken back. */
  fileOf(clientId: string): Promise<unknown>
  /** A message that is stored. */
  edit(message: Message, content: string): Promise<void>
  remove(message: Message): Promise<void>

  /** Everything up to `seq` was seen. */
  read(chatId: string, seq: number): void
  /** Call it with every key: it tells the others as often as needed. */
  typing(chatId: string): void
  setDraft(chatId: string, draft: Draft | null): void

  /** Sends a frame over the socket of whichever tab has it. @returns the ack; rejects with ApiError or NetworkError */
  request(frame: AnyFrame): Promise<Record<string, unknown>>
  /** While it is kept (a call is on), no other tab takes the socket. */
  keepSocket(isKept: boolean): void
  /** Every frame that comes, in every tab: for calls. @returns what ends it */
  onFrame(listener: (frame: AnyFrame) => void): () => void
}
