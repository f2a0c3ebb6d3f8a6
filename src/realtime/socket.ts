/** One open WebSocket and all the server knows of it. */
import type { ServerWebSocket } from 'bun'
import type { Caller } from '../features/auth/authenticator.ts'
import { FixedWindow } from './fixed-window.ts'
import { FrameQueue } from './frame-queue.ts'

/** Why the server closes a socket. 4400 and above are ours; the others are of RFC 6455, 7.4.1. */
export const closeCodes = {
  /** The server stops: connect again. */
  goingAway: 1001,
  /** Something here is away: connect again later (IANA: Try Again Later). */
  tryAgain: 1013,
  /** Too many faulty frames: mend the client before connecting again. */
  faulty: 4400,
  /** Not signed in, or not any more: get a token before connecting again. */
  unauthorized: 4401,
  /** The user has newer ones, too many of them: connect again when somebody looks, not by yourself. */
  crowdedOut: 4409,
} as const

export type SocketState = 'unauthenticated' | 'opening' | 'open' | 'closed'

export class Socket {
  state: SocketState = 'unauthenticated'
  caller: Caller | undefined
  /** Shown at the handshake. */
  shownCaller: Caller | undefined
  /** Counted as online. */
  isPresent = false
  /** Frames of events that came while the socket was opening. */
  held: string[] | undefined
  /** Milliseconds of performance.now(). */
  readonly openedAt = performance.now()
  isWarnedOfExpiry = false
  /** Chats this socket said it is looking at. */
  joinedChats: Set<string> | undefined
  /** The chat of a `join_chat` under way: frames of one socket are taken one at a time. */
  joiningChat: string | undefined
  private ws: ServerWebSocket<Socket> | undefined
  private ownTopic: string | undefined
  // Made when they are needed first: most sockets only listen.
  private ownQueue: FrameQueue | undefined
  private ownId: string | undefined
  private ownFrames: FixedWindow | undefined
  private ownFaults: FixedWindow | undefined

  /** Names it among all sockets of all instances. */
  get id(): string {
    this.ownId ??= crypto.randomUUID()
    return this.ownId
  }

  get queue(): FrameQueue {
    this.ownQueue ??= new FrameQueue()
    return this.ownQueue
  }

  /** Forgets what it can make again. */
  tidy(): void {
    if (this.ownQueue?.isIdle) this.ownQueue = undefined
  }

  get frames(): FixedWindow {
    this.ownFrames ??= new FixedWindow(10_000)
    return this.ownFrames
  }

  get faults(): FixedWindow {
    this.ownFaults ??= new FixedWindow(10_000)
    return this.ownFaults
  }

  attach(ws: ServerWebSocket<Socket>): void {
    this.ws = ws
  }

  /** A finished frame; it is lost without a word when the socket has gone. */
  sendText(frame: string): void {
    this.ws?.send(frame)
  }

  /**
   * A finished frame that goes out at the end of this turn, in one write with the events of the turn, or before whatever
   * else is sent: the order is that of the calls. It costs a topic of its own, so only those have one who use it.
   */
  sendWithEvents(frame: string): void {
    if (!this.ownTopic) {
      this.ownTopic = `socket:${this.id}`
      this.ws?.subscribe(this.ownTopic)
    }
    this.ws?.publish(this.ownTopic, frame)
  }

  send(frame: Record<string, unknown>): void {
    this.sendText(JSON.stringify(frame))
  }

  /** An event for this socket: sent, or held while it opens. */
  deliver(frame: string): void {
    if (this.state === 'open') this.sendText(frame)
    else if (this.state === 'opening') this.hold(frame)
  }

  private hold(frame: string): void {
    this.held ??= []
    this.held.push(frame)
  }

  follow(topic: string): void {
    this.ws?.subscribe(topic)
  }

  unfollow(topic: string): void {
    this.ws?.unsubscribe(topic)
  }

  /** The user is out of the chat. @returns whether this socket looked at it */
  loseChat(chatId: string): boolean {
    if (this.joiningChat === chatId) this.joiningChat = undefined
    return this.joinedChats?.delete(chatId) ?? false
  }

  /** What was sent and the client has not taken yet, in this process. */
  waitingBytes(): number {
    return this.ws?.getBufferedAmount() ?? 0
  }

  /** Without a close frame, for which there is no way to the client: it sees 1006. */
  cutOff(): void {
    this.ws?.terminate()
  }

  close(code: number, reason: string): void {
    this.ws?.close(code, reason)
  }
}
