/** From a frame to one call of a service, and from its outcome to the answer. */
import {
  type AppError,
  binaryFrame,
  bodyTooLarge,
  chatNotFound,
  internalError,
  notSignedIn,
  tooManyRequests,
  unavailable,
} from '../errors.ts'
import type { Calls } from '../features/calls/service.ts'
import type { Reads } from '../features/chats/reads.ts'
import type { Messages } from '../features/messages/service.ts'
import type { Presence } from '../features/presence/service.ts'
import { toAppError } from '../http/errors.ts'
import type { Log } from '../observability/log.ts'
import type { Counter, Metrics } from '../observability/metrics.ts'
import { type CallFrame, deviceOf, isCallFrame, performCall } from './call-frames.ts'
import { FRAME_TYPES, type Frame, type FrameOf, type FrameRef, parseFrame } from './frames.ts'
import { closeCodes, type Socket } from './socket.ts'

export interface DispatchOptions {
  messages: Messages
  reads: Reads
  presence: Presence
  calls: Calls
  log: Log
  /** A socket shows a token: the first one opens it, later ones of the same session keep it open. */
  authenticate(socket: Socket, token: string): Promise<void>
  /** Frames other than messages of one socket in 10 s; undefined for no limit. */
  frameLimit: number | undefined
  /** Counts one of a user's, over all sockets here. @returns seconds to wait, 0 to go on; undefined for no limit */
  countFrame?: (userId: string) => number
  /** Told of each frame that the limit of its socket refused. */
  onRefused?: () => void
  metrics: Metrics
}

/** Longer frames are refused; the transport itself closes above 1 MiB. */
export const MAX_FRAME_BYTES = 64 * 1024
/** So many faulty frames in 10 s close the socket. */
const MAX_FAULTS = 50
/** Frames of one socket that wait for those before them. */
const MAX_WAITING = 1000

