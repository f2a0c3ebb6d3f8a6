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
interface Arrival {
  request: Request
  server: { requestIP(request: Request): { address: string } | null } | null
}

const MAX_USER_AGENT = 512
const PERIOD_SECONDS = 60
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

  const clientOf = ({ request, server }: Arrival): Client => {
    const address = clientAddress(request.headers, server?.requestIP(request)?.address)
    const userAgent = request.headers.get('user-agent')?.replaceAll('\0', '').slice(0, MAX_USER_AGENT).toWellFormed()
    // A zone (fe80::1%eth0) means something on this machine only.
    return { address: address.replace(/%.*$/, ''), userAgent: userAgent ?? null }
  }

  /**
   * Who changes something is looked up before the body comes: they may be gone afterwards. Who only reads is looked up
   * when somebody asks, which is next to never.
   */
  const noteClient = (arrival: Arrival): Client => {
    const isReading = arrival.request.method === 'GET' || arrival.request.method === 'HEAD'
    if (!isReading) return clientOf(arrival)
    return {
      get address() {
        return clientOf(arrival).address
      },
      get userAgent() {
        return clientOf(arrival).userAgent
      },
    }
  }

  const count = async (key: string, most: number) => {
    const retryAfterSeconds = await limiter.hit(key, { count: most, periodSeconds: PERIOD_SECONDS })
    if (retryAfterSeconds > 0) throw tooManyRequests(retryAfterSeconds)
  }

  const countOf = async (userId: string) => {
    const most = await apiLimitOf(userId)
    // By limit: whoever just bought a higher one has all of it, whatever they used up before.
    await count(`api:${most}:${userId}`, most)
  }

  const countAnonymous = async (arrival: Arrival) => {
    if (limits.isOn) await count(`anonymous:${limitUnit(clientOf(arrival).address)}`, limits.anonymous)
  }

  const refuse = async (error: unknown, arrival: Arrival): Promise<never> => {
    // Whoever shows what is no token of a living session is nobody yet, and nobody may ask for ever.
    if (error instanceof AppError && error.status === 401) await countAnonymous(arrival)
    throw error
  }

  const identify = (token: string | undefined, arrival: Arrival): Caller | Promise<Caller> => {
    if (token === undefined) return refuse(notSignedIn(), arrival)
    const caller = authenticate(token)
    return caller instanceof Promise ? caller.catch((error) => refuse(error, arrival)) : caller
  }

  const signIn = async (arrival: Arrival): Promise<SignedIn> => {
    const caller = identify(tokenOf(arrival), arrival)
    // A known caller waits for nothing.
    const { userId, sessionId } = caller instanceof Promise ? await caller : caller
    if (limits.isOn) await countOf(userId)
    lastSeen.touch(userId)
    return { userId, sessionId, client: noteClient(arrival) }
  }

  /** For files: what they are opened by otherwise is their own affair, and no limit counts them. */
  const letIn = async (arrival: Arrival): Promise<MayBeSignedIn> => {
    const token = tokenOf(arrival)
    if (token === undefined) return { userId: undefined }
    const { userId } = await identify(token, arrival)
    lastSeen.touch(userId)
    return { userId }
  }

  const pass = async (arrival: Arrival): Promise<Anonymous> => {
    await countAnonymous(arrival)
    return { client: clientOf(arrival) }
  }

  return new Elysia({ name: 'guard' }).macro({
    signedIn: { ...checkpoint(signIn, readBody), detail: { security: [{ bearer: [] }] } },
    /** Signed in; the body may be larger than others. */
    signedInWithPicture: { ...checkpoint(signIn, readLargeBody), detail: { security: [{ bearer: [] }] } },
    /** Signed in; the handler reads the body itself, as it comes. */
    streams: { ...checkpoint(signIn, leaveBody), detail: { security: [{ bearer: [] }] } },
    anonymous: checkpoint(pass, readBody),
    mayBeSignedIn: { ...checkpoint(letIn, readBody), detail: { security: [{ bearer: [] }, {}] } },
  })
}

const tokenOf = ({ request }: Arrival): string | undefined =>
  BEARER.exec(request.headers.get('authorization') ?? '')?.[1]

/** Something has to be there, else Elysia's own parser reads it. */
const leaveBody = () => Promise.resolve({})

/**
 * The stages in which `admit` decides before anything else, once a request. A macro's `resolve` alone would run after
 * validation: strangers would be told what is wrong with their body. Each stage names what it takes: for one that takes
 * all, Elysia reads headers, cookies and the query of every request.
 */
function checkpoint<Pass extends Record<string, unknown>>(
  admit: (arrival: Arrival) => Promise<Pass>,
  readBody: GuardDeps['readBody'],
) {
  const outcomes = new WeakMap<Request, Promise<Pass>>()
  const outcomeOf = (arrival: Arrival) => {
    const known = outcomes.get(arrival.request)
    if (known) return known
    const outcome = admit(arrival)
    outcomes.set(arrival.request, outcome)
    return outcome
  }
  return {
    /** Runs only where there may be a body. A refusal thrown here would become a fault of the body, so it waits. */
    async parse({ request, server }: Arrival): Promise<unknown> {
      const isAdmitted = await outcomeOf({ request, server }).then(
        () => true,
        () => false,
      )
      // An empty body in its place: a stranger's is not even read.
      return isAdmitted ? readBody?.(request) : {}
    },
    async transform({ request, server, set }: Arrival & { set: { headers: Record<string, unknown> } }): Promise<void> {
      // RFC 9111, 5.2.2.5: what is meant for one user, tokens above all, is kept by no cache.
      set.headers['cache-control'] = 'no-store'
      await outcomeOf({ request, server })
    },
    resolve: ({ request, server }: Arrival): Promise<Pass> => outcomeOf({ request, server }),
  }
}
