/**
 * The socket: opened, kept open, opened again. A socket that died without a word (after sleep, on another network) is
 * found by a ping that nobody answers.
 */
import type { OpenedSocket, Ports } from './ports.ts'
import { ApiError, type TokenSource } from './rest.ts'
import type { LinkStatus } from './state.ts'
import type { ServerFrame } from './wire.ts'

export interface LinkOptions {
  ports: Pick<Ports, 'clock' | 'openSocket' | 'random' | 'serverUrl' | 'signals'>
  tokens: TokenSource
  onFrame(frame: ServerFrame): void
  onStatus(status: LinkStatus): void
}

const PONG_MS = 2000
/** Nothing was heard for so long: is somebody there? */
const SILENCE_MS = 30_000
const HANDSHAKE_MS = 10_000
const MAX_WAIT_MS = 30_000
/** After a socket that lived so long the next failure counts as the first. */
const HEALTHY_MS = 10_000
/** The server's word for: not signed in, or not any more. */
const UNAUTHORIZED = 4401
const FAULTY = 4400
/** Of too many sockets of this user. */
const CROWDED_OUT = 4409

export type Link = ReturnType<typeof createLink>

export function createLink({ ports, tokens, onFrame, onStatus }: LinkOptions) {
  const { clock, openSocket, random, signals } = ports
  const socketUrl = `${ports.serverUrl.replace(/^http/, 'ws')}/ws`
  let isWanted = false
  let isOpen = false
  let socket: OpenedSocket | undefined
  /** Counts sockets: what an earlier one says is not heard. */
  let generation = 0
  let token: string | undefined
  let failures = 0
  let openedAt = 0
  let heardAt = 0
  let stale: string | undefined
  const timers = new Map<string, () => void>()

  function later(name: string, ms: number, act: () => void): void {
    timers.get(name)?.()
    timers.set(name, clock.after(ms, act))
  }
  function cancel(...names: string[]): void {
    for (const name of names) {
      timers.get(name)?.()
      timers.delete(name)
    }
  }

  async function connect(): Promise<void> {
    if (!isWanted) return
    drop()
    if (!signals.isOnline()) return onStatus('offline')
    onStatus('connecting')
    const mine = generation
    try {
      token = await tokens.token(stale)
      stale = undefined
    } catch (error) {
      const isOver = error instanceof ApiError && error.status === 401
      if (mine === generation && !isOver) retryLater()
      return
    }
    if (mine !== generation) return
    later('handshake', HANDSHAKE_MS, () => fail(mine, 1006))
    socket = openSocket(socketUrl, ['bearer', token], {
      onOpen: () => {},
      onText: (text) => mine === generation && hear(JSON.parse(text) as ServerFrame),
      onClose: (code) => fail(mine, code),
    })
  }

  /** Forgets the socket, whatever becomes of it. */
  function drop(): void {
    generation++
    isOpen = false
    cancel('handshake', 'pong', 'silence', 'retry')
    socket?.close()
    socket = undefined
  }

  function fail(which: number, code: number): void {
    if (which !== generation) return
    const wasOpen = isOpen
    drop()
    if (wasOpen && clock.now() - openedAt > HEALTHY_MS) failures = 0
    // A browser does not tell why a handshake failed: now and then it is asked whether the session lives.
    const isSuspect = code === UNAUTHORIZED || (!wasOpen && failures % 2 === 1)
    if (isSuspect) stale = token
    if (code === FAULTY || code === CROWDED_OUT) failures = Math.max(failures, 5)
    retryLater()
  }

  /** All clients of a server that went away come back within some seconds, not in one moment. */
  function retryLater(): void {
    const most = Math.min(MAX_WAIT_MS, 1000 * 1.5 ** failures++)
    onStatus(signals.isOnline() ? 'connecting' : 'offline')
    later('retry', most * (0.25 + 0.75 * random.fraction()), () => void connect())
  }

  function hear(frame: ServerFrame): void {
    heardAt = clock.now()
    cancel('pong')
    if (frame.type === 'user_chats') {
      cancel('handshake')
      isOpen = true
      openedAt = heardAt
      onStatus('open')
      watchSilence()
    } else if (frame.type === 'token_expiring') void renew()
    onFrame(frame)
  }

  async function renew(): Promise<void> {
    const mine = generation
    const fresh = await tokens.token(token).catch(() => undefined)
    if (fresh === undefined || mine !== generation) return
    token = fresh
    send({ type: 'auth', token: fresh })
  }

  function watchSilence(): void {
    later('silence', SILENCE_MS, () => {
      if (clock.now() - heardAt >= SILENCE_MS) probe()
      watchSilence()
    })
  }

  function send(frame: Record<string, unknown>): boolean {
    if (!isOpen || !socket) return false
    socket.send(JSON.stringify(frame))
    return true
  }

  /** No answer in 2 s: a new socket. */
  function probe(): void {
    if (!send({ type: 'ping' })) return
    later('pong', PONG_MS, () => {
      failures = 0
      void connect()
    })
  }

  return {
    start(): void {
      if (isWanted) return
      isWanted = true
      void connect()
    },

    stop(): void {
      isWanted = false
      drop()
      failures = 0
    },

    /** The network changed, the page came back, the machine woke. */
    wake(): void {
      if (!isWanted) return
      if (isOpen) probe()
      else failures = 0
      // One that is on its way has its own time.
      if (!socket) void connect()
    },

    /** @returns false when there is no open socket */
    send,
    probe,
  }
}
