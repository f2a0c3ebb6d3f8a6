/** One step of the state machine: what happened, what follows from it. No step waits, asks a clock or rolls dice. */
import type { Draft, Standing, StorageOp, Stored } from './ports.ts'
import { type ChangeSet, type Chat, createChangeSet, type LinkStatus, type OutboxEntry, type State } from './state.ts'
import type { ChatOverview, Failure, Head, Message, OwnProfile, PublicProfile, ServerFrame } from './wire.ts'

/** What the state machine wants to know from the server, as data that comes back with the answer. */
export type Question =
  | {
      ask: 'sync'
      id: number
      held: Record<string, Head>
      epochs: Record<string, number>
      debts: Record<string, number | undefined>
    }
  | { ask: 'changes'; chatId: string; epoch: number; after: Head; debt: number | undefined }
  | PageQuestion
  | { ask: 'chat'; chatId: string; epoch: number }
  | { ask: 'message'; chatId: string; epoch: number; messageId: string }
  | { ask: 'members'; chatId: string; epoch: number }
  | { ask: 'users'; ids: string[] }

/** A page of history for a window: of `from` to `to`, both included. */
export interface PageQuestion {
  ask: 'page'
  chatId: string
  epoch: number
  windowId: number
  from: number
  to: number
  /** What the storage had of it, for when nobody answers. */
  stored: Message[]
}

/** status 0: none came. `retryAfter`: seconds; undefined when asking again helps nothing. */
export type Answer =
  | { ok: true; body: unknown }
  | ({ ok: false; status: number; retryAfter: number | undefined } & Failure)

export type Event =
  | { type: 'loaded'; stored: Stored }
  | { type: 'signed-in'; userId: string }
  | { type: 'signed-out' }
  | { type: 'link'; status: LinkStatus }
  /** What the tab with the socket says of it. */
  | { type: 'told-link'; status: LinkStatus }
  /** This tab writes from now on; `standing` is the storage's, undefined when that cannot be read. */
  | { type: 'led'; standing: Standing | undefined }
  | { type: 'unled' }
  | { type: 'frame'; frame: ServerFrame }
  /** The same, from the tab with the socket. */
  | { type: 'told-frame'; frame: ServerFrame }
  | { type: 'sync' }
  | { type: 'answered'; question: Question; answer: Answer }
  /** What the storage has of a page; `rev` is the chat's as it was stored. */
  | { type: 'stored-page'; question: PageQuestion; messages: Message[]; rev: number }
  | { type: 'timer'; name: string }
  | { type: 'me'; me: OwnProfile }
  | { type: 'users'; users: PublicProfile[] }
  /** A chat that a call has answered: made, joined, opened. */
  | { type: 'chat'; chat: ChatOverview }
  | { type: 'write'; entry: OutboxEntry; file?: unknown }
  /** The storage has it. */
  | { type: 'kept'; clientId: string }
  /** Another tab wrote it, or tells what became of it. */
  | { type: 'entry'; entry: OutboxEntry }
  /** What the storage has of it. */
  | { type: 'outbox'; entries: OutboxEntry[] }
  | { type: 'retry' | 'discard' | 'discarded'; clientId: string }
  | { type: 'uploading'; clientId: string; sentBytes: number }
  | { type: 'uploaded'; clientId: string; answer: Answer }
  | { type: 'open' | 'open-end' | 'close' | 'older' | 'newer'; chatId: string }
  | { type: 'open-at' | 'view' | 'read'; chatId: string; seq: number }
  | { type: 'seek'; chatId: string; messageId: string }
  | { type: 'draft'; chatId: string; draft: Draft | null }

/** What is to be done in the world. */
export type Command =
  | { do: 'store'; ops: StorageOp[] }
  /** Over the socket, if it is open. */
  | { do: 'send'; frame: Record<string, unknown> }
  | { do: 'ask'; question: Question }
  | { do: 'read-stored'; question: PageQuestion }
  | { do: 'read-outbox' }
  /** Instead of one of the same name; with `isLoose` up to a quarter later, so that not all clients come at once. */
  | { do: 'timer'; name: string; ms: number; isLoose?: boolean }
  | { do: 'upload' | 'abort'; clientId: string }
  /** The other tabs. */
  | { do: 'tell'; event: Event }
  /** Whether the socket still lives. */
  | { do: 'probe' }

export interface Turn {
  readonly state: State
  /** Milliseconds since 1970. */
  readonly now: number
  readonly commands: Command[]
  readonly ops: StorageOp[]
  readonly changes: ChangeSet
  /** Chats whose stored row is older than this. */
  readonly dirty: Set<Chat>
  /** Users whose profiles are wanted. */
  readonly wanted: Set<string>
}

export const createTurn = (state: State, now: number): Turn => ({
  ...{ state, now, commands: [], ops: [], changes: createChangeSet() },
  ...{ dirty: new Set(), wanted: new Set() },
})

export const command = (turn: Turn, what: Command): void => void turn.commands.push(what)
export const ask = (turn: Turn, question: Question): void => command(turn, { do: 'ask', question })

/** The chat's row changed: in the list, in the conversation, in the storage. */
export function touch(turn: Turn, chat: Chat): void {
  turn.dirty.add(chat)
  turn.changes.chats.add(chat.id)
  turn.changes.conversations.add(chat.id)
}

/** Puts a row in the place of the chat's, with what follows from its numbers. */
export function setRow(turn: Turn, chat: Chat, row: ChatOverview): void {
  chat.row = { ...row, unread_count: Math.max(0, row.last_seq - row.last_read_seq) }
  touch(turn, chat)
}

export function reorder(turn: Turn): void {
  turn.state.orderStamp++
  turn.changes.isOrder = true
}
