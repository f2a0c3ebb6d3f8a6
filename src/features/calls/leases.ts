/** The devices in calls whose sockets are on this instance: it says every few seconds that they are still there. */
import type { Db } from '../../db/client.ts'
import type { Log } from '../../observability/log.ts'
import { LEASE_MS } from './machine.ts'
import { extendLeases } from './store.ts'

const EXTEND_EVERY_MS = 5000

export function createLeases({ db, log, everyMs = EXTEND_EVERY_MS }: { db: Db; log: Log; everyMs?: number }) {
  /** device id -> call id */
  const held = new Map<string, string>()
  let isExtending = false

  const timer = setInterval(() => {
    extend().catch((error) => log.warn('Could not say which devices are still in their calls', { error }))
  }, everyMs)

  async function extend(): Promise<void> {
    if (isExtending || held.size === 0) return
    isExtending = true
    try {
      const asked = [...held]
      const inCalls = await extendLeases(
        db,
        asked.map(([device]) => device),
        LEASE_MS,
      )
      const isOver = (device: string) => !inCalls.includes(device)
      for (const [device, callId] of asked) if (isOver(device) && held.get(device) === callId) held.delete(device)
    } finally {
      isExtending = false
    }
  }

  return {
    hold: (device: string, callId: string) => held.set(device, callId),
    /** @returns the call it was in */
    release(device: string): string | undefined {
      const callId = held.get(device)
      held.delete(device)
      return callId
    },
    stop: () => clearInterval(timer),
  }
}
