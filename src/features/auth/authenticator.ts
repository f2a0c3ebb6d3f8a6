/** Who a token speaks for: the one question that REST and the WebSocket ask. */
import { notSignedIn, sessionEnded } from '../../errors.ts'
import type { Sessions } from './sessions.ts'
import type { AccessClaims, Tokens } from './tokens.ts'

export type Caller = AccessClaims

/**
 * At once when the token and its session are known, as they are for all but the first of many requests; refusals come as
 * a promise that rejects.
 * @throws notSignedIn for what is no valid access token; sessionEnded when its session was ended or its account disabled
 */
export type Authenticate = (token: string) => Caller | Promise<Caller>

export function createAuthenticator({ tokens, sessions }: { tokens: Tokens; sessions: Sessions }): Authenticate {
  const ask = async (token: string): Promise<Caller> => {
    const claims = await tokens.verify(token)
    if (!claims) throw notSignedIn()
    if (!(await sessions.isAlive(claims.sessionId))) throw sessionEnded()
    return claims
  }

  return (token) => {
    const known = tokens.recall(token)
    // Whatever is not known to be well is asked for anew, and refused there.
    return known && sessions.recall(known.sessionId) === true ? known : ask(token)
  }
}
