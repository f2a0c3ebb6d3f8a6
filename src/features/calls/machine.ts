/**
 * What may become of a call: pure, with every instant given. `advance` says what a party's action makes of it and who is
 * told; the service does that to the row it holds, so of two actions one always sees the other.
 */
import type { Devices } from '../../bus/control.ts'
import type { CallEvent } from '../../bus/events.ts'
import {
  type AppError,
  alreadyInCall,
  callHasEnded,
  callIsAnswered,
  callNotAnswered,
  callNotFound,
  callOnOtherDevice,
  notAllowed,
} from '../../errors.ts'
import { type Call, durationOf, inviteEvent, type Outcome, type Seat } from './model.ts'

/** One socket of a user. */
export interface Device {
  id: string
  userId: string
  sessionId: string
}

/** `signal` stands for offers, answers and candidates; `drop`: the socket has closed. */
export type Action = 'ring' | 'accept' | 'decline' | 'busy' | 'signal' | 'resume' | 'end' | 'drop'

export interface Notice {
  to: Devices
  event: CallEvent
}

/** The call as it is from now on, the same object when nothing changed; a refusal may come with a call that lapsed. */
export interface Step {
  call: Call
  tell: Notice[]
  refused?: AppError
}

/** Unanswered for so long, a call is missed. */
export const RING_MS = 45_000
/** A device whose socket has closed may come back for so long. */
export const RESUME_MS = 15_000
/** A device counts as there for so long after its instance last said so: an instance that dies says nothing more. */
export const LEASE_MS = 30_000

const later = (now: Date, ms: number) => new Date(now.getTime() + ms)
const seatOf = (device: Device, now: Date): Seat => ({
  device: device.id,
  session: device.sessionId,
  until: later(now, LEASE_MS),
})

/** What an invitation meets. `open` are the open calls of the two, none of them overdue. */
export function findObstacle(open: readonly Call[], callerId: string): AppError | 'busy' | undefined {
  const own = open.find((call) => call.callerId === callerId || call.calleeId === callerId)
  if (own) return alreadyInCall(own.id)
  return open.length > 0 ? 'busy' : undefined
}

export interface NewCall extends Pick<Call, 'id' | 'chatId' | 'messageId' | 'calleeId' | 'media'> {
  caller: Device
  isBusy: boolean
}

/** A call begins: every device of the callee rings. Of a busy callee it is over at once. */
export function begin({ caller, isBusy, ...what }: NewCall, now: Date): Step {
  const call: Call = {
    ...what,
    callerId: caller.userId,
    state: 'ringing',
    outcome: null,
    createdAt: now,
    ringUntil: later(now, RING_MS),
    answeredAt: null,
    endedAt: null,
    caller: seatOf(caller, now),
    callee: null,
  }
  if (!isBusy) return { call, tell: [{ to: { userId: call.calleeId }, event: inviteEvent(call) }] }
  const { call: ended, tell } = end(call, 'busy', now)
  // Whoever is busy hears nothing of it but the message.
  return { call: ended, tell: tell.filter(({ to }) => to.userId === call.callerId) }
}

/** When an open call ends by itself, and how: nobody answered, or a party was lost. */
export function deadlineOf({ state, ringUntil, caller, callee }: Call): { at: Date; outcome: Outcome } | undefined {
  if (state === 'ended') return undefined
  if (state === 'ringing') return { at: earlier(ringUntil, caller.until), outcome: 'missed' }
  return { at: callee ? earlier(caller.until, callee.until) : caller.until, outcome: 'failed' }
}

/** The call, ended at its deadline when that has passed. */
export function lapse(call: Call, now: Date): Step {
  const deadline = deadlineOf(call)
  const isOverdue = deadline !== undefined && deadline.at <= now
  return isOverdue ? end(call, deadline.outcome, deadline.at) : { call, tell: [] }
}

/** What `action` of a device makes of the call. */
export function advance(before: Call, action: Action, by: Device, now: Date): Step {
  const side = sideOf(before, by.userId)
  if (!side) return { call: before, tell: [], refused: callNotFound() }
  const { call, tell } = lapse(before, now)
  if (call.state === 'ended') return { call, tell, refused: callHasEnded(call.outcome) }
  return (side === 'caller' ? byCaller : byCallee)(call, action, by, now)
}

