/** The JSON of signing in and of sessions. */
import { t } from 'elysia'
import { cleanText, Instant, Uuid, Whole } from '../../http/text.ts'
import { Email, Phone, Username } from '../users/model.ts'
import { passwordRule } from '../users/rules.ts'
import type { SessionRow } from './store.ts'

/** A password that is being chosen. */
const NewPassword = t.RegExp(passwordRule.pattern, { error: passwordRule.error, examples: ['SecurePass123!'] })
/** A password that is being tried: it may be older than the rule. */
const GivenPassword = t.String({
  minLength: 1,
  maxLength: 1024,
  error: 'must be a password',
  examples: ['SecurePass123!'],
})

export const Register = t.Object({
  phone: Phone,
  email: t.Optional(t.Nullable(Email, { error: 'must be an e-mail address' })),
  password: NewPassword,
  username: Username,
})
export type Register = typeof Register.static

export const Login = t.Object({
  phone_or_email: cleanText(1, 255, { examples: ['+1234567890'] }),
  password: GivenPassword,
})
export type Login = typeof Login.static

export const Refresh = t.Object({
  refresh_token: t.String({ minLength: 1, maxLength: 1024, error: 'must be a refresh token' }),
})
export type Refresh = typeof Refresh.static

export const ChangePassword = t.Object({ old_password: GivenPassword, new_password: NewPassword })
export type ChangePassword = typeof ChangePassword.static

const tokens = {
  token: t.String({ description: 'Access token: `Authorization: Bearer <token>`' }),
  refresh_token: t.String({ description: 'Opaque. Keep the latest one' }),
  expires_in: Whole({ description: 'Life of the access token in seconds', examples: [3600] }),
}
export const SignedIn = t.Object({ user_id: Uuid, ...tokens })
export type SignedIn = typeof SignedIn.static
export const Refreshed = t.Object(tokens)
export type Refreshed = typeof Refreshed.static

export const Session = t.Object({
  id: Uuid,
  user_agent: t.Nullable(t.String({ examples: ['Mozilla/5.0'] })),
  ip_address: t.Nullable(t.String({ examples: ['203.0.113.7'] })),
  created_at: Instant,
  last_used_at: Instant,
  expires_at: Instant,
  is_current: t.Boolean({ description: 'The session of this very request' }),
})
export type Session = typeof Session.static
export const SessionList = t.Object({ sessions: t.Array(Session) })

/** A message for people: `{"message": "Logged out successfully"}`. */
export const Done = (message: string) => t.Object({ message: t.String({ examples: [message] }) })
export async function saying(message: string, done: Promise<void>): Promise<{ message: string }> {
  await done
  return { message }
}

export const toSession = (row: SessionRow, currentId: string): Session => ({
  id: row.id,
  user_agent: row.deviceInfo?.user_agent ?? null,
  ip_address: row.ipAddress,
  created_at: row.createdAt.toISOString(),
  last_used_at: row.lastUsedAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
  is_current: row.id === currentId,
})
