/**
 * Refresh tokens that rotate without ever locking out an honest client (RFC 9700, 4.14.2). A token is the session's id and
 * 32 bytes. Its successor's 32 bytes are an HMAC over it: whoever asks again, in parallel or after a lost answer, gets the
 * same one, and nothing secret is stored. The session keeps the hashes of the token in use and of its successor.
 */
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** What a session's row knows of its tokens. */
export interface TokenState {
  tokenHash: string
  nextTokenHash: string
  /** How many tokens were spent before the one in use. */
  generation: number
}

export type Verdict =
  /** The token in use, once more. */
  | { kind: 'current'; successor: string }
  /** The token in use, but its successor was made with a key that is gone: `nextTokenHash` must be replaced. */
  | { kind: 'rekey'; successor: string; nextTokenHash: string }
  /** The successor's first use: the session moves on to `state`. */
  | { kind: 'advance'; successor: string; state: TokenState }
  /** It was in use before its successor was used: somebody has a copy. */
  | { kind: 'spent' }
  | { kind: 'unknown' }

export type RefreshTokens = ReturnType<typeof createRefreshTokens>

const ID_BYTES = 16
const TOKEN_BYTES = 48
const TOKEN = /^[A-Za-z0-9_-]{64}$/
/** How many steps the search for a spent token may cost: about 10 ms. */
const MAX_STEPS = 5000

export function createRefreshTokens({ secret, previousSecret }: { secret: string; previousSecret?: string }) {
  const key = deriveKey(secret)
  const previousKey = previousSecret === undefined ? undefined : deriveKey(previousSecret)
  const keys = previousKey ? [key, previousKey] : [key]

  /** The state that follows the use of `token`, and the token that goes with it. */
  const moveOn = (token: string, generation: number) => {
    const successor = follow(key, token)
    return { successor, state: { tokenHash: hash(token), nextTokenHash: hash(successor), generation } }
  }

  /** After a change of the secret the elder steps were made with the previous key, and nobody knows how many. */
  const isAncestor = (token: string, { tokenHash, generation }: TokenState): boolean => {
    // The i-th holds what i steps with the previous key, and the others with the current one, lead to.
    let reached = [token]
    for (let step = 0, cost = 0; step < generation && cost < MAX_STEPS; step++) {
      const eldest = reached.at(-1)
      const next = reached.map((from) => follow(key, from))
      if (previousKey && eldest !== undefined) next.push(follow(previousKey, eldest))
      if (next.some((at) => hash(at) === tokenHash)) return true
      reached = next
      cost += next.length
    }
    return false
  }

  return {
    /** The first token of a session, and the state to store. */
    start(sessionId: string): { token: string; state: TokenState } {
      const token = encode(Buffer.concat([idBytes(sessionId), randomBytes(TOKEN_BYTES - ID_BYTES)]))
      return { token, state: moveOn(token, 0).state }
    },

    /** The session that the token names; undefined when it is no token at all. */
    sessionOf(token: string): string | undefined {
      if (!TOKEN.test(token)) return undefined
      const hex = Buffer.from(token, 'base64url').toString('hex', 0, ID_BYTES)
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    },

    /** What presenting `token` means for a session in this state. */
    judge(token: string, state: TokenState): Verdict {
      const presented = hash(token)
      if (presented === state.nextTokenHash) return { kind: 'advance', ...moveOn(token, state.generation + 1) }
      if (presented !== state.tokenHash) return { kind: isAncestor(token, state) ? 'spent' : 'unknown' }
      const promised = keys.map((by) => follow(by, token)).find((next) => hash(next) === state.nextTokenHash)
      if (promised !== undefined) return { kind: 'current', successor: promised }
      const { successor, state: renewed } = moveOn(token, state.generation)
      return { kind: 'rekey', successor, nextTokenHash: renewed.nextTokenHash }
    },
  }
}

/** HKDF (RFC 5869): the secret signs access tokens too, and one key serves one purpose. */
const deriveKey = (secret: string) => Buffer.from(hkdfSync('sha256', secret, '', 'messenger refresh tokens', 32))

const idBytes = (sessionId: string) => Buffer.from(sessionId.replaceAll('-', ''), 'hex')
const encode = (bytes: Buffer) => bytes.toString('base64url')
const hash = (token: string) => createHash('sha256').update(token).digest('hex')

function follow(key: Buffer, token: string): string {
  const bytes = Buffer.from(token, 'base64url')
  const secret = createHmac('sha256', key).update(bytes).digest()
  return encode(Buffer.concat([bytes.subarray(0, ID_BYTES), secret]))
}
