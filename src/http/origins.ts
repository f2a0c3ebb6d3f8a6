/** Which web pages may use this server from a browser. */
import type { CORSConfig } from '@elysiajs/cors'

/** Uploads in pieces. */
const TUS_REQUEST = ['Tus-Resumable', 'Upload-Length', 'Upload-Metadata', 'Upload-Offset']
const TUS_ANSWER = ['Location', 'Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Upload-Expires']

/** What an answer with a file says of it. */
const FILE_ANSWER = ['Accept-Ranges', 'Content-Disposition', 'Content-Range', 'ETag']

/**
 * Pages of this server's own origin always; others when `allowed` names their origin. `*` lets any page call the REST API
 * without credentials.
 */
export function createOriginPolicy(allowed: readonly string[], publicUrl: string | undefined) {
  const listed = new Set(allowed)
  const isAnyAllowed = listed.has('*')
  const own = publicUrl === undefined ? undefined : new URL(publicUrl).origin

  const isListed = (origin: string) => listed.has(origin) || origin === own
  const cors: CORSConfig = {
    origin: isAnyAllowed ? '*' : (request) => isListed(request.headers.get('origin') ?? ''),
    credentials: !isAnyAllowed,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    allowedHeaders: ['Origin', 'Content-Type', 'Accept', 'Authorization', 'Idempotency-Key', ...TUS_REQUEST],
    exposeHeaders: ['Retry-After', 'X-Request-Id', ...FILE_ANSWER, ...TUS_ANSWER],
    maxAge: 3600,
  }

  return {
    /** Undefined where no page but this server's own may ask: it needs no permission, and others read that in its absence. */
    cors: listed.size > 0 ? cors : undefined,
    /** Cross-Origin-Resource-Policy of files: it cannot name origins. Without it any page could show them by a link. */
    resourcePolicy: isAnyAllowed || listed.size > 0 ? ('cross-origin' as const) : ('same-origin' as const),
    /** For the WebSocket, which CORS does not cover. `host` is the Host header. */
    isAllowed: (origin: string, host: string | null): boolean =>
      isAnyAllowed || isListed(origin) || (host !== null && URL.canParse(origin) && new URL(origin).host === host),
  }
}
