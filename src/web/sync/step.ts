/** From what happened to what follows: the one place that changes the state. */
import { askUsers, findChat, takeAnswer, takeFrame, takeUpload } from './answers.ts'
import { closeGap, seekLast, startSync, watchGap } from './catch-up.ts'
import { noteUser, startChat, toStored, wantLastSender } from './chats.ts'
import { stopTyping } from './frames.ts'
import * as history from './history.ts'
import * as outbox from './outbox.ts'
import type { Draft, StorageOp } from './ports.ts'
import { flushReads, markRead } from './reads.ts'
import { forget, lead, link, load, takeOutbox } from './standing.ts'
import type { Chat, State } from './state.ts'
import { createTurn, type Event, type Turn } from './turn.ts'
import type { ChatOverview, OwnProfile } from './wire.ts'

/** Changes the state. @param now milliseconds since 1970 @returns what changed, and what is to be done */
export function step(state: State, event: Event, now: number): Pick<Turn, 'changes' | 'commands'> {
  const turn = createTurn(state, now)
  take(turn, event)
  for (const chat of turn.dirty) {
    watchGap(turn, chat)
    seekLast(turn, chat)
    wantLastSender(turn, chat)
  }
  flushReads(turn)
  outbox.pump(turn)
  askUsers(turn)
  store(turn)
  return turn
}

type EventOf<Type, E = Event> = E extends { type: infer Types } ? (Type extends Types ? E : never) : never

const handlers: { [Type in Event['type']]: (turn: Turn, event: EventOf<Type>) => void } = {
  loaded: (turn, { stored }) => load(turn, stored),
  'signed-in': (turn, { userId }) => signIn(turn, userId),
  'signed-out': (turn) => forget(turn),
  link: (turn, { status }) => link(turn, status),
  'told-link': (turn, { status }) => {
    if (!turn.state.isLeader) link(turn, status)
  },
  led: (turn, { standing }) => lead(turn, standing),
  unled: (turn) => follow(turn),
  frame: (turn, { frame }) => takeFrame(turn, frame),
  'told-frame': (turn, { frame }) => {
    // Who has a socket hears for itself; what an earlier one told may be older than that.
    if (!turn.state.isLeader) takeFrame(turn, frame)
  },
  sync: (turn) => startSync(turn),
  answered: (turn, { question, answer }) => takeAnswer(turn, question, answer),
  'stored-page': (turn, { question, messages, rev }) =>
    withChat(findChat(turn.state, question), (chat) => history.takeStoredPage(turn, chat, question, messages, rev)),
  timer: (turn, { name }) => takeTimer(turn, name),
  me: (turn, { me }) => takeMe(turn, me),
  users: (turn, { users }) => {
    for (const profile of users) noteUser(turn, profile)
  },
  chat: (turn, { chat }) => meetChat(turn, chat),
  write: (turn, { entry, file }) => outbox.write(turn, entry, file),
  kept: (turn, { clientId }) => outbox.kept(turn, clientId),
  entry: (turn, { entry }) => outbox.takeEntry(turn, entry),
  outbox: (turn, { entries }) => takeOutbox(turn, entries),
  retry: (turn, { clientId }) => outbox.retry(turn, clientId),
  discard: (turn, { clientId }) => outbox.discard(turn, clientId),
  discarded: (turn, { clientId }) => outbox.drop(turn, clientId),
  uploading: (turn, { clientId, sentBytes }) => outbox.noteProgress(turn, clientId, sentBytes),
  uploaded: (turn, { clientId, answer }) => takeUpload(turn, clientId, answer),
  open: inChat((turn, chat) => history.openWindow(turn, chat)),
  'open-end': inChat((turn, chat) => history.moveWindow(turn, chat, chat.head.seq)),
  'open-at': inChat((turn, chat, { seq }) => history.moveWindow(turn, chat, seq)),
  close: inChat((turn, chat) => history.closeWindow(turn, chat)),
  older: inChat((turn, chat) => history.loadOlder(turn, chat)),
  newer: inChat((turn, chat) => history.loadNewer(turn, chat)),
  view: inChat((_turn, chat, { seq }) => history.lookAt(chat, seq)),
  read: inChat((turn, chat, { seq }) => markRead(turn, chat, seq)),
  seek: inChat((turn, chat, { messageId }) => history.seekMessage(turn, chat, messageId)),
  draft: (turn, { chatId, draft }) => keepDraft(turn, chatId, draft),
}

function take(turn: Turn, event: Event): void {
  const handler = handlers[event.type] as (turn: Turn, event: Event) => void
  handler(turn, event)
}

const withChat = (chat: Chat | undefined, act: (chat: Chat) => void): void => chat && act(chat)

/** What is said of a chat that is not there any more is over. */
function inChat<E extends { chatId: string }>(act: (turn: Turn, chat: Chat, event: E) => void) {
  return (turn: Turn, event: E) => withChat(turn.state.chats.get(event.chatId), (chat) => act(turn, chat, event))
}

function signIn({ state, changes }: Turn, userId: string): void {
  state.session = { ...state.session, status: 'signed-in', userId }
  changes.isStatus = true
}

function follow(turn: Turn): void {
  turn.state.isLeader = false
  turn.changes.isStatus = true
  outbox.requeueAll(turn)
}

function takeMe(turn: Turn, me: OwnProfile): void {
  turn.state.session = { ...turn.state.session, me }
  turn.changes.isStatus = true
  turn.ops.push({ put: 'me', me })
  noteUser(turn, me)
}

/** One that is known is kept up to date by events. */
function meetChat(turn: Turn, row: ChatOverview): void {
  if (!turn.state.chats.has(row.id)) startChat(turn, row, { seq: row.last_seq, rev: row.last_rev })
}

function keepDraft({ state, changes, ops }: Turn, chatId: string, draft: Draft | null): void {
  if (draft) state.drafts.set(chatId, draft)
  else state.drafts.delete(chatId)
  changes.chats.add(chatId)
  ops.push({ put: 'draft', chatId, draft })
}

function takeTimer(turn: Turn, name: string): void {
  const [kind, id = ''] = name.split(':')
  const chat = turn.state.chats.get(id)
  if (kind === 'sync') startSync(turn)
  else if (kind === 'gap' && chat) closeGap(turn, chat)
  else if (kind === 'typing' && chat) stopTyping(turn, chat)
  else if (kind === 'ack') outbox.missAck(turn, id)
  else if (kind === 'reads') doubt(turn)
  else if (kind === 'tell') outbox.tellAgain(turn, id)
  else if (kind === 'retry') outbox.tryAgain(turn, id)
  // Of 'pause' nothing is left to do but what follows every step.
}

/** Another tab was told of read marks and nothing came of it. */
function doubt(turn: Turn): void {
  const { isLeader, unsentReads, link } = turn.state
  if (!isLeader && unsentReads.size > 0 && link === 'open') startSync(turn)
}

/** One transaction for all of it. What is the server's, only one tab writes. */
function store(turn: Turn): void {
  const isMine = (op: StorageOp) =>
    turn.state.isLeader || !(('put' in op && (op.put === 'messages' || op.put === 'chat')) || isDeletion(op))
  const rows: StorageOp[] = [...turn.dirty]
    .filter((chat) => turn.state.chats.get(chat.id) === chat)
    .map((chat) => ({ put: 'chat', chat: toStored(chat) }))
  const ops = [...turn.ops, ...rows].filter(isMine)
  if (ops.length > 0) turn.commands.unshift({ do: 'store', ops })
}

const isDeletion = (op: StorageOp) => 'delete' in op && (op.delete === 'chat' || op.delete === 'messages')
