/** Access tokens: JSON Web Tokens (RFC 7519) signed with HS256, checked as RFC 8725 advises. */
import { jwt } from '@elysiajs/jwt'

/** What a valid token says. */
export interface AccessClaims {
  userId: string
  sessionId: string
  /** Unix seconds. */
  expiresAt: number
}

export interface Tokens {
  /** Life of a token. */
  readonly ttlSeconds: number
  issue(userId: string, sessionId: string): Promise<string>
  /** Undefined for whatever is not a valid access token of ours. Whether its session lives is another question. */
  verify(token: string): Promise<AccessClaims | undefined>
  /** The same for a token that was verified before, at once; undefined when it was not, or has expired. */
  recall(token: string): AccessClaims | undefined
}

const ISSUER = 'messenger'
const MUST_HOLD = {
  algorithms: ['HS256'],
  issuer: ISSUER,
  audience: ISSUER,
  requiredClaims: ['exp', 'iat', 'sub', 'sid', 'typ'],
}
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/
const MAX_REMEMBERED = 10_000

export interface TokensOptions {
  secret: string
  /** Tokens signed with it are good until they expire; new ones are signed with `secret`. */
  previousSecret?: string
  ttlSeconds: number
  /** Milliseconds, the same for all instances: by it tokens end. */
  now?: () => number
}

export function createTokens({ secret, previousSecret, ttlSeconds, now = Date.now }: TokensOptions): Tokens {
  const current = signerOf(secret)
  const signers = previousSecret === undefined ? [current] : [current, signerOf(previousSecret)]
  // A client sends the same token with every request: its signature needs checking once. By digest, which is a tenth as long.
  const verified = new Map<string, AccessClaims>()

  const recall = (token: string): AccessClaims | undefined => {
    const known = verified.get(digestOf(token))
    return known && known.expiresAt * 1000 > now() ? known : undefined
  }

  const check = async (token: string): Promise<AccessClaims | undefined> => {
    for (const signer of signers) {
      const claims = readClaims(await signer.verify(token, { ...MUST_HOLD, currentDate: new Date(now()) }))
      if (claims) return claims
    }
    return undefined
  }

  return {
    ttlSeconds,
    issue: (userId, sessionId) =>
      current.sign({ sub: userId, sid: sessionId, typ: 'access', exp: Math.floor(now() / 1000) + ttlSeconds }),
    recall,
    async verify(token) {
      const known = recall(token)
      if (known) return known
      const digest = digestOf(token)
      verified.delete(digest)
      const claims = await check(token)
      if (!claims) return undefined
      if (verified.size >= MAX_REMEMBERED) for (const oldest of verified.keys().take(1)) verified.delete(oldest)
      verified.set(digest, claims)
      return claims
    },
  }
}

function signerOf(secret: string) {
  const options = { name: 'jwt', secret, alg: 'HS256', iss: ISSUER, aud: ISSUER } as const
  return jwt(options).decorator.jwt
}

function readClaims(payload: false | Record<string, unknown>): AccessClaims | undefined {
  if (!payload) return undefined
  const { sub, sid, typ, exp } = payload
  const isAccess = typ === 'access' && isUuid(sub) && isUuid(sid) && typeof exp === 'number'
  return isAccess ? { userId: sub, sessionId: sid, expiresAt: exp } : undefined
}

const digestOf = (token: string): string => Bun.SHA256.hash(token, 'latin1')

const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value)
