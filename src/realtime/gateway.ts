/** The WebSocket itself: who may open one, what happens while it lives, and why it ends. */

import type { Server, ServerWebSocket, WebSocketHandler } from 'bun'
import type { RateLimiter } from '../cache/limiter.ts'
import { AppError, foreignOrigin, notAllowed, tooManyRequests, unavailable, validationFailed } from '../errors.ts'
import type { Authenticate, Caller } from '../features/auth/authenticator.ts'
import type { Presence } from '../features/presence/service.ts'
import { type ClientAddress, limitUnit } from '../http/client-address.ts'
import type { Log } from '../observability/log.ts'
import { createBacklog } from './backlog.ts'
import { deviceOf } from './call-frames.ts'
import { createDispatch, type DispatchOptions, MAX_FRAME_BYTES } from './dispatch.ts'
import type { Fanout } from './fanout.ts'
import { closeCodes, Socket } from './socket.ts'
import { createStrangers } from './strangers.ts'
import { createTidying } from './tidying.ts'

export interface GatewayOptions extends Omit<DispatchOptions, 'authenticate'> {
  fanout: Fanout
  presence: Presence
  authenticate: Authenticate
  /** Which of these sessions are still alive, from the database. */
  listAliveSessions(sessionIds: readonly string[]): Promise<ReadonlySet<string>>
  /** The same of one, as far as this instance knows. */
  isSessionAlive(sessionId: string): Promise<boolean>
  lastSeen: { touch(userId: string): void }
  clientAddress: ClientAddress
  /** Whether a browser on this origin may connect. */
  isOriginAllowed(origin: string, host: string | null): boolean
  limiter: RateLimiter
  /** Openings a minute without a good token, of an address; undefined for no limit. */
  anonymousLimit: number | undefined
  /** Openings a minute of a user; undefined for no limit. */
  openingLimitOf: ((userId: string) => Promise<number>) | undefined
  maxConnections: number
  /** Milliseconds since 1970, by the clock that tokens end by. */
  now: () => number
  log: Log
}

export type Gateway = ReturnType<typeof createGateway>

/** Nobody stays for 5 s: the rest is for an event loop that is busy, and the way to the client. */
const AUTH_WITHIN_MS = 4500
const WARN_BEFORE_SECONDS = 60
const SWEEP_EVERY_MS = 1000
const POLL_SESSIONS_EVERY_MS = 15_000
const BEARER = 'bearer'
const MEBIBYTE = 1024 * 1024
const IDLE_SECONDS = 50
/** Codes that are counted by name: ours, and those of RFC 6455, 7.4.1, for what else happens. Clients may send any. */
const CLOSE_CODES = new Set<number>([...Object.values(closeCodes), 1000, 1005, 1006, 1009])

