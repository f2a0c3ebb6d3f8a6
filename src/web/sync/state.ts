/** All that the client knows, in one place. `step` alone changes it; whoever shows it reads it by the selectors. */
import type { Interval } from './intervals.ts'
import type { Draft } from './ports.ts'
import type { ChatOverview, Head, Member, Message, OwnProfile, PublicProfile, ServerFrame } from './wire.ts'

export interface Session {
  userId: string
  token: string
  refreshToken: string
  /** When the token is to be renewed, a while before it ends, by this machine's clock, in milliseconds. */
  renewAt: number
}

export interface State {
  session: { status: 'loading' | 'signed-out' | 'signed-in'; userId: string; me: OwnProfile | undefined }
  readonly chats: Map<string, Chat>
  readonly users: Map<string, User>
  /** What was written and is not known to be stored by the server, by `client_id`, in the order it was written. */
  readonly outbox: Map<string, OutboxEntry>
  /** The other one of a direct chat -> the chat. */
  readonly dms: Map<string, string>
  readonly drafts: Map<string, Draft>
  /** Chats with a read mark that the server does not have yet. */
  readonly unsentReads: Set<string>
  link: LinkStatus
  /** This tab holds the socket and writes the storage. */
  isLeader: boolean
  /** The first sync of this signing in has come, or chats were stored: an empty list is really empty. */
  isReady: boolean
  sync: {
    /** Of the one that is under way. */
    id: number
    /** A sync is under way: frames that come meanwhile, to be heard again after it. */
    heard: ServerFrame[] | undefined
    attempts: number
    /** Another one is wanted after it. */
    isDue: boolean
  }
  /** Counts chats and windows, so that an answer to a question about an earlier one is known as such. */
  epochs: number
  /** Grows with each change of the order of chats. */
  orderStamp: number
  /** No sends before this instant, in milliseconds. */
  pausedUntil: number
}

/** offline: no network; connecting: on its way, or waiting to try again; open: events come. */
export type LinkStatus = 'offline' | 'connecting' | 'open'

export interface Chat {
  readonly id: string
  readonly epoch: number
  /** The server's row, kept up to date: names, counts, marks, the last message. Replaced, never changed in place. */
  row: ChatOverview
  /** Every message and change up to here is known. What is held of the history beside it says `held`. */
  head: Head
  /**
   * The head that the storage has while this tab may not write its own: it took over from another one. What is asked
   * from there on bears the `debt`, and pays it when all of it has come.
   */
  storedHead: (Head & { debt: number }) | undefined
  /** Changes heard of that are ahead of `head.rev`. */
  readonly revs: Set<number>
  /** By seq. */
  readonly messages: Map<number, Message>
  /** Id -> seq of the same, for replies. */
  readonly seqs: Map<string, number>
  /** Messages far from what is loaded that were asked for by id: undefined while on the way, null for none. */
  readonly sought: Map<string, Message | null | undefined>
  /** Which seqs are in `messages`. */
  held: Interval[]
  window: Window | undefined
  /** User -> when they stop, in milliseconds. */
  readonly typing: Map<string, number>
  members: { list: Member[]; total: number } | undefined
  /** `changes` is being asked. */
  isAsking: boolean
  /** My read mark as the server has it. */
  serverReadSeq: number
  /** The mark that is on its way there. */
  sentReadSeq: number | undefined
  /** The last message was deleted and the one before it is not held. */
  isLastUnknown: boolean
  /** It is being asked for. */
  isSeeking: boolean
  /** The newest message that was among the arrivals. */
  announcedSeq: number
}

/** An open conversation: what is loaded is the interval of `chat.held` that holds the anchor. */
export interface Window {
  readonly id: number
  /** Where the reader is: a seq; 0 in an empty chat. */
  anchor: number
  /** The first message that was unread when the conversation was opened. */
  unreadFrom: number | undefined
  loading: 'none' | 'around' | 'older' | 'newer'
  /** The last loading failed; asking again tries again. */
  hasFailed: boolean
}

export interface User {
  profile: PublicProfile | undefined
  /** undefined: not known. */
  isOnline: boolean | undefined
  isAsked: boolean
}

export interface OutboxEntry {
  clientId: string
  chatId: string
  /** Milliseconds since 1970, when it was written; its order in the chat. */
  writtenAt: number
  content: string
  replyToId: string | null
  file: OutboxFile | null
  /**
   * saving: not yet in the storage; queued: waits for its turn or for the connection; sending: on its way;
   * waiting: the server had no time, it is tried again; failed: refused, `error` says why
   */
  status: 'saving' | 'queued' | 'sending' | 'waiting' | 'failed'
  error: { status: number; error: string; details: Record<string, unknown> } | null
  attempts: number
  /** Of an upload: bytes so far; all of them while the server makes of it what it is to be. */
  sentBytes: number
}

export interface OutboxFile {
  name: string
  bytes: number
  mimeType: string
  /** What it will become, to show it meanwhile. */
  kind: 'image' | 'video' | 'audio' | 'file'
  width: number | null
  height: number | null
  /** In seconds. */
  duration: number | null
}

/** A chat as it is stored. */
export interface StoredChat {
  id: string
  row: ChatOverview
  head: Head
  serverReadSeq: number
}

/** What changed, for whoever shows it. */
export interface ChangeSet {
  /** Rows of the chat list: names, marks, last messages, typing, drafts. */
  readonly chats: Set<string>
  /** Chats whose messages, outbox, window, marks or profiles changed: their conversation is to be read anew. */
  readonly conversations: Set<string>
  readonly users: Set<string>
  /** The order of the chats, or which there are. */
  isOrder: boolean
  /** Messages of others to tell of, each once: see arrivals.ts. */
  readonly arrivals: Message[]
  /** session, link, isLeader, isReady */
  isStatus: boolean
}

export const createState = (): State => ({
  session: { status: 'loading', userId: '', me: undefined },
  chats: new Map(),
  users: new Map(),
  outbox: new Map(),
  dms: new Map(),
  drafts: new Map(),
  unsentReads: new Set(),
  link: 'connecting',
  isLeader: false,
  isReady: false,
  sync: { id: 0, heard: undefined, attempts: 0, isDue: false },
  epochs: 0,
  orderStamp: 0,
  pausedUntil: 0,
})

export const createChangeSet = (): ChangeSet => ({
  chats: new Set(),
  conversations: new Set(),
  users: new Set(),
  arrivals: [],
  isOrder: false,
  isStatus: false,
})
