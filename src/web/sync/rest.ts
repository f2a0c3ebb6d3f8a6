/** REST: one request and its answer, signed, tried again where the server asks for it. */
import type { Clock, Http } from './ports.ts'
import type { Failure } from './wire.ts'

/** What the server answered that is no success. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  constructor(
    /** The HTTP status, for refused frames too. */
    readonly status: number,
    { error, details }: Failure,
  ) {
    super(error)
    this.details = details ?? {}
  }
  /** For 400 and 409 by field; `retry_after` seconds for 429 and 503. */
  readonly details: Record<string, unknown>
  /** Seconds; undefined when trying again helps nothing. */
  get retryAfter(): number | undefined {
    const { retry_after } = this.details
    if (typeof retry_after === 'number') return retry_after
    return this.status >= 500 || this.status === 408 ? 1 : undefined
  }
}

/** No answer came. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
}

export type Call = <T>(method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<T>

/** Where a request gets its token; see session.ts. */
export interface TokenSource {
  /** @param stale one that the server has just refused */
  token(stale?: string): Promise<string>
}

/** Reading may wait so long for its turn before it is given up. */
const MAX_PATIENCE_MS = 5000
const MAX_TRIES = 3

export function createRest({ serverUrl, http, clock }: { serverUrl: string; http: Http; clock: Clock }) {
  async function once<T>(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<T> {
    const answer = await http(`${serverUrl}/api/v1${path}`, {
      method,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    }).catch((cause) => {
      throw new NetworkError(`${method} ${path}`, { cause })
    })
    const text = await answer.text().catch((cause) => {
      throw new NetworkError(`${method} ${path}`, { cause })
    })
    return read<T>(answer.status, text)
  }

  /** Without a token. */
  const anonymous: Call = (method, path, body, headers = {}) => once(method, path, body, headers)

  return {
    anonymous,

    /** With the token of `source`; a refused one is renewed once. Reading is tried again when the server has no time. */
    signedBy(source: TokenSource): Call {
      async function signed<T>(method: string, path: string, body: unknown, headers: Record<string, string>) {
        const token = await source.token()
        const send = (with_: string) => once<T>(method, path, body, { ...headers, authorization: `Bearer ${with_}` })
        try {
          return await send(token)
        } catch (error) {
          if (!(error instanceof ApiError) || error.status !== 401) throw error
          return send(await source.token(token))
        }
      }
      return async (method, path, body, headers = {}) => {
        for (let tries = 1; ; tries++) {
          try {
            return await signed(method, path, body, headers)
          } catch (error) {
            const waitMs = error instanceof ApiError ? (error.retryAfter ?? Number.POSITIVE_INFINITY) * 1000 : 0
            const isWorthIt = method === 'GET' && waitMs > 0 && waitMs <= MAX_PATIENCE_MS && tries < MAX_TRIES
            if (!isWorthIt) throw error
            await new Promise<void>((resolve) => clock.after(waitMs, resolve))
          }
        }
      }
    },
  }
}

/** @throws ApiError; NetworkError for what did not come from this server (a proxy's page) */
export function read<T>(status: number, text: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    if (status < 500) throw new NetworkError(`An answer of ${status} that is no JSON`, { cause })
    value = { error: `The server answered ${status}`, details: {} }
  }
  if (status >= 200 && status < 300) return value as T
  throw new ApiError(status, value as Failure)
}
