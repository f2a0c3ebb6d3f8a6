/** Who a token speaks for: the one question that REST and the WebSocket ask. */
import { notSignedIn, sessionEnded } from '../../errors.ts'
import type { Sessions } from './sessions.ts'
import type { AccessClaims, Tokens } from './tokens.ts'

export type Caller = AccessClaims

/** @throws notSignedIn for what is no valid access token; sessionEnded when its session was ended or its account disabled */
export type Authenticate = (token: string) => Promise<Caller>

export function createAuthenticator({ tokens, sessions }: { tokens: Tokens; sessions: Sessions }): Authenticate {
  return async (token) => {
    const claims = await tokens.verify(token)
    if (!claims) throw notSignedIn()
    if (!(await sessions.isAlive(claims.sessionId))) throw sessionEnded()
    return claims
  }
}
