/** The frames of calls: each is one call of the service, for the device that the socket is. */
import type { Device } from '../features/calls/machine.ts'
import type { Calls } from '../features/calls/service.ts'
import type { Frame, FrameOf } from './frames.ts'
import type { Socket } from './socket.ts'

/** What each frame does to its call. */
const ACTIONS = {
  call_ringing: 'ring',
  call_accept: 'accept',
  call_decline: 'decline',
  call_busy: 'busy',
  call_resume: 'resume',
  call_end: 'end',
} as const

export type CallFrame = FrameOf<keyof typeof ACTIONS | 'call_invite' | 'call_offer' | 'call_answer' | 'call_candidate'>

export const isCallFrame = (frame: Frame): frame is CallFrame => frame.type.startsWith('call_')

/** The device that the socket is; undefined before it is signed in. */
export const deviceOf = ({ id, caller }: Socket): Device | undefined =>
  caller && { id, userId: caller.userId, sessionId: caller.sessionId }

/** @returns what the ack says. @throws AppError */
export async function performCall(
  calls: Calls,
  socket: Socket,
  device: Device,
  frame: CallFrame,
): Promise<Record<string, unknown>> {
  const answer = await take(calls, device, frame)
  // One that closed meanwhile could not be reported gone before it was in the call.
  if (socket.state === 'closed') calls.dropped(device)
  return answer
}

async function take(calls: Calls, device: Device, frame: CallFrame): Promise<Record<string, unknown>> {
  switch (frame.type) {
    case 'call_invite':
      return calls.invite(device, frame)
    case 'call_offer':
    case 'call_answer': {
      const { type, call_id, sdp } = frame
      await calls.signal(device, { type, call_id, sdp })
      return { call_id }
    }
    case 'call_candidate': {
      const { type, call_id } = frame
      const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = frame.candidate
      await calls.signal(device, { type, call_id, candidate: { candidate, sdpMid, sdpMLineIndex, usernameFragment } })
      return { call_id }
    }
    default:
      return calls.act(device, frame.call_id, ACTIONS[frame.type])
  }
}
