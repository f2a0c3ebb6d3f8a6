/** Who is signed in, with a token that is good. Several tabs share one session: only one at a time renews it. */
import type { SignedIn } from '../../features/auth/model.ts'
import type { Lock, Ports } from './ports.ts'
import { ApiError, type Call, type TokenSource } from './rest.ts'
import type { Session } from './state.ts'

export interface SessionOptions {
  ports: Pick<Ports, 'clock' | 'locks' | 'storage'>
  /** Without a token. */
  call: Call
  /** Renewed here: the other tabs are to know. */
  onRenewed(session: Session): void
  /** The server knows it no more, or another tab has ended it. */
  onEnded(): void
}

/** A token is renewed when this much of its life is over. */
const LIFE_USED = 0.9
const LOCK = 'session'
const PATIENCE_MS = 15_000

export type Sessions = ReturnType<typeof createSessions>

export function createSessions({ ports, call, onRenewed, onEnded }: SessionOptions) {
  const { clock, locks, storage } = ports
  let session: Session | undefined
  let renewal: Promise<string> | undefined

  const isGood = (one: Session, stale: string | undefined) => one.token !== stale && clock.now() < one.renewAt

  const toSession = (userId: string, answer: Omit<SignedIn, 'user_id'>): Session => ({
    userId,
    token: answer.token,
    refreshToken: answer.refresh_token,
    renewAt: clock.now() + answer.expires_in * 1000 * LIFE_USED,
  })

  function end(): never {
    session = undefined
    onEnded()
    throw new ApiError(401, { error: 'Signed out', details: {} })
  }

  /** Whoever holds it for long has been stopped half way; two that renew at once get the same token. */
  async function takeLock(): Promise<Lock> {
    const queued = locks.acquire(LOCK)
    let stopWaiting = () => {}
    const patience = new Promise<undefined>((resolve) => {
      stopWaiting = clock.after(PATIENCE_MS, () => resolve(undefined))
    })
    const lock = await Promise.race([queued, patience])
    stopWaiting()
    if (lock) return lock
    queued.then((late) => late.release())
    return locks.acquire(LOCK, { steal: true })
  }

  /** The old refresh token stays good until its successor is used, so an answer that is lost costs nothing. */
  async function renew(before: Session, stale: string | undefined): Promise<string> {
    const lock = await takeLock()
    try {
      const stored = await storage.readSession().catch(() => before)
      if (!stored) return end()
      // A storage that is this tab's alone does not know what another tab has told.
      const latest = session && session.renewAt > stored.renewAt ? session : stored
      session = latest
      if (isGood(latest, stale)) return latest.token
      const answer = await call<Omit<SignedIn, 'user_id'>>('POST', '/auth/refresh', {
        refresh_token: latest.refreshToken,
      })
      session = toSession(before.userId, answer)
      await keep(session)
      onRenewed(session)
      return session.token
    } catch (error) {
      if (error instanceof ApiError && error.status === 401 && session) return end()
      throw error
    } finally {
      lock.release()
    }
  }

  /** One that cannot be stored is good as long as this tab lives. */
  const keep = (one: Session) => storage.commit([{ put: 'session', session: one }]).catch(() => {})

  const source: TokenSource = {
    async token(stale) {
      if (!session) throw new ApiError(401, { error: 'Not signed in', details: {} })
      if (isGood(session, stale)) return session.token
      renewal ??= renew(session, stale).finally(() => {
        renewal = undefined
      })
      return renewal
    },
  }

  return {
    ...source,

    current: () => session,

    /** From the storage, or from another tab. */
    adopt(one: Session | undefined): void {
      session = one
    },

    /** A new one. */
    async begin(answer: SignedIn): Promise<void> {
      session = toSession(answer.user_id, answer)
      await keep(session)
    },
  }
}