export function createGateway(options: GatewayOptions) {
  const { fanout, presence, calls, authenticate, log, maxConnections } = options
  const sockets = new Set<Socket>()
  const backlog = createBacklog(sockets)
  const closeLate = (socket: Socket) => socket.close(closeCodes.unauthorized, 'no token came')
  const strangers = createStrangers(AUTH_WITHIN_MS, closeLate)
  const tidying = createTidying(() => Bun.gc(true))
  let isLeaving = false
  let isDraining = false
  const receive = createDispatch({ ...options, authenticate: present })
  const closes = options.metrics.counters('messenger_socket_closes_total', 'Sockets that closed.', ['code'])
  options.metrics.gauge('messenger_sockets', 'Open sockets.', () => sockets.size)

  const sweeper = setInterval(sweep, SWEEP_EVERY_MS)
  const poller = setInterval(() => {
    closeEndedSessions().catch((error) => log.warn('Could not check the sessions of sockets', { error }))
  }, POLL_SESSIONS_EVERY_MS)

  /** A token by frame. @throws AppError 401; 403 when it is another session's */
  async function present(socket: Socket, token: string): Promise<void> {
    const caller = await authenticate(token)
    if (socket.state === 'closed') return
    if (!socket.caller) {
      await countOpening(caller.userId)
      return isClosed(socket) ? undefined : admit(socket, caller)
    }
    const isSame = caller.userId === socket.caller.userId && caller.sessionId === socket.caller.sessionId
    if (!isSame) throw notAllowed('change the session of an open socket')
    socket.caller = caller
    socket.isWarnedOfExpiry = false
  }

  /** Never rejects: a socket that could not be opened is closed, and its client comes again. */
  async function admit(socket: Socket, caller: Caller): Promise<void> {
    try {
      await letIn(socket, caller)
    } catch (error) {
      log.error('A socket could not be opened', { user_id: caller.userId, error })
      socket.close(closeCodes.tryAgain, 'could not be opened')
    }
  }

  async function letIn(socket: Socket, caller: Caller): Promise<void> {
    if (isClosed(socket)) return
    socket.caller = caller
    strangers.forget(socket)
    const heads = await fanout.open(socket, caller.userId)
    // The session may have ended after its token was checked and before this socket could be found and closed.
    const isAlive = await options.isSessionAlive(caller.sessionId)
    if (!isAlive) fanout.endSessions(caller.userId, [caller.sessionId])
    if (!heads || !isAlive || isClosed(socket)) return
    options.lastSeen.touch(caller.userId)
    presence.connected(caller.userId, heads)
    socket.isPresent = true
    // Its frames do not wait for this.
    tellOfInvites(socket, caller.userId)
  }

  async function tellOfInvites(socket: Socket, userId: string): Promise<void> {
    try {
      for (const { event } of await calls.listInvites([userId])) socket.send(event)
    } catch (error) {
      log.error('A socket could not be told who rings', { user_id: userId, error })
      socket.close(closeCodes.tryAgain, 'could not be opened')
    }
  }

  function sweep(): void {
    backlog.relieve()
    tidying.look()
    const now = options.now()
    for (const socket of sockets) {
      socket.tidy()
      const { caller } = socket
      if (!caller) continue
      const secondsLeft = caller.expiresAt - now / 1000
      if (secondsLeft <= 0) socket.close(closeCodes.unauthorized, 'token expired')
      else if (secondsLeft <= WARN_BEFORE_SECONDS && !socket.isWarnedOfExpiry && socket.state === 'open') {
        socket.isWarnedOfExpiry = true
        socket.send({ type: 'token_expiring', expires_in: Math.ceil(secondsLeft) })
      }
    }
  }

  /** Finds sessions that ended where no bus tells: by the operator's command, or while messages were lost. */
  async function closeEndedSessions(): Promise<void> {
    const open = [...sockets].flatMap(({ caller }) => (caller ? [caller] : []))
    if (open.length === 0) return
    const alive = await options.listAliveSessions([...new Set(open.map(({ sessionId }) => sessionId))])
    for (const { userId, sessionId } of open) if (!alive.has(sessionId)) fanout.endSessions(userId, [sessionId])
  }

  function open(ws: ServerWebSocket<Socket>): void {
    const socket = ws.data
    socket.attach(ws)
    sockets.add(socket)
    tidying.noteOpening()
    const { shownCaller } = socket
    if (shownCaller) socket.queue.add(() => admit(socket, shownCaller))
    else strangers.add(socket)
  }

  function message(ws: ServerWebSocket<Socket>, data: string | Buffer): void {
    const socket = ws.data
    try {
      if (typeof data !== 'string') receive.refuseBinary(socket)
      else if (Buffer.byteLength(data) > MAX_FRAME_BYTES) receive.refuseTooLong(socket)
      else receive.frame(socket, data)
    } catch (error) {
      // What a handler of Bun's throws ends the process.
      receive.fail(socket, error)
    }
  }

  function close(ws: ServerWebSocket<Socket>, code: number): void {
    const socket = ws.data
    socket.state = 'closed'
    sockets.delete(socket)
    strangers.forget(socket)
    closes(CLOSE_CODES.has(code) ? String(code) : 'other').inc()
    fanout.close(socket)
    const userId = socket.caller?.userId
    if (userId === undefined) return
    for (const chatId of socket.joinedChats ?? []) presence.leaveChat(userId, chatId)
    if (socket.isPresent) presence.disconnected(userId)
    const device = deviceOf(socket)
    if (device) calls.dropped(device)
  }

  return {
    /** For Bun.serve. */
    websocket: {
      open,
      message,
      close,
      maxPayloadLength: MEBIBYTE,
      backpressureLimit: MEBIBYTE,
      closeOnBackpressureLimit: true,
      // Bun pings an idle socket before that, so a living peer answers and only a dead one goes.
      idleTimeout: IDLE_SECONDS,
      sendPings: true,
      // A socket's own topic is its own: see Socket.sendWithEvents.
      publishToSelf: true,
      // Compressing for each receiver again would cost more than it saves on messages of this size.
      perMessageDeflate: false,
    } satisfies WebSocketHandler<Socket>,

    /**
     * Answers GET /ws. A token comes by `?token=`, `Authorization: Bearer` or `Sec-WebSocket-Protocol: bearer, <token>`;
     * without one the first frame must bring it: a socket without a token is closed before it is 5 s old.
     * @returns undefined when the connection became a socket
     * @throws AppError 400 no handshake, 401, 403 foreign origin, 429, 503 full or stopping
     */
    async upgrade(request: Request, server: Server<Socket>): Promise<undefined> {
      const { headers } = request
      if (headers.get('upgrade')?.toLowerCase() !== 'websocket')
        throw validationFailed({ upgrade: 'must be websocket' })
      const origin = headers.get('origin')
      if (origin !== null && !options.isOriginAllowed(origin, headers.get('host'))) throw foreignOrigin()
      refuseWhenFull()
      const { token, isProtocol } = findToken(request)
      const address = options.clientAddress(headers, server.requestIP(request)?.address)
      if (token === undefined) await countAnonymous(address)
      const socket = new Socket()
      if (token !== undefined) {
        socket.shownCaller = await identify(token, address)
        await countOpening(socket.shownCaller.userId)
      }
      // Others came while this one was looked at.
      refuseWhenFull()
      const answer = isProtocol ? { headers: { 'Sec-WebSocket-Protocol': BEARER } } : {}
      if (!server.upgrade(request, { data: socket, ...answer }))
        throw validationFailed({ upgrade: 'is no valid handshake' })
      return undefined
    },

    /** From now on `isLeaving`, by which proxies turn elsewhere; nothing else changes yet. */
    leave(): void {
      isLeaving = true
    },
    isLeaving: () => isLeaving || isDraining,

    /** Tells every socket to connect again elsewhere. */
    drain(): void {
      isDraining = true
      for (const socket of sockets) socket.close(closeCodes.goingAway, 'server is stopping')
    },

    /** Ends the timers. */
    stop(): void {
      clearInterval(sweeper)
      clearInterval(poller)
      strangers.stop()
    },

    /** So many bytes were sent by publishing, to all sockets that follow the topic together. */
    noteSent: backlog.noteSent,

    /** How many sockets are open. */
    count: () => sockets.size,
  }

  function refuseWhenFull(): void {
    if (isDraining) throw unavailable('The server is stopping')
    if (sockets.size >= maxConnections) throw unavailable('Too many sockets are open', 5)
  }

  /** @throws AppError 401; 429 for an address that tries too many */
  async function identify(token: string, address: string): Promise<Caller> {
    try {
      return await authenticate(token)
    } catch (error) {
      if (error instanceof AppError && error.status === 401) await countAnonymous(address)
      throw error
    }
  }

  async function countAnonymous(address: string): Promise<void> {
    if (options.anonymousLimit !== undefined) await hit(`anonymous:${limitUnit(address)}`, options.anonymousLimit)
  }

  /** Opening asks the database for every chat of the user. */
  async function countOpening(userId: string): Promise<void> {
    const most = await options.openingLimitOf?.(userId)
    if (most !== undefined) await hit(`openings:${most}:${userId}`, most)
  }

  async function hit(key: string, count: number): Promise<void> {
    const retryAfterSeconds = await options.limiter.hit(key, { count, periodSeconds: 60 })
    if (retryAfterSeconds > 0) throw tooManyRequests(retryAfterSeconds)
  }
}

const isClosed = (socket: Socket): boolean => socket.state === 'closed'

/** RFC 6455, 1.9: a browser can set no header but the protocols, so the token may stand there, after `bearer`. */
function findToken(request: Request): { token: string | undefined; isProtocol: boolean } {
  const [scheme, protocolToken] = (request.headers.get('sec-websocket-protocol') ?? '').split(',').map((p) => p.trim())
  if (scheme?.toLowerCase() === BEARER) return { token: protocolToken, isProtocol: true }
  const header = /^bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  return { token: header ?? new URL(request.url).searchParams.get('token') ?? undefined, isProtocol: false }
}
