/** Cross-origin requests of web pages, by the CORS protocol (https://fetch.spec.whatwg.org/#http-cors-protocol). */
import { Elysia } from 'elysia'
import type { OriginPolicy } from './origins.ts'

/** Uploads in pieces. */
const TUS_REQUEST = ['Tus-Resumable', 'Upload-Length', 'Upload-Metadata', 'Upload-Offset']
const TUS_ANSWER = ['Location', 'Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Upload-Expires']

/** What an answer with a file says of it. */
const FILE_ANSWER = ['Accept-Ranges', 'Content-Disposition', 'Content-Range', 'ETag']

const MAY_SEND = ['Origin', 'Content-Type', 'Accept', 'Authorization', 'Idempotency-Key', ...TUS_REQUEST].join(', ')
const MAY_READ = ['Retry-After', 'X-Request-Id', ...FILE_ANSWER, ...TUS_ANSWER].join(', ')
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
const REMEMBER_SECONDS = '3600'

/** Mount it before every route. Only who is allowed is told anything; what only a preflight asks, only it is told. */
export function cors({ isAnyAllowed, isListed }: Pick<OriginPolicy, 'isAnyAllowed' | 'isListed'>) {
  // Not async, and it calls nothing where it returns: Elysia would await it, in every request.
  return new Elysia({ name: 'cors' }).onRequest(({ request, set: { headers } }) => {
    const origin = request.headers.get('origin')
    const isAllowed = isAnyAllowed || (origin !== null && isListed(origin))
    const isPreflight = request.method === 'OPTIONS'
    // Another origin may be answered otherwise, and a cache has to know.
    if (!isAnyAllowed) headers.vary = 'Origin'
    if (isAllowed) {
      headers['access-control-allow-origin'] = isAnyAllowed ? '*' : (origin ?? '')
      if (!isAnyAllowed) headers['access-control-allow-credentials'] = 'true'
      if (isPreflight) {
        headers['access-control-allow-methods'] = METHODS
        headers['access-control-allow-headers'] = MAY_SEND
        headers['access-control-max-age'] = REMEMBER_SECONDS
      } else headers['access-control-expose-headers'] = MAY_READ
    }
    if (isPreflight) return new Response(null, { status: 204 })
    return undefined
  })
}
