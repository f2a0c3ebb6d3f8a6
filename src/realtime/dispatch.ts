/** From a frame to one call of a service, and from its outcome to the answer. */
import { type AppError, binaryFrame, bodyTooLarge, internalError, notSignedIn, tooManyRequests } from '../errors.ts'
import type { Reads } from '../features/chats/reads.ts'
import type { Messages } from '../features/messages/service.ts'
import type { Presence } from '../features/presence/service.ts'
import { toAppError } from '../http/errors.ts'
import type { Log } from '../observability/log.ts'
import { type Frame, type FrameOf, type FrameRef, parseFrame } from './frames.ts'
import { closeCodes, type Socket } from './socket.ts'

export interface DispatchOptions {
  messages: Messages
  reads: Reads
  presence: Presence
  log: Log
  /** A socket shows a token: the first one opens it, later ones of the same session keep it open. */
  authenticate(socket: Socket, token: string): Promise<void>
  /** Frames other than messages of one socket in 10 s; undefined for no limit. */
  frameLimit: number | undefined
}

/** Longer frames are refused; the transport itself closes above 1 MiB. */
export const MAX_FRAME_BYTES = 64 * 1024
/** So many faulty frames in 10 s close the socket. */
const MAX_FAULTS = 50

export type Dispatch = ReturnType<typeof createDispatch>

export function createDispatch(options: DispatchOptions) {
  const { messages, reads, presence, log, authenticate, frameLimit } = options

  function answer(socket: Socket, ref: FrameRef, fields: Record<string, unknown> = {}): void {
    if (ref !== undefined) socket.send({ type: 'ack', ref, ...fields })
  }

  function refuse(socket: Socket, ref: FrameRef, fault: AppError): void {
    socket.send({ type: 'error', ...(ref === undefined ? {} : { ref }), ...fault.toJSON() })
  }

  function fail(socket: Socket, ref: FrameRef, error: unknown): void {
    const known = toAppError(error)
    if (known) return refuse(socket, ref, known)
    const requestId = Bun.randomUUIDv7()
    log.error('A frame failed', { request_id: requestId, user_id: socket.caller?.userId, error })
    refuse(socket, ref, internalError(requestId))
  }

  /** A frame that is not understood: the sender is told, and closed when it does not stop. */
  function blame(socket: Socket, ref: FrameRef, fault: AppError): void {
    refuse(socket, ref, fault)
    if (socket.faults.hit() >= MAX_FAULTS) socket.close(closeCodes.faulty, 'too many faulty frames')
  }

  function send(socket: Socket, userId: string, frame: FrameOf<'message'>): Promise<void> {
    const { ref } = frame
    return messages.send(userId, frame).then(
      ({ json }) => {
        if (ref !== undefined) socket.sendText(`{"type":"ack","ref":${JSON.stringify(ref)},"message":${json}}`)
      },
      (error) => fail(socket, ref, error),
    )
  }

  async function perform(
    socket: Socket,
    userId: string,
    frame: Exclude<Frame, FrameOf<'message' | 'auth'>>,
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
        if (socket.joinedChats?.delete(frame.chat_id)) presence.leaveChat(userId, frame.chat_id)
        return answer(socket, ref)
    }
  }

  async function join(socket: Socket, userId: string, chatId: string): Promise<void> {
    if (socket.joinedChats?.has(chatId)) return
    const others = await presence.joinChat(userId, chatId)
    // The socket may have closed meanwhile: then nobody else would take the presence back.
    if (socket.state === 'closed') return presence.leaveChat(userId, chatId)
    socket.joinedChats ??= new Set()
    socket.joinedChats.add(chatId)
    for (const id of others) socket.send({ type: 'chat_presence', chat_id: chatId, user_id: id, is_joined: true })
  }

  /** Takes one frame of a socket. Never throws. */
  function receive(socket: Socket, text: string): void {
    if (socket.state === 'closed') return
    const parsed = parseFrame(text)
    if ('fault' in parsed) return blame(socket, parsed.ref, parsed.fault)
    const { frame } = parsed

    if (frame.type === 'auth') {
      return socket.queue.add(() =>
        authenticate(socket, frame.token).then(
          () => answer(socket, frame.ref),
          (error) => fail(socket, frame.ref, error),
        ),
      )
    }
    const userId = socket.caller?.userId
    if (userId === undefined) return blame(socket, frame.ref, notSignedIn())

    if (frame.type === 'message') {
      const start = () => send(socket, userId, frame)
      // A reply is looked up before it is stored: whatever follows waits, or it would overtake.
      return frame.reply_to_id ? socket.queue.add(start) : socket.queue.addSend(start)
    }
    const isTooMuch = frameLimit !== undefined && socket.frames.hit() > frameLimit
    if (isTooMuch) return refuse(socket, frame.ref, tooManyRequests(socket.frames.secondsLeft()))
    socket.queue.add(() => perform(socket, userId, frame).catch((error) => fail(socket, frame.ref, error)))
  }

  return {
    frame: receive,
    refuseBinary: (socket: Socket) => blame(socket, undefined, binaryFrame()),
    refuseTooLong: (socket: Socket) => blame(socket, undefined, bodyTooLarge(MAX_FRAME_BYTES)),
  }
}
