/**
 * Links that open a file without a token, for an <img> or a player: signed for one user, until a time. They are the user's,
 * not a session's: ending a session leaves them, losing the chat or the account does not, since that is asked at each view.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { linkExpired, linkNotValid } from '../../errors.ts'

/** As it stands in the query of a link. */
export interface Signature {
  /** For whom. */
  u: string
  /** Until when: Unix seconds. */
  t: string
  s: string
}

export interface Signed {
  query: string
  expiresAt: Date
}

export type Links = ReturnType<typeof createLinks>

const HOUR_SECONDS = 3600

/** What was signed with `previousSecret` is good until it expires. */
export function createLinks(options: { secret: string; previousSecret?: string; now?: () => number }) {
  const { secret, previousSecret, now = Date.now } = options
  const key = deriveKey(secret)
  const keys = previousSecret === undefined ? [key] : [key, deriveKey(previousSecret)]

  return {
    /** For an hour at least, and until a full hour: the link is the same for some time, so that a browser's cache finds it. */
    sign(path: string, userId: string): Signed {
      const t = Math.ceil(now() / 1000 / HOUR_SECONDS + 1) * HOUR_SECONDS
      const query = `u=${userId}&t=${t}&s=${signatureOf(key, path, userId, String(t)).toString('base64url')}`
      return { query, expiresAt: new Date(t * 1000) }
    },

    /** @returns whom the link is for. @throws linkNotValid for what was never signed; linkExpired */
    verify(path: string, { u, t, s }: Signature): string {
      const given = Buffer.from(s, 'base64url')
      const isOurs = keys.some((by) => {
        const right = signatureOf(by, path, u, t)
        return given.length === right.length && timingSafeEqual(given, right)
      })
      if (!isOurs) throw linkNotValid()
      if (Number(t) * 1000 <= now()) throw linkExpired()
      return u
    },
  }
}

/** HKDF (RFC 5869): the secret signs access tokens too, and one key serves one purpose. */
const deriveKey = (secret: string) => Buffer.from(hkdfSync('sha256', secret, '', 'messenger media links', 32))

/** No path, id or number has a line feed that could move the borders between them. */
const signatureOf = (key: Buffer, path: string, userId: string, t: string): Buffer =>
  createHmac('sha256', key).update([path, userId, t].join('\n')).digest()
