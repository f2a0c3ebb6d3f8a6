/** What comes back: by the socket, by an upload, by a question. */
import { finishChanges, finishSeek, finishSync, hear } from './catch-up.ts'
import { noteUser } from './chats.ts'
import { takeMembers } from './frames.ts'
import { takePage, takeSought } from './history.ts'
import * as outbox from './outbox.ts'
import { finishRead } from './reads.ts'
import { ApiError } from './rest.ts'
import type { Chat, State } from './state.ts'
import { type Answer, ask, command, type Question, type Turn } from './turn.ts'
import type { Member, Message, PublicProfile, ServerFrame } from './wire.ts'

/** Profiles in one request. */
const MAX_USERS = 100

export function takeFrame(turn: Turn, frame: ServerFrame): void {
  hear(turn, frame)
  const isAnswer = frame.type === 'ack' || frame.type === 'error'
  if (!isAnswer || typeof frame.ref !== 'string') return
  const refusal = frame.type === 'error' ? new ApiError(frame.status, frame) : undefined
  const retryAfter = refusal?.retryAfter
  const isKnown =
    outbox.finishSend(turn, frame.ref, refusal) ||
    finishRead(turn, frame.ref, frame.type === 'ack' ? { last_read_seq: frame.last_read_seq } : { retryAfter })
  if (isKnown && retryAfter !== undefined) outbox.pause(turn, retryAfter * 1000)
}

export function takeUpload(turn: Turn, clientId: string, answer: Answer): void {
  if (answer.ok) {
    const frame: ServerFrame = { type: 'new_message', message: (answer.body as { message: Message }).message }
    hear(turn, frame)
    command(turn, { do: 'tell', event: { type: 'told-frame', frame } })
  } else {
    const { status, error, details } = answer
    outbox.refuse(turn, clientId, status, { error, details }, answer.retryAfter)
  }
}

/** The chat a question was about; undefined when it is another one by now. */
export const findChat = ({ chats }: State, { chatId, epoch }: { chatId: string; epoch: number }): Chat | undefined => {
  const chat = chats.get(chatId)
  return chat?.epoch === epoch ? chat : undefined
}

export function takeAnswer(turn: Turn, question: Question, answer: Answer): void {
  if (question.ask === 'sync') finishSync(turn, question, answer)
  else if (question.ask === 'users') takeUsers(turn, question.ids, answer)
  else {
    const chat = findChat(turn.state, question)
    if (!chat) return
    if (question.ask === 'changes') finishChanges(turn, chat, answer, question.debt)
    else if (question.ask === 'page') takePage(turn, chat, question, answer)
    else if (question.ask === 'chat') finishSeek(turn, chat, answer)
    else if (question.ask === 'message') takeSought(turn, chat, question.messageId, answer)
    else if (answer.ok) {
      const { members, total } = answer.body as { members: Member[]; total: number }
      takeMembers(turn, chat, { list: members, total })
    }
  }
}

function takeUsers(turn: Turn, ids: readonly string[], answer: Answer): void {
  const { users } = turn.state
  if (answer.ok) for (const profile of (answer.body as { users: PublicProfile[] }).users) noteUser(turn, profile)
  else
    for (const id of ids) users.set(id, { profile: undefined, isOnline: undefined, ...users.get(id), isAsked: false })
}

/** Asks for all profiles that this turn found missing. */
export function askUsers(turn: Turn): void {
  const ids = [...turn.wanted]
  for (const id of ids)
    turn.state.users.set(id, { profile: undefined, isOnline: undefined, ...turn.state.users.get(id), isAsked: true })
  for (let at = 0; at < ids.length; at += MAX_USERS) ask(turn, { ask: 'users', ids: ids.slice(at, at + MAX_USERS) })
}
