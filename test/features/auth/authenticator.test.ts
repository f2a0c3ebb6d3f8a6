import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { createAuthenticator } from '../../../src/features/auth/authenticator.ts'
import { createSessions } from '../../../src/features/auth/sessions.ts'
import { createTokens } from '../../../src/features/auth/tokens.ts'
import { fakePasswords, log, openDatabase, startApp } from './support.ts'

let database: Awaited<ReturnType<typeof openDatabase>>
let server: ReturnType<typeof startApp>
const { passwords } = fakePasswords()
beforeAll(async () => {
  database = await openDatabase()
  server = startApp(database, { passwords })
})
afterAll(() => database.close())

const TTL_SECONDS = 60

/** Somebody who was let in once, and clocks that the test sets: of tokens, and of what is remembered of sessions. */
async function letIn() {
  const clocks = { tokens: Date.now(), sessions: 0 }
  const { db, bus, refreshTokens } = server
  const tokens = createTokens({
    secret: 'a secret of at least thirty-two bytes',
    ttlSeconds: TTL_SECONDS,
    now: () => clocks.tokens,
  })
  const sessions = createSessions({ db, bus, log, refreshTokens, ttlSeconds: 3600, now: () => clocks.sessions })
  const authenticate = createAuthenticator({ tokens, sessions })
  const user = await server.register()
  const sessionId = server.refreshTokens.sessionOf(user.refreshToken) ?? ''
  const token = await tokens.issue(user.userId, sessionId)
  expect(authenticate(token)).toBeInstanceOf(Promise)
  expect(await authenticate(token)).toMatchObject({ userId: user.userId, sessionId })
  return { ...user, sessionId, token, authenticate, clocks, sessions }
}

describe('who was let in', () => {
  it('is known at once the next time, by the very token', async () => {
    const { token, userId, sessionId, authenticate } = await letIn()
    expect(authenticate(token)).toMatchObject({ userId, sessionId })
    const forged = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`
    await expect(Promise.resolve(authenticate(forged))).rejects.toMatchObject({ status: 401 })
    expect(authenticate(token)).toMatchObject({ userId, sessionId })
  })

  it('is refused once the session has ended', async () => {
    const { token, userId, sessionId, authenticate, sessions } = await letIn()
    await sessions.end(userId, { only: sessionId })
    await expect(Promise.resolve(authenticate(token))).rejects.toMatchObject({
      message: 'This session has ended; sign in again',
    })
  })

  it('is refused once the token has expired', async () => {
    const { token, authenticate, clocks } = await letIn()
    clocks.tokens += (TTL_SECONDS + 1) * 1000
    await expect(Promise.resolve(authenticate(token))).rejects.toMatchObject({
      message: 'Missing or invalid access token',
    })
  })

  it('is asked about anew after 30 s', async () => {
    const { token, sessionId, authenticate, clocks } = await letIn()
    await database.sql`delete from session_tokens where id = ${sessionId}`
    clocks.sessions += 29_999
    expect(authenticate(token)).toMatchObject({ sessionId })
    clocks.sessions += 1
    await expect(Promise.resolve(authenticate(token))).rejects.toMatchObject({ status: 401 })
  })
})
