/**
 * Every failure a caller can meet, by name. REST answers `{"error", "details"}` with the status; the WebSocket sends
 * `{"type": "error", "status", "error", "details"}`: the same words and numbers in both places.
 */

export type ErrorDetails = Record<string, unknown>

/** A failure that is the caller's to know; anything else that is thrown is a fault of ours and answers 500. */
export class AppError extends Error {
  override readonly name = 'AppError'
  constructor(
    /** The HTTP status. */
    readonly status: number,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message)
  }
  /** The body of both worlds. */
  toJSON(): { error: string; details: ErrorDetails } {
    return { error: this.message, details: this.details }
  }
}

// 400
/** `fields` maps each faulty field to what is wrong with it. */
export const validationFailed = (fields: Record<string, string>) => new AppError(400, 'Validation failed', fields)
export const malformedJson = () => new AppError(400, 'Malformed JSON')
/** Of an upload in pieces. */
export const pieceTooSmall = (minBytes: number) =>
  new AppError(400, `Send at least ${minBytes} bytes at once, or all that is missing`, { min_bytes: minBytes })
export const malformedForm = () => new AppError(400, 'Malformed multipart form')
export const bodyCutOff = () => new AppError(400, 'The connection ended before the body did')
export const unknownFrameType = (type: string) =>
  validationFailed({ type: `is not a known frame type: ${type.slice(0, 40)}` })
export const binaryFrame = () => new AppError(400, 'Frames are JSON text, not binary')
export const dmWithOneself = () => validationFailed({ user_id: 'must be another user' })
export const blockingOneself = () => validationFailed({ user_id: 'must be another user' })
export const dmCannotBeLeft = () => new AppError(400, 'A direct chat cannot be left, renamed or deleted')

export const callOutsideDm = () => new AppError(400, 'Only the other one of a direct chat can be called')

/** PAYMENT_PROVIDER names none that this server has. */
export const noPaymentProvider = () =>
  new AppError(400, 'Nothing can be bought here: this server has no payment provider')

// 401
export const notSignedIn = () => new AppError(401, 'Missing or invalid access token')
export const sessionEnded = () => new AppError(401, 'This session has ended; sign in again')
export const wrongCredentials = () => new AppError(401, 'Wrong phone, e-mail or password')
export const invalidRefreshToken = () => new AppError(401, 'Invalid or expired refresh token')

export const linkExpired = () => new AppError(401, 'This link has expired; ask for another one')

// 402
/** `reason` is the provider's, for the buyer. Another try needs another Idempotency-Key. */
export const paymentFailed = (reason: string) => new AppError(402, 'The payment failed', { reason })

// 403
export const registrationClosed = () => new AppError(403, 'Registration is closed on this server')
export const accountDisabled = () => new AppError(403, 'This account is disabled')
export const wrongOldPassword = () => new AppError(403, 'Wrong password', { old_password: 'is not right' })
export const notAllowed = (what: string) => new AppError(403, `You may not ${what}`)
export const chatIsReadOnly = () => new AppError(403, 'Nobody can write in this chat any more')
export const blockedByUser = () => new AppError(403, 'This user does not take messages from you')
/** `fields` names each of them by its place in the list. */
export const mayNotAdd = (fields: Record<string, string>) => new AppError(403, 'Not everybody may be added', fields)
/** Removed by the chat's staff: being added again is the only way back. */
export const removedFromChat = () => new AppError(403, 'You were removed from this chat')
export const linkNotValid = () => new AppError(403, 'This link is not valid')
export const linkOfSomebodyElse = () => new AppError(403, 'This link is for somebody else')
export const foreignOrigin = () => new AppError(403, 'This origin may not open a socket here')

// 404
export const routeNotFound = () => new AppError(404, 'No such endpoint')
export const userNotFound = () => new AppError(404, 'User not found')
/** The same answer for a chat that does not exist and one the caller is not in, so that ids cannot be probed. */
export const chatNotFound = () => new AppError(404, 'Chat not found')
export const messageNotFound = () => new AppError(404, 'Message not found')
/** The same for one that never was, one of a deleted message, and one of a chat the caller is not in. */
export const mediaNotFound = () => new AppError(404, 'File not found')
/** Told to whoever will be able to open it. */
export const mediaNotReady = () =>
  new AppError(404, 'This file is still being made; message_updated tells when it is there')
