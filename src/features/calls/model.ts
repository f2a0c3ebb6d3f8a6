/** The shapes of calls: JSON outside, the call inside. */
import { t } from 'elysia'
import type { CallEvent } from '../../bus/events.ts'
import { Instant, Uuid, wholeNumber } from '../../http/text.ts'

export const OUTCOMES = ['completed', 'missed', 'declined', 'busy', 'cancelled', 'failed'] as const
export type Outcome = (typeof OUTCOMES)[number]
export type CallMedia = 'audio' | 'video'

/** A party's place in the call: the device (socket id) that has it, and when it counts as lost unless it shows itself. */
export interface Seat {
  device: string
  session: string
  until: Date
}

export interface Call {
  id: string
  chatId: string
  messageId: string
  callerId: string
  calleeId: string
  media: CallMedia
  state: 'ringing' | 'active' | 'ended'
  /** Null until it has ended. */
  outcome: Outcome | null
  createdAt: Date
  ringUntil: Date
  answeredAt: Date | null
  endedAt: Date | null
  caller: Seat
  /** Null until somebody answered. */
  callee: Seat | null
}

/** Whole seconds from the acceptance to the end; 0 when nobody answered. */
export const durationOf = ({ answeredAt, endedAt }: Call): number =>
  answeredAt && endedAt ? Math.max(0, Math.floor((endedAt.getTime() - answeredAt.getTime()) / 1000)) : 0

/** What makes the callee's devices ring. */
export const inviteEvent = ({ id, chatId, callerId, media, ringUntil }: Call): CallEvent => ({
  type: 'call_invite',
  call_id: id,
  chat_id: chatId,
  caller_id: callerId,
  media,
  expires_at: ringUntil.toISOString(),
})

/** What the answer to a frame says of the call. */
export const toCallState = ({ id, state, outcome, ringUntil }: Call) => ({
  call_id: id,
  state,
  ...(state === 'ringing' && { expires_at: ringUntil.toISOString() }),
  ...(outcome && { outcome }),
})

export const CallInvite = t.Object({
  chat_id: Uuid,
  media: t.UnionEnum(['audio', 'video'], { error: 'must be audio or video' }),
})
export type CallInvite = typeof CallInvite.static

const MAX_SDP_LENGTH = 32_768
/** Without U+0000 and surrogates: descriptions and candidates are names, numbers and addresses. */
const signalText = (max: number, min = 0) =>
  t.String({
    minLength: min,
    maxLength: max,
    pattern: '^[\\u0001-\\uD7FF\\uE000-\\uFFFF]*$',
    error: `must be ${min} to ${max} characters of text`,
  })

/** A session description, as RTCSessionDescription.sdp has it. */
export const Sdp = signalText(MAX_SDP_LENGTH, 1)

/** As RTCIceCandidate.toJSON() gives it (W3C WebRTC, RTCIceCandidateInit); an empty `candidate` says that there are no more. */
export const Candidate = t.Object(
  {
    candidate: signalText(1024),
    sdpMid: t.Optional(t.Nullable(signalText(64))),
    sdpMLineIndex: t.Optional(t.Nullable(wholeNumber(0, 65_535, { error: 'must be 0 to 65535' }))),
    usernameFragment: t.Optional(t.Nullable(signalText(256))),
  },
  { error: 'must be an ICE candidate as RTCIceCandidate.toJSON() gives it' },
)
export type Candidate = typeof Candidate.static

/** An entry of RTCConfiguration.iceServers. */
const IceServer = t.Object({
  urls: t.Array(t.String({ examples: ['turn:turn.example.com:3478?transport=udp'] })),
  username: t.Optional(t.String({ description: 'When it ends (Unix seconds), a colon, your user id' })),
  credential: t.Optional(t.String()),
})

export const IceServers = t.Object({
  ice_servers: t.Array(IceServer, { description: 'For RTCConfiguration.iceServers; empty where none is configured' }),
  expires_at: t.Nullable(Instant, { description: 'Until when a relay may be asked for with these' }),
  hint: t.Nullable(t.String(), { description: 'Why a call may not get through, where that is known' }),
})
export type IceServers = typeof IceServers.static
