/** Sessions: one for each sign-in. PostgreSQL says which are alive; every instance remembers the answer for a while. */
import type { Bus } from '../../bus/bus.ts'
import { readControl, sessionsEnded } from '../../bus/control.ts'
import type { Db, Tx } from '../../db/client.ts'
import { invalidRefreshToken, unavailable } from '../../errors.ts'
import type { Log } from '../../observability/log.ts'
import type { Client } from '../users/model.ts'
import type { RefreshTokens } from './refresh-tokens.ts'
import * as store from './store.ts'

export type Sessions = ReturnType<typeof createSessions>

/** Without Redis another instance's revocation is noticed so late at most. */
const REMEMBER_MS = 30_000
const MAX_REMEMBERED = 50_000
const MAX_TRIES = 5

export function createSessions(deps: {
  db: Db
  bus: Bus
  log: Log
  refreshTokens: RefreshTokens
  /** Life of a session that is not refreshed. */
  ttlSeconds: number
  /** Milliseconds, of a clock that nobody sets. */
  now?: () => number
}) {
  const { db, bus, log, refreshTokens, ttlSeconds, now = () => performance.now() } = deps
  /** Until when it is remembered; less than 0 of one that has ended: the sign of a number takes no memory. */
  const remembered = new Map<string, number>()

  const remember = (sessionId: string, isAlive: boolean) => {
    remembered.delete(sessionId)
    if (remembered.size >= MAX_REMEMBERED) for (const oldest of remembered.keys().take(1)) remembered.delete(oldest)
    const until = now() + REMEMBER_MS
    remembered.set(sessionId, isAlive ? until : -until)
  }
  const recall = (sessionId: string) => {
    const found = remembered.get(sessionId)
    return found !== undefined && Math.abs(found) > now() ? found > 0 : undefined
  }

  bus.onMessage((message) => {
    if (message.kind !== 'control') return
    const control = readControl(message)
    if (control.type === 'sessions_ended') for (const id of control.session_ids) remember(id, false)
  })

  const service = {
    /** What `isAlive` answers without a question to the database; undefined where it would ask. */
    recall,

    /** Whether the session may still be used; the answer may be 30 s old when another instance ended it. */
    async isAlive(sessionId: string): Promise<boolean> {
      const known = recall(sessionId)
      if (known !== undefined) return known
      const [alive] = await store.listAliveIds(db, [sessionId])
      // It may have ended while the answer was on its way, and what has ended never lives again.
      const isAlive = alive !== undefined && recall(sessionId) !== false
      remember(sessionId, isAlive)
      return isAlive
    },

    /** Which of these are alive, asked of the database. */
    async listAlive(sessionIds: readonly string[]): Promise<Set<string>> {
      if (sessionIds.length === 0) return new Set()
      return new Set(await store.listAliveIds(db, sessionIds))
    },

    /** Opens a session in the transaction that lets its user in. */
    async open(tx: Tx, userId: string, client: Client): Promise<{ sessionId: string; refreshToken: string }> {
      const id = Bun.randomUUIDv7()
      const { token, state } = refreshTokens.start(id)
      const deviceInfo = { user_agent: client.userAgent }
      await store.insertSession(tx, { ...state, id, userId, deviceInfo, ipAddress: client.address, ttlSeconds })
      return { sessionId: id, refreshToken: token }
    },

    /**
     * Answers a refresh token with its successor. The successor's first use spends the token; presenting a spent one
     * means that two hold it, and ends the session.
     * @throws invalidRefreshToken
     */
    async refresh(token: string, tries = 1): Promise<{ userId: string; sessionId: string; refreshToken: string }> {
      const sessionId = refreshTokens.sessionOf(token)
      const session = sessionId === undefined ? undefined : await store.findTokenState(db, sessionId)
      if (sessionId === undefined || !session) throw invalidRefreshToken()
      const { userId, ...state } = session

      const verdict = refreshTokens.judge(token, state)
      if (verdict.kind === 'unknown') throw invalidRefreshToken()
      if (verdict.kind === 'spent') {
        log.warn('A spent refresh token was presented; its session is ended', {
          user_id: userId,
          session_id: sessionId,
        })
        await service.end(userId, { only: sessionId })
        throw invalidRefreshToken()
      }
      const isDone =
        verdict.kind === 'current' ||
        (verdict.kind === 'advance' && (await store.advanceSession(db, sessionId, state, verdict.state, ttlSeconds))) ||
        (verdict.kind === 'rekey' && (await store.rekeySession(db, sessionId, state, verdict.nextTokenHash)))
      if (isDone) return { userId, sessionId, refreshToken: verdict.successor }
      // Another use of the same token was faster: now the row holds what both are told.
      if (tries >= MAX_TRIES) throw unavailable('This session is being refreshed elsewhere; try again')
      return service.refresh(token, tries + 1)
    },

    /** The sessions of a user that are alive, the latest used first. */
    list: (userId: string): Promise<store.SessionRow[]> => store.listSessions(db, userId),

    /** Ends the one, all but the one, or all sessions of a user. @returns the ids of those that ended */
    async end(userId: string, which: { only?: string; except?: string } = {}): Promise<string[]> {
      const ended = await store.deleteSessions(db, userId, which)
      service.announceEnded(userId, ended)
      return ended
    },

    /** `end` within a transaction: hand the ids to `announceEnded` after the commit. */
    endWithin: (tx: Tx, userId: string, which: { only?: string; except?: string } = {}): Promise<string[]> =>
      store.deleteSessions(tx, userId, which),

    /** Every instance forgets these sessions and closes their sockets. */
    announceEnded(userId: string, sessionIds: string[]): void {
      if (sessionIds.length === 0) return
      for (const id of sessionIds) remember(id, false)
      bus.publish([sessionsEnded(userId, sessionIds)])
    },

    /** Deletes the rows of expired sessions. */
    sweep: (): Promise<void> => store.deleteExpiredSessions(db),
  }
  return service
}