export function createDispatch(options: DispatchOptions) {
  const { messages, reads, presence, calls, log, authenticate, frameLimit, countFrame, onRefused } = options
  const frames = countFrames(options.metrics)

  function answer(socket: Socket, ref: FrameRef, fields: Record<string, unknown> = {}): void {
    if (ref !== undefined) socket.send({ type: 'ack', ref, ...fields })
  }

  function refuse(socket: Socket, ref: FrameRef, fault: AppError): void {
    socket.send({ type: 'error', ...(ref === undefined ? {} : { ref }), status: fault.status, ...fault.toJSON() })
  }

  function fail(socket: Socket, ref: FrameRef, error: unknown): void {
    refuse(socket, ref, toAppError(error) ?? unforeseen(socket, error))
  }

  function unforeseen(socket: Socket, error: unknown): AppError {
    const requestId = Bun.randomUUIDv7()
    log.error('A frame failed', { request_id: requestId, user_id: socket.caller?.userId, error })
    return internalError(requestId)
  }

  /** A frame that is not understood: the sender is told, and closed when it does not stop. */
  function blame(socket: Socket, ref: FrameRef, fault: AppError): void {
    refuse(socket, ref, fault)
    if (socket.faults.hit() >= MAX_FAULTS) socket.close(closeCodes.faulty, 'too many faulty frames')
  }

  function send(socket: Socket, userId: string, frame: FrameOf<'message'>): Promise<unknown> {
    const { ref } = frame
    if (ref === undefined) return messages.send(userId, frame)
    // The acknowledgement goes before the event and with it, in one write.
    return messages.send(userId, frame, ({ json }) => {
      socket.sendWithEvents(`{"type":"ack","ref":${JSON.stringify(ref)},"message":${json}}`)
    })
  }

  async function perform(
    socket: Socket,
    userId: string,
    frame: Exclude<Frame, CallFrame | FrameOf<'message' | 'auth'>>,
  ): Promise<void> {
    const { ref } = frame
    switch (frame.type) {
      case 'ping':
        socket.send({ type: 'pong', timestamp: Math.floor(Date.now() / 1000) })
        return answer(socket, ref)
      case 'typing':
        await presence.type(userId, frame.chat_id)
        return answer(socket, ref)
      case 'read': {
        const mark = await reads.markRead(userId, frame.chat_id, frame.seq)
        return answer(socket, ref, { ...mark })
      }
      case 'join_chat':
        await join(socket, userId, frame.chat_id)
        return answer(socket, ref)
      case 'leave_chat':
        if (socket.joinedChats?.delete(frame.chat_id)) await presence.leaveChat(userId, frame.chat_id)
        return answer(socket, ref)
    }
  }

  async function call(socket: Socket, frame: CallFrame): Promise<void> {
    const device = deviceOf(socket)
    if (!device) throw notSignedIn()
    answer(socket, frame.ref, await performCall(calls, socket, device, frame))
  }

  async function join(socket: Socket, userId: string, chatId: string): Promise<void> {
    if (socket.joinedChats?.has(chatId)) return
    socket.joiningChat = chatId
    const others = await presence.joinChat(userId, chatId)
    const isLost = socket.joiningChat !== chatId
    socket.joiningChat = undefined
    const isTold = others !== undefined
    // Whoever closed the socket or left the chat meanwhile could not take this presence back.
    if (isTold && (isLost || isClosed(socket))) presence.leaveChat(userId, chatId)
    if (isLost) throw chatNotFound()
    if (!isTold || isClosed(socket)) return
    socket.joinedChats ??= new Set()
    socket.joinedChats.add(chatId)
    for (const id of others) socket.send({ type: 'chat_presence', chat_id: chatId, user_id: id, is_joined: true })
  }

  /** Who sent it is asked when its turn comes: the token may be in the frame before. */
  const asUser = (socket: Socket, frame: Frame, act: (userId: string) => Promise<unknown>): Promise<unknown> => {
    const userId = socket.caller?.userId
    if (userId !== undefined) return act(userId).catch((error) => fail(socket, frame.ref, error))
    blame(socket, frame.ref, notSignedIn())
    return Promise.resolve()
  }

  function accept(socket: Socket, frame: Frame): void {
    switch (frame.type) {
      case 'auth': {
        const { ref, token } = frame
        const present = () => authenticate(socket, token).then(() => answer(socket, ref))
        socket.queue.add(() => present().catch((error) => fail(socket, ref, error)))
        break
      }
      case 'message': {
        const start = () => asUser(socket, frame, (userId) => send(socket, userId, frame))
        // A reply is looked up before it is stored: whatever follows waits, or it would overtake.
        if (frame.reply_to_id) socket.queue.add(start)
        else socket.queue.addSend(start)
        break
      }
      default: {
        const act = (userId: string) => (isCallFrame(frame) ? call(socket, frame) : perform(socket, userId, frame))
        socket.queue.add(() => asUser(socket, frame, act))
      }
    }
  }

  /** Messages have a limit of their own. @returns seconds to wait */
  function countOther(socket: Socket): number {
    if (frameLimit !== undefined && socket.frames.hit() > frameLimit) {
      onRefused?.()
      return socket.frames.secondsLeft()
    }
    const userId = socket.caller?.userId
    return userId === undefined ? 0 : (countFrame?.(userId) ?? 0)
  }

  /** Takes one frame of a socket. Never throws. */
  function receive(socket: Socket, text: string): void {
    if (socket.state === 'closed') return
    const parsed = parseFrame(text)
    if ('fault' in parsed) {
      frames.faulty.inc()
      blame(socket, parsed.ref, parsed.fault)
      return
    }
    const { frame } = parsed
    frames[frame.type].inc()
    const retryAfterSeconds = frame.type === 'message' ? 0 : countOther(socket)
    if (retryAfterSeconds > 0) refuse(socket, frame.ref, tooManyRequests(retryAfterSeconds))
    else if (socket.queue.size >= MAX_WAITING) refuse(socket, frame.ref, unavailable('Too many frames are waiting'))
    else accept(socket, frame)
  }

  return {
    frame: receive,
    /** Answers what was not foreseen, and logs it. */
    fail: (socket: Socket, error: unknown) => fail(socket, undefined, error),
    refuseBinary: (socket: Socket) => blame(socket, undefined, binaryFrame()),
    refuseTooLong: (socket: Socket) => blame(socket, undefined, bodyTooLarge(MAX_FRAME_BYTES)),
  }
}

/** A counter for each type, made once. */
function countFrames(metrics: Metrics) {
  const of = metrics.counters('messenger_socket_frames_total', 'Frames that came from clients.', ['type'])
  const types = Object.fromEntries(FRAME_TYPES.map((type) => [type, of(type)])) as Record<Frame['type'], Counter>
  return { ...types, faulty: of('faulty') }
}

const isClosed = (socket: Socket): boolean => socket.state === 'closed'
