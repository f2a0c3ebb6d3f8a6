/**
 * Who may pass: a route says `signedIn: true`, `signedInWithPicture: true`, `streams: true`, `mayBeSignedIn: true` or `anonymous: true`, and its handler
 * learns who calls.
 */
import { Elysia } from 'elysia'
import type { RateLimiter } from '../../cache/limiter.ts'
import { AppError, notSignedIn, tooManyRequests } from '../../errors.ts'
import { type ClientAddress, limitUnit } from '../../http/client-address.ts'
import type { Client } from '../users/model.ts'
import type { Authenticate, Caller } from './authenticator.ts'

export interface GuardDeps {
  authenticate: Authenticate
  limiter: RateLimiter
  /** Requests a minute of an address without a token. `isOn: false` counts nothing, of users neither. */
  limits: { isOn: boolean; anonymous: number }
  /** Requests a minute of a user; asked at each. */
  apiLimitOf: (userId: string) => number | Promise<number>
  clientAddress: ClientAddress
  lastSeen: { touch(userId: string): void }
  /** Reads the body of those who may pass; Elysia's own parser does without it. Parsers of the app come before the guard. */
  readBody?: (request: Request) => Promise<unknown>
  /** The same for `signedInWithPicture`, whose body may hold one; without it they are read as all others. */
  readLargeBody?: (request: Request) => Promise<unknown>
}

export type Guard = ReturnType<typeof createGuard>

// Types, not interfaces: Elysia takes only what has an index signature.
type Anonymous = {
  /** For the audit log: the address and the browser or app. */
  client: Client
}
type SignedIn = Anonymous & { userId: string; sessionId: string }
type MayBeSignedIn = { userId: string | undefined }
interface Listener {
  requestIP(request: Request): { address: string } | null
}

const MAX_USER_AGENT = 512
const PERIOD_SECONDS = 60
const MAX_TOKENS = 10_000
// RFC 9110, 11.1: the scheme's case does not matter.
const BEARER = /^bearer +(\S+)$/i

export function createGuard(deps: GuardDeps) {
  const {
    authenticate,
    limiter,
    limits,
    apiLimitOf,
    clientAddress,
    lastSeen,
    readBody,
    readLargeBody = readBody,
  } = deps

  /**
   * By the header, tokens of living sessions: a client sends the same one over and over, and to cut it out costs more than
   * all that is asked of it. What it is worth is asked each time.
   */
  const tokens = new Map<string, string>()

  /** Null until somebody listens: a request that is handled without has no address. */
  let listener: Listener | null = null

  const clientOf = ({ headers }: Request, peer: string | undefined): Client => {
    const userAgent = headers.get('user-agent')?.replaceAll('\0', '').slice(0, MAX_USER_AGENT).toWellFormed()
    // A zone (fe80::1%eth0) means something on this machine only.
    return { address: clientAddress(headers, peer).replace(/%.*$/, ''), userAgent: userAgent ?? null }
  }
  const lookUp = (request: Request): Client => clientOf(request, listener?.requestIP(request)?.address)

  /**
   * Who changes something is looked up before the body comes: they may be gone afterwards. Who only reads is looked up
   * when somebody asks, which is next to never.
   */
  const noteClient = (request: Request): Client =>
    request.method === 'GET' || request.method === 'HEAD' ? new Reader(request, lookUp) : lookUp(request)

  // Each of these has an answer at once when there is nobody to ask; a refusal always comes as a promise that rejects.

  const count = (key: string, most: number): Promise<void> | undefined => {
    const judge = (retryAfterSeconds: number) =>
      retryAfterSeconds > 0 ? Promise.reject(tooManyRequests(retryAfterSeconds)) : undefined
    const answer = limiter.hit(key, { count: most, periodSeconds: PERIOD_SECONDS })
    return typeof answer === 'number' ? judge(answer) : answer.then(judge)
  }

  const countOf = (userId: string): Promise<void> | undefined => {
    // By limit: whoever just bought a higher one has all of it, whatever they used up before.
    const countUpTo = (most: number) => count(`api:${most}:${userId}`, most)
    const most = apiLimitOf(userId)
    return typeof most === 'number' ? countUpTo(most) : most.then(countUpTo)
  }

  const countAnonymous = async (request: Request) => {
    if (limits.isOn) await count(`anonymous:${limitUnit(lookUp(request).address)}`, limits.anonymous)
  }

  const refuse = async (error: unknown, request: Request): Promise<never> => {
    // Whoever shows what is no token of a living session is nobody yet, and nobody may ask for ever.
    if (error instanceof AppError && error.status === 401) await countAnonymous(request)
    throw error
  }

  const identify = (header: string, request: Request): Caller | Promise<Caller> => {
    const known = tokens.get(header)
    const token = known ?? tokenIn(header)
    if (token === undefined) return refuse(notSignedIn(), request)
    const caller = authenticate(token)
    if (caller instanceof Promise) return caller.catch((error) => refuse(error, request))
    if (known === undefined) noteToken(header, token)
    return caller
  }

  const noteToken = (header: string, token: string) => {
    // With one blank, as clients write it: nobody fills the memory with blanks.
    if (header.length > 'Bearer '.length + token.length) return
    if (tokens.size >= MAX_TOKENS) for (const oldest of tokens.keys().take(1)) tokens.delete(oldest)
    tokens.set(header, token)
  }

  const signIn = (request: Request): SignedIn | Promise<SignedIn> => {
    const caller = identify(headerOf(request), request)
    return caller instanceof Promise ? caller.then((known) => admit(known, request)) : admit(caller, request)
  }

  const admit = ({ userId, sessionId }: Caller, request: Request): SignedIn | Promise<SignedIn> => {
    const welcome = () => {
      lastSeen.touch(userId)
      return { userId, sessionId, client: noteClient(request) }
    }
    const counting = limits.isOn ? countOf(userId) : undefined
    return counting ? counting.then(welcome) : welcome()
  }

  /** For files: what they are opened by otherwise is their own affair, and no limit counts them. */
  const letIn = async (request: Request): Promise<MayBeSignedIn> => {
    const header = headerOf(request)
    if (tokenIn(header) === undefined) return { userId: undefined }
    const { userId } = await identify(header, request)
    lastSeen.touch(userId)
    return { userId }
  }

  const pass = async (request: Request): Promise<Anonymous> => {
    await countAnonymous(request)
    return { client: lookUp(request) }
  }

  const guard = new Elysia({ name: 'guard' })
  // A stage that names `server` has Elysia define it on the context of each request.
  guard.onStart(({ server }) => {
    listener = server
  })
  return guard.macro({
    signedIn: { ...checkpoint(signIn, readBody), detail: { security: [{ bearer: [] }] } },
    /** Signed in; the body may be larger than others. */
    signedInWithPicture: { ...checkpoint(signIn, readLargeBody), detail: { security: [{ bearer: [] }] } },
    /** Signed in; the handler reads the body itself, as it comes. */
    streams: { ...checkpoint(signIn, leaveBody), detail: { security: [{ bearer: [] }] } },
    anonymous: checkpoint(pass, readBody),
    mayBeSignedIn: { ...checkpoint(letIn, readBody), detail: { security: [{ bearer: [] }, {}] } },
  })
}

