/**
 * Every failure a caller can meet, by name. REST answers `{"error", "details"}` with the status; the WebSocket sends
 * `{"type": "error", "error", "details"}`: the same words in both places.
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
export const unknownFrameType = (type: string) =>
  validationFailed({ type: `is not a known frame type: ${type.slice(0, 40)}` })
export const binaryFrame = () => new AppError(400, 'Frames are JSON text, not binary')
export const dmWithOneself = () => validationFailed({ user_id: 'must be another user' })
export const dmCannotBeLeft = () => new AppError(400, 'A direct chat cannot be left, renamed or deleted')

// 401
export const notSignedIn = () => new AppError(401, 'Missing or invalid access token')
export const sessionEnded = () => new AppError(401, 'This session has ended; sign in again')
export const wrongCredentials = () => new AppError(401, 'Wrong phone, e-mail or password')
export const invalidRefreshToken = () => new AppError(401, 'Invalid or expired refresh token')

// 403
export const registrationClosed = () => new AppError(403, 'Registration is closed on this server')
export const accountDisabled = () => new AppError(403, 'This account is disabled')
export const wrongOldPassword = () => new AppError(403, 'Wrong password', { old_password: 'is not right' })
export const notAllowed = (what: string) => new AppError(403, `You may not ${what}`)
export const chatIsReadOnly = () => new AppError(403, 'Nobody can write in this chat any more')
export const foreignOrigin = () => new AppError(403, 'This origin may not open a socket here')

// 404
export const routeNotFound = () => new AppError(404, 'No such endpoint')
export const userNotFound = () => new AppError(404, 'User not found')
/** The same answer for a chat that does not exist and one the caller is not in, so that ids cannot be probed. */
export const chatNotFound = () => new AppError(404, 'Chat not found')
export const messageNotFound = () => new AppError(404, 'Message not found')
export const memberNotFound = () => new AppError(404, 'Member not found')
export const sessionNotFound = () => new AppError(404, 'Session not found')

// 409
/** `fields` names each taken field. */
export const alreadyTaken = (fields: Record<string, string>) => new AppError(409, 'Already taken', fields)
export const messageIsDeleted = () => new AppError(409, 'A deleted message cannot be edited')
export const ownerMustHandOver = () => new AppError(409, 'Hand the ownership over before leaving')
export const groupFull = (limit: number) =>
  new AppError(409, `A group of this owner holds at most ${limit} members`, { limit })

// 413, 415
export const bodyTooLarge = (maxBytes: number) =>
  new AppError(413, `The body is larger than ${maxBytes} bytes`, { max_bytes: maxBytes })
export const unsupportedMediaType = (expected: string) => new AppError(415, `Send ${expected}`)

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
