/**
 * How browsers find a way to each other: the STUN and TURN servers of the settings, with credentials that end.
 * coturn knows the same secret (`use-auth-secret`): draft-uberti-behave-turn-rest-00, "A REST API For Access To TURN Services".
 */
import { createHmac } from 'node:crypto'
import type { IceServers } from './model.ts'

export interface IceOptions {
  /** `stun:`, `stuns:`, `turn:` and `turns:` (RFC 7064, RFC 7065). */
  urls: readonly string[]
  /** coturn's `static-auth-secret`. */
  secret: string | undefined
  /** How long a relay may be asked for; one that was given lasts as long as its call. */
  ttlSeconds?: number
  now?: () => number
}

export type Ice = ReturnType<typeof createIce>

const NOTHING =
  'TURN_URLS is not set on this server: calls get through only where the two devices reach each other directly'
const NO_RELAY = 'TURN_URLS names no turn: server: calls fail behind many NATs and firewalls'

export function createIce({ urls, secret, ttlSeconds = 3600, now = Date.now }: IceOptions) {
  const stun = urls.filter((url) => /^stuns?:/.test(url))
  const turn = secret === undefined ? [] : urls.filter((url) => /^turns?:/.test(url))

  return {
    /** For this user alone: the name is counted by coturn's quota. */
    serversOf(userId: string): IceServers {
      const open = stun.length > 0 ? [{ urls: stun }] : []
      if (secret === undefined || turn.length === 0) {
        return { ice_servers: open, expires_at: null, hint: open.length > 0 ? NO_RELAY : NOTHING }
      }
      const expiresAt = Math.floor(now() / 1000) + ttlSeconds
      const username = `${expiresAt}:${userId}`
      const credential = createHmac('sha1', secret).update(username).digest('base64')
      return {
        ice_servers: [...open, { urls: turn, username, credential }],
        expires_at: new Date(expiresAt * 1000).toISOString(),
        hint: null,
      }
    },
  }
}