/** The same for one of somebody else. */
export const uploadNotFound = () => new AppError(404, 'Upload not found')
export const avatarNotFound = () => new AppError(404, 'No such picture')
export const memberNotFound = () => new AppError(404, 'Member not found')
/** The same answer for one that is private, so that ids cannot be probed. */
export const channelNotFound = () => new AppError(404, 'Channel not found')
/** Unknown, revoked, expired and used up are one: a code tells nothing to whoever may not use it. */
export const inviteNotFound = () => new AppError(404, 'Invite not found')
export const noSubscription = () => new AppError(404, 'No running subscription')
/** The same answer for a call of others, so that ids cannot be probed. */
export const callNotFound = () => new AppError(404, 'Call not found')
export const sessionNotFound = () => new AppError(404, 'Session not found')

// 408
/** The connection is closed after it (RFC 9110, 15.5.9). */
export const bodyTooSlow = () => new AppError(408, 'The body came too slowly')

// 409
export const keyUsedOtherwise = () =>
  new AppError(409, 'This Idempotency-Key belongs to another purchase', { 'idempotency-key': 'was used otherwise' })
/** `fields` names each taken field. */
export const alreadyTaken = (fields: Record<string, string>) => new AppError(409, 'Already taken', fields)
/** Ask where it goes on, and go on there. */
export const wrongOffset = (offset: number) => new AppError(409, 'The upload goes on elsewhere', { offset })
export const tooManyUploads = (limit: number) =>
  new AppError(409, `At most ${limit} uploads may be unfinished; finish or delete one first`, { limit })
export const messageIsDeleted = () => new AppError(409, 'A deleted message cannot be edited')
export const ownerMustHandOver = () => new AppError(409, 'Hand the ownership over before leaving')
export const tooManyInvites = (limit: number) =>
  new AppError(409, `A chat has at most ${limit} invites; revoke one first`, { limit })
export const groupFull = (limit: number) =>
  new AppError(409, `A group of this owner holds at most ${limit} members`, { limit })

/** `call_id` is the open call: the other one may be calling at this moment. */
export const alreadyInCall = (callId: string) => new AppError(409, 'You are in a call already', { call_id: callId })
export const callHasEnded = (outcome: string | null) => new AppError(409, 'This call has ended', { outcome })
export const callNotAnswered = () => new AppError(409, 'This call is not answered yet')
export const callIsAnswered = () => new AppError(409, 'This call is answered already')
export const callOnOtherDevice = () => new AppError(409, 'This call is on another device')

// 412
export const unknownTusVersion = (known: string) =>
  new AppError(412, 'Another version of the tus protocol', { 'tus-resumable': `must be ${known}` })

// 413, 415
export const bodyTooLarge = (maxBytes: number) =>
  new AppError(413, `The body is larger than ${maxBytes} bytes`, { max_bytes: maxBytes })
/** A file of a form or an upload; `maxBytes` is what the sender's tier allows. */
export const fileTooLarge = (maxBytes: number) =>
  new AppError(413, `A file may have at most ${maxBytes} bytes`, { max_bytes: maxBytes })
export const unsupportedMediaType = (expected: string) => new AppError(415, `Send ${expected}`)

// 416
export const rangeNotSatisfiable = (size: number) =>
  new AppError(416, `The file has ${size} bytes; none of them is asked for`, { size })

// 429
export const tooManyRequests = (retryAfterSeconds: number) =>
  new AppError(429, 'Too many requests', { retry_after: retryAfterSeconds })
export const tooManyLogins = (retryAfterSeconds: number) =>
  new AppError(429, 'Too many login attempts', { retry_after: retryAfterSeconds })

// 500, 503
export const internalError = (requestId: string) => new AppError(500, 'Internal error', { request_id: requestId })
/** The server sheds load or a part of it is away; the same request may succeed after `retryAfterSeconds`. */
export const unavailable = (what: string, retryAfterSeconds = 1) =>
  new AppError(503, what, { retry_after: retryAfterSeconds })

// 507
/** The disk is full, or the quota of the service that keeps the files. */
export const noRoom = () => new AppError(507, 'There is no room for files on this server')
