/** What each frame of the server does to the state. Hearing one twice is hearing it once. */
import { announce } from './arrivals.ts'
import { noteUser, removeChat, startChat, wantUser } from './chats.ts'
import { applyMessage, settleEntry } from './messages.ts'
import { settleRead } from './reads.ts'
import type { Chat } from './state.ts'
import { command, setRow, type Turn, touch } from './turn.ts'
import type { ChatChange, ChatOverview, Message, ServerFrame } from './wire.ts'

/** Somebody types for so long after the last that was heard of it. */
const TYPING_MS = 3000

type FrameOf<Type, F = ServerFrame> = F extends { type: infer Types } ? (Type extends Types ? F : never) : never

const handlers: { [Type in ServerFrame['type']]?: (turn: Turn, frame: FrameOf<Type>) => void } = {
  new_message: (turn, { message }) => {
    takeMessage(turn, message)
    const chat = turn.state.chats.get(message.chat_id)
    if (chat) announce(turn, chat, message)
  },
  message_updated: (turn, { message }) => takeMessage(turn, message),
  message_deleted: (turn, { message }) => takeMessage(turn, message),
  ack: (turn, { message }) => message && takeMessage(turn, message),
  read: inChat(takeRead),
  typing: inChat(takeTyping),
  online_status: takePresence,
  chat_created: (turn, { chat_id, chat, head }) => {
    if (!turn.state.chats.has(chat_id)) startChat(turn, chat, head)
  },
  chat_updated: inChat(takeChange),
  chat_removed: (turn, { chat_id }) => removeChat(turn, chat_id),
  member_joined: inChat(takeMembership),
  member_left: inChat(takeMembership),
}

export function applyFrame(turn: Turn, frame: ServerFrame): void {
  const handler = handlers[frame.type] as ((turn: Turn, frame: ServerFrame) => void) | undefined
  handler?.(turn, frame)
}

function inChat<F>(act: (turn: Turn, chat: Chat, frame: F) => void) {
  return (turn: Turn, frame: F & { chat_id: string }): void => {
    const chat = turn.state.chats.get(frame.chat_id)
    if (chat) act(turn, chat, frame)
  }
}

function takeMessage(turn: Turn, message: Message): void {
  settleEntry(turn, message)
  const chat = turn.state.chats.get(message.chat_id)
  if (!chat) return
  // Everything up to the head is known. What is heard of it later may be older than that, and is no reason to hold it.
  const isOld = message.seq <= chat.head.seq && message.rev <= chat.head.rev
  if (!isOld || chat.messages.has(message.seq)) applyMessage(turn, chat, message)
  wantUser(turn, message.sender_id)
}

function takeRead(
  turn: Turn,
  chat: Chat,
  { user_id, last_read_seq }: { user_id: string; last_read_seq: number },
): void {
  const { row } = chat
  if (user_id === turn.state.session.userId) settleRead(turn, chat, last_read_seq)
  else if (row.peer_read_seq !== null && last_read_seq > row.peer_read_seq)
    setRow(turn, chat, { ...row, peer_read_seq: last_read_seq })
}

function takeTyping(turn: Turn, chat: Chat, { user_id, is_typing }: { user_id: string; is_typing: boolean }): void {
  if (user_id === turn.state.session.userId) return
  wantUser(turn, user_id)
  turn.changes.chats.add(chat.id)
  turn.changes.conversations.add(chat.id)
  if (is_typing) {
    chat.typing.set(user_id, turn.now + TYPING_MS)
    command(turn, { do: 'timer', name: `typing:${chat.id}`, ms: TYPING_MS })
  } else chat.typing.delete(user_id)
}

/** Those whose time is over stop. */
export function stopTyping(turn: Turn, chat: Chat): void {
  turn.changes.chats.add(chat.id)
  turn.changes.conversations.add(chat.id)
  let next = Number.POSITIVE_INFINITY
  for (const [userId, until] of chat.typing) {
    if (until <= turn.now) chat.typing.delete(userId)
    else next = Math.min(next, until)
  }
  if (chat.typing.size > 0) command(turn, { do: 'timer', name: `typing:${chat.id}`, ms: next - turn.now })
}

function takePresence(turn: Turn, frame: { user_id: string; is_online: boolean; timestamp: number }): void {
  const { users, dms, chats } = turn.state
  const known = users.get(frame.user_id)
  const last_seen = new Date(frame.timestamp * 1000).toISOString()
  const profile = known?.profile && { ...known.profile, last_seen }
  users.set(frame.user_id, { profile, isOnline: frame.is_online, isAsked: known?.isAsked ?? false })
  turn.changes.users.add(frame.user_id)
  const dm = chats.get(dms.get(frame.user_id) ?? '')
  if (dm?.row.peer) setRow(turn, dm, { ...dm.row, peer: { ...dm.row.peer, is_online: frame.is_online, last_seen } })
}

function takeChange(turn: Turn, chat: Chat, change: ChatChange): void {
  const { name, avatar_url, owner_id, is_read_only, member } = change
  const isMine = member?.user_id === turn.state.session.userId
  const fields = { name, avatar_url, owner_id, is_read_only, role: isMine ? member.role : undefined }
  const said = Object.entries(fields).filter(([, value]) => value !== undefined)
  setRow(turn, chat, { ...chat.row, ...(Object.fromEntries(said) as Partial<ChatOverview>) })
  if (!chat.members || !member) return
  const list = chat.members.list.map((one) => (one.user.id === member.user_id ? { ...one, role: member.role } : one))
  chat.members = { ...chat.members, list }
}

function takeMembership(turn: Turn, chat: Chat, frame: { type: string; user_id: string; member_count: number }): void {
  setRow(turn, chat, { ...chat.row, member_count: frame.member_count })
  wantUser(turn, frame.user_id)
  if (!chat.members) return
  // Who came is read anew with the others, by whoever looks.
  const list = chat.members.list.filter(({ user }) => user.id !== frame.user_id)
  chat.members = { list, total: frame.member_count }
  if (frame.type === 'member_joined' && chat.window) askMembers(turn, chat)
}

/** Of a group that is open: who is in it, and who of them is there. */
export function askMembers(turn: Turn, chat: Chat): void {
  if (chat.row.type === 'group')
    command(turn, { do: 'ask', question: { ask: 'members', chatId: chat.id, epoch: chat.epoch } })
}

export function takeMembers(turn: Turn, chat: Chat, answer: NonNullable<Chat['members']>): void {
  chat.members = answer
  for (const { user, is_online } of answer.list) noteUser(turn, user, is_online)
  touch(turn, chat)
}