function byCaller(call: Call, action: Action, by: Device, now: Date): Step {
  switch (action) {
    case 'ring':
    case 'accept':
    case 'decline':
    case 'busy':
      return refuse(call, notAllowed('answer your own call'))
    case 'signal':
      return call.state === 'ringing' ? refuse(call, callNotAnswered()) : byParty(call, 'caller', action, by, now)
    default:
      return byParty(call, 'caller', action, by, now)
  }
}

function byCallee(call: Call, action: Action, by: Device, now: Date): Step {
  if (call.callee) {
    const isParty = call.callee.device === by.id
    switch (action) {
      case 'accept':
        // Again, because the first answer was lost.
        return isParty ? { call, tell: [] } : refuse(call, callOnOtherDevice())
      case 'ring':
      case 'decline':
      case 'busy':
        return refuse(call, isParty ? callIsAnswered() : callOnOtherDevice())
      default:
        return byParty(call, 'callee', action, by, now)
    }
  }
  switch (action) {
    case 'ring':
      return { call, tell: [{ to: callerOf(call), event: { type: 'call_ringing', call_id: call.id } }] }
    case 'accept': {
      const accepted: Call = { ...call, state: 'active', answeredAt: now, callee: seatOf(by, now) }
      const others = { userId: call.calleeId, except: by.id }
      const tell: Notice[] = [
        { to: callerOf(call), event: { type: 'call_accept', call_id: call.id } },
        { to: others, event: { type: 'call_answered_elsewhere', call_id: call.id } },
      ]
      return { call: accepted, tell }
    }
    case 'decline':
      return end(call, 'declined', now)
    case 'busy':
      return end(call, 'busy', now)
    case 'drop':
      return { call, tell: [] }
    default:
      return refuse(call, callNotAnswered())
  }
}

/** What only the devices in the call may do, and those of their sessions that take their place. */
function byParty(
  call: Call,
  side: 'caller' | 'callee',
  action: 'signal' | 'resume' | 'end' | 'drop',
  by: Device,
  now: Date,
): Step {
  const seat = call[side]
  const isThere = seat?.device === by.id
  const mayTakeOver = action === 'resume' && seat?.session === by.sessionId
  if (!isThere && action === 'drop') return { call, tell: [] }
  if (!seat || !(isThere || mayTakeOver)) return refuse(call, callOnOtherDevice())
  switch (action) {
    case 'signal':
      return { call, tell: [] }
    case 'end':
      return end(call, call.state === 'ringing' ? 'cancelled' : 'completed', now)
    case 'drop':
      return { call: { ...call, [side]: { ...seat, until: earlier(seat.until, later(now, RESUME_MS)) } }, tell: [] }
    case 'resume': {
      const resumed: Call = { ...call, [side]: seatOf(by, now) }
      const tell: Notice[] = []
      const other = otherDevice(call, by.userId)
      if (other) tell.push({ to: other, event: { type: 'call_resume', call_id: call.id } })
      const left = { userId: by.userId, only: seat.device }
      if (!isThere) tell.push({ to: left, event: { type: 'call_answered_elsewhere', call_id: call.id } })
      return { call: resumed, tell }
    }
  }
}

/** The device at the other end; undefined while nobody has answered. */
export function otherDevice(call: Call, userId: string): Devices | undefined {
  if (userId !== call.callerId) return callerOf(call)
  return call.callee ? { userId: call.calleeId, only: call.callee.device } : undefined
}

/** Those in the call are told, and while it rings every device of the callee. */
export function end(call: Call, outcome: Outcome, endedAt: Date): Step {
  const ended: Call = { ...call, state: 'ended', outcome, endedAt }
  const event: CallEvent = {
    type: 'call_end',
    call_id: call.id,
    chat_id: call.chatId,
    outcome,
    duration: durationOf(ended),
  }
  const callee: Devices = { userId: call.calleeId, ...(call.callee && { only: call.callee.device }) }
  return { call: ended, tell: [callerOf(call), callee].map((to) => ({ to, event })) }
}

const sideOf = (call: Call, userId: string): 'caller' | 'callee' | undefined =>
  userId === call.callerId ? 'caller' : userId === call.calleeId ? 'callee' : undefined

const callerOf = (call: Call): Devices => ({ userId: call.callerId, only: call.caller.device })
const refuse = (call: Call, refused: AppError): Step => ({ call, tell: [], refused })
const earlier = (a: Date, b: Date): Date => (a <= b ? a : b)