/** Whoever only reads: looked up when somebody asks. */
class Reader implements Client {
  constructor(
    private readonly request: Request,
    private readonly lookUp: (request: Request) => Client,
  ) {}

  get address(): string {
    return this.lookUp(this.request).address
  }

  get userAgent(): string | null {
    return this.lookUp(this.request).userAgent
  }
}

const headerOf = ({ headers }: Request): string => headers.get('authorization') ?? ''

const tokenIn = (header: string): string | undefined => BEARER.exec(header)?.[1]

/** Something has to be there, else Elysia's own parser reads it. */
const leaveBody = () => Promise.resolve({})

/**
 * The stages in which `admit` decides before anything else, once a request. A macro's `resolve` alone would run after
 * validation: strangers would be told what is wrong with their body. Each stage names what it takes: for one that takes
 * all, Elysia reads headers, cookies and the query of every request.
 */
function checkpoint<Pass extends Record<string, unknown>>(
  admit: (request: Request) => Pass | Promise<Pass>,
  readBody: GuardDeps['readBody'],
) {
  const outcomes = new WeakMap<Request, Pass | Promise<Pass>>()
  const outcomeOf = (request: Request) => {
    const known = outcomes.get(request)
    if (known) return known
    const outcome = admit(request)
    outcomes.set(request, outcome)
    return outcome
  }
  const settle = (request: Request): Promise<void> | undefined => {
    const outcome = outcomeOf(request)
    if (!(outcome instanceof Promise)) return undefined
    return outcome.then((passed) => void outcomes.set(request, passed))
  }
  return {
    /** Runs only where there may be a body. A refusal thrown here would become a fault of the body, so it waits. */
    async parse({ request }: { request: Request }): Promise<unknown> {
      const isAdmitted = await Promise.resolve(outcomeOf(request)).then(
        () => true,
        () => false,
      )
      // An empty body in its place: a stranger's is not even read.
      return isAdmitted ? readBody?.(request) : {}
    },
    // Elysia waits for a stage that is `async` or returns a call, by its text. Where nobody waits, nobody passes.
    transform({ request, set }: { request: Request; set: { headers: Record<string, unknown> } }) {
      // RFC 9111, 5.2.2.5: what is meant for one user, tokens above all, is kept by no cache.
      set.headers['cache-control'] = 'no-store'
      return settle(request)
    },
    resolve({ request }: { request: Request }): Pass {
      const passed = outcomes.get(request)
      if (!passed || passed instanceof Promise) throw new Error('Nobody decided whether this request may pass')
      return passed
    },
  }
}
