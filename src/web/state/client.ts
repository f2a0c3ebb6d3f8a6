/**
 * The client of the page and its state as signals: whatever reads a part of it while it renders is rendered again when
 * that part changed, at most once a frame.
 */
import { type Signal, signal } from '@preact/signals'
import { browserPorts } from '../platform/ports.ts'
import { createClient } from '../sync/client.ts'
import { chatOrder, unreadOf } from '../sync/lists.ts'
import type { ChangeSet, Chat, LinkStatus, State, User } from '../sync/state.ts'
import { createPace } from './pace.ts'

export const client = createClient(browserPorts())
const { state } = client

const status = signal(0)
const order = signal(0)
/** Grows when any chat changed. */
const totals = signal(0)
const stamps = { chats: new Map(), conversations: new Map(), users: new Map() } satisfies Record<
  string,
  Map<string, Signal<number>>
>

/** Reading it ties whoever renders to what has this id. */
function touch(map: Map<string, Signal<number>>, id: string): void {
  let stamp = map.get(id)
  if (!stamp) {
    stamp = signal(0)
    map.set(id, stamp)
  }
  stamp.value
}

const kinds = ['chats', 'conversations', 'users'] as const
const waiting = { chats: new Set<string>(), conversations: new Set<string>(), users: new Set<string>() }
let isOrderDue = false
let isStatusDue = false
/** So many were in the outbox. */
let knownUnsent = 0
const preparations = new Set<() => void>()
const ask = createPace(flush)

/**
 * @param prepare is called before changes are shown; what it changes is shown with them
 * @returns what ends that
 */
export function beforeShowing(prepare: () => void): () => void {
  preparations.add(prepare)
  return () => preparations.delete(prepare)
}

function gather(changes: ChangeSet): void {
  const isNone = !changes.isOrder && !changes.isStatus && kinds.every((kind) => changes[kind].size === 0)
  if (isNone) return
  for (const kind of kinds) for (const id of changes[kind]) waiting[kind].add(id)
  isOrderDue ||= changes.isOrder
  isStatusDue ||= changes.isStatus
  const isOwn = state.outbox.size > knownUnsent
  knownUnsent = state.outbox.size
  ask(isOwn)
}

function flush(): void {
  for (const prepare of preparations) prepare()
  const isAnyChat = waiting.chats.size > 0
  for (const kind of kinds) {
    for (const id of waiting[kind]) {
      const stamp: Signal<number> | undefined = stamps[kind].get(id)
      if (stamp) stamp.value++
    }
    waiting[kind].clear()
  }
  if (isOrderDue) order.value++
  if (isOrderDue || isAnyChat) totals.value++
  if (isStatusDue) status.value++
  isOrderDue = isStatusDue = false
}

/** @returns when the storage was read */
export function startClient(): Promise<void> {
  client.subscribe(gather)
  return client.start()
}

export function sessionNow(): State['session'] {
  status.value
  return state.session
}
export function linkNow(): LinkStatus {
  status.value
  return state.link
}
export function isReady(): boolean {
  status.value
  return state.isReady
}
/** A chat stays the same object: whoever renders one asks for it here, by its id, and hands on ids or rows. */
export function chatNow(chatId: string): Chat | undefined {
  touch(stamps.chats, chatId)
  return state.chats.get(chatId)
}
/** Ids, the latest activity first. */
export function orderNow(): readonly string[] {
  order.value
  return chatOrder(state)
}
/** Ties whoever renders to the messages, the outbox and the marks of a chat. */
export function conversationNow(chatId: string): Chat | undefined {
  touch(stamps.conversations, chatId)
  return state.chats.get(chatId)
}
export function userNow(userId: string): User | undefined {
  touch(stamps.users, userId)
  return state.users.get(userId)
}
/** Over all chats; it follows every change of one. */
export function totalsNow(): { chats: number; messages: number } {
  totals.value
  return unreadOf(state)
}

/** Reads my profile anew after I changed it; the state follows. */
export const refreshMe = (): Promise<unknown> => client.api.me()
