/** Which web pages may use this server from a browser. */

export type OriginPolicy = ReturnType<typeof createOriginPolicy>

/**
 * Pages of this server's own origin always; others when `allowed` names their origin. `*` lets any page call the REST API
 * without credentials.
 */
export function createOriginPolicy(allowed: readonly string[], publicUrl: string | undefined) {
  const listed = new Set(allowed)
  const isAnyAllowed = listed.has('*')
  const own = publicUrl === undefined ? undefined : new URL(publicUrl).origin

  const isListed = (origin: string) => listed.has(origin) || origin === own

  return {
    /** Every page, without credentials. */
    isAnyAllowed,
    /** Pages of this origin, with credentials. */
    isListed,
    /** Cross-Origin-Resource-Policy of files: it cannot name origins. Without it any page could show them by a link. */
    resourcePolicy: isAnyAllowed || listed.size > 0 ? ('cross-origin' as const) : ('same-origin' as const),
    /** For the WebSocket, which CORS does not cover. `host` is the Host header. */
    isAllowed: (origin: string, host: string | null): boolean =>
      isAnyAllowed || isListed(origin) || (host !== null && URL.canParse(origin) && new URL(origin).host === host),
  }
}
