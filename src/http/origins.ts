/** Which web pages may use this server from a browser. */
import type { CORSConfig } from '@elysiajs/cors'

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
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    allowedHeaders: ['Origin', 'Content-Type', 'Accept', 'Authorization'],
    exposeHeaders: ['Retry-After', 'X-Request-Id'],
    maxAge: 3600,
  }

  return {
    cors,
    /** For the WebSocket, which CORS does not cover. `host` is the Host header. */
    isAllowed: (origin: string, host: string | null): boolean =>
      isAnyAllowed || isListed(origin) || (host !== null && URL.canParse(origin) && new URL(origin).host === host),
  }
}
