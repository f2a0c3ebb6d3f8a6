/** When users were last there: off the path of their requests, and at most once a minute each. */
import type { Db } from '../../db/client.ts'
import type { Log } from '../../observability/log.ts'
import type { Profiles } from './profiles.ts'
import { updateLastSeen } from './store.ts'

export interface LastSeen {
  /** The user is here now. Costs no query. */
  touch(userId: string): void
  /** Writes what waits, and resolves when it is written or the failure is logged. */
  flush(): Promise<void>
  /** Stops the timer and flushes: at shutdown. */
  stop(): Promise<void>
}

const ONCE_IN_MS = 60_000

/** `now` in milliseconds. */
export function createLastSeen(deps: {
  db: Db
  log: Log
  profiles: Pick<Profiles, 'forget'>
  flushEveryMs?: number
  now?: () => number
}): LastSeen {
  const { db, log, profiles, flushEveryMs = 5000, now = Date.now } = deps
  /** When each was last noted; the throttle. Each instance has its own: asking Redis would cost more than the writing. */
  const noted = new Map<string, number>()
  let waiting = new Map<string, Date>()
  let writing = Promise.resolve()

  const write = async () => {
    const time = now()
    for (const [userId, at] of noted) if (at <= time - ONCE_IN_MS) noted.delete(userId)
    if (waiting.size === 0) return
    const batch = waiting
    waiting = new Map()
    // In one order, so that two instances cannot wait for each other's rows.
    const seen = [...batch].sort(([a], [b]) => (a < b ? -1 : 1))
    const userIds = seen.map(([id]) => id)
    try {
      await updateLastSeen(db, { userIds, at: seen.map(([, at]) => at) })
      await profiles.forget(userIds)
    } catch (error) {
      log.warn('last_seen could not be written; the next flush tries again', { users: seen.length, error })
      waiting = new Map([...batch, ...waiting])
    }
  }

  const flush = () => {
    writing = writing.then(write)
    return writing
  }
  const timer = setInterval(flush, flushEveryMs)
  timer.unref()

  return {
    touch(userId) {
      const time = now()
      const last = noted.get(userId)
      if (last !== undefined && time - last < ONCE_IN_MS) return
      noted.set(userId, time)
      waiting.set(userId, new Date(time))
    },
    flush,
    stop() {
      clearInterval(timer)
      return flush()
    },
  }
}
