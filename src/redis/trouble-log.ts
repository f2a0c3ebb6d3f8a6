/** Says once that Redis is away and once that it is back, however often it was tried meanwhile. */
import type { Log } from '../observability/log.ts'
import { RedisRefused } from './errors.ts'

export interface TroubleLog {
  note(reason: Error): void
  end(): void
}

export function createTroubleLog(log: Log): TroubleLog {
  let since: number | undefined
  let isRefusalSaid = false

  return {
    note(reason) {
      if (since === undefined) log.warn('Redis is away: other instances are not heard', { error: reason })
      since ??= performance.now()
      // Not the network but a setting: somebody has to look at it.
      if (!(reason instanceof RedisRefused) || isRefusalSaid) return
      isRefusalSaid = true
      log.error('Redis refuses this server', { error: reason })
    },
    end() {
      if (since === undefined) return
      log.info('Redis is there again', { away_seconds: Math.round((performance.now() - since) / 1000) })
      since = undefined
      isRefusalSaid = false
    },
  }
}
