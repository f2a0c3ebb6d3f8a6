/** Every frame a client may send. */
import { getSchemaValidator, type Static, t } from 'elysia'
import { type AppError, malformedJson, unknownFrameType, validationFailed } from '../errors.ts'
import { CallInvite, Candidate, Sdp } from '../features/calls/model.ts'
import { SendMessage } from '../features/messages/model.ts'
import { describeFaults } from '../http/errors.ts'
import { Uuid } from '../http/text.ts'

// Not t.Integer, which takes the text of a number too.
const Whole = (options: { minimum?: number; maximum?: number; error?: string } = {}) =>
  t.Number({ ...options, multipleOf: 1 })

/** The client's own mark of a frame, which its answer carries. */
const Ref = t.Union([t.String({ maxLength: 64 }), Whole()], {
  error: 'must be a string of at most 64 characters or a whole number',
})
const ref = t.Optional(Ref)
const Seq = Whole({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, error: 'must be a whole number' })

const call = <Type extends string>(type: Type) => t.Object({ type: t.Literal(type), ref, call_id: Uuid })

export const frameSchemas = {
  auth: t.Object({
    type: t.Literal('auth'),
    ref,
    token: t.String({ maxLength: 4096, error: 'must be an access token' }),
  }),
  message: t.Object({ type: t.Literal('message'), ref, ...SendMessage.properties }),
  typing: t.Object({ type: t.Literal('typing'), ref, chat_id: Uuid }),
  read: t.Object({ type: t.Literal('read'), ref, chat_id: Uuid, seq: t.Optional(Seq) }),
  join_chat: t.Object({ type: t.Literal('join_chat'), ref, chat_id: Uuid }),
  leave_chat: t.Object({ type: t.Literal('leave_chat'), ref, chat_id: Uuid }),
  ping: t.Object({ type: t.Literal('ping'), ref }),
  call_invite: t.Object({ type: t.Literal('call_invite'), ref, ...CallInvite.properties }),
  call_ringing: call('call_ringing'),
  call_accept: call('call_accept'),
  call_decline: call('call_decline'),
  call_busy: call('call_busy'),
  call_offer: t.Object({ type: t.Literal('call_offer'), ref, call_id: Uuid, sdp: Sdp }),
  call_answer: t.Object({ type: t.Literal('call_answer'), ref, call_id: Uuid, sdp: Sdp }),
  call_candidate: t.Object({ type: t.Literal('call_candidate'), ref, call_id: Uuid, candidate: Candidate }),
  call_resume: call('call_resume'),
  call_end: call('call_end'),
}

export type FrameType = keyof typeof frameSchemas
type Frames = { [Type in FrameType]: Static<(typeof frameSchemas)[Type]> }
export type Frame = Frames[FrameType]
export type FrameOf<Type extends FrameType> = Frames[Type]
export type FrameRef = Static<typeof Ref> | undefined

export const FRAME_TYPES = Object.keys(frameSchemas) as FrameType[]
const isFrameType = (type: string): type is FrameType => Object.hasOwn(frameSchemas, type)

// Compiled: checking step by step (`dynamic`) is slower, and takes a list with one text in it for a text.
// Unknown fields are ignored, as in REST.
const validators = Object.fromEntries(
  FRAME_TYPES.map((type) => [type, getSchemaValidator(frameSchemas[type], { additionalProperties: true })]),
)

/** A frame understood, or why not; `ref` as far as it could be read. */
export type Parsed = { frame: Frame } | { fault: AppError; ref: FrameRef }

/** Reads and validates one text frame. Never throws. */
export function parseFrame(text: string): Parsed {
  const value = parseJson(text)
  if (value === undefined) return { fault: malformedJson(), ref: undefined }
  const ref = 'ref' in value && (typeof value.ref === 'string' || typeof value.ref === 'number') ? value.ref : undefined
  const type = 'type' in value && typeof value.type === 'string' ? value.type : undefined
  if (type === undefined) return { fault: validationFailed({ type: `must be one of: ${FRAME_TYPES.join(', ')}` }), ref }
  if (!isFrameType(type)) return { fault: unknownFrameType(type), ref }
  const validator = validators[type]
  if (validator?.Check(value)) return { frame: value as Frame }
  return { fault: validationFailed(describeFaults(validator?.Errors(value) ?? [], 'frame')), ref }
}

/** A JSON object; undefined for everything else. */
function parseJson(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
