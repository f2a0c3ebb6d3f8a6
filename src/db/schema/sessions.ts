import { sql } from 'drizzle-orm'
import { index, inet, integer, jsonb, pgEnum, pgTable, primaryKey, text, uuid, varchar } from 'drizzle-orm/pg-core'
import { instant, users } from './users.ts'

/** A session is alive while its row exists and has not expired; revoking it is deleting the row. */
export const sessionTokens = pgTable(
  'session_tokens',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** SHA-256, hex, of the refresh token in use. */
    tokenHash: varchar('token_hash', { length: 255 }).notNull(),
    /** SHA-256, hex, of its successor: the first use of that one moves the session on. */
    nextTokenHash: varchar('next_token_hash', { length: 255 }).notNull(),
    /** How often the session moved on: how long the chain of spent tokens is. */
    generation: integer().notNull().default(0),
    deviceInfo: jsonb('device_info').$type<{ user_agent: string | null }>(),
    ipAddress: inet('ip_address'),
    lastUsedAt: instant('last_used_at').notNull().defaultNow(),
    expiresAt: instant('expires_at').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [index('idx_session_tokens_user').on(t.userId), index('idx_session_tokens_expires').on(t.expiresAt)],
)

export const auditAction = pgEnum('audit_action', [
  'login',
  'logout',
  'register',
  'password_change',
  'profile_update',
  'account_delete',
])

export const auditLogs = pgTable(
  'audit_logs',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id').references(() => users.id, { onDelete: 'set null' }),
    action: auditAction().notNull(),
    ipAddress: inet('ip_address'),
    userAgent: text('user_agent'),
    details: jsonb().$type<Record<string, unknown>>(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [index('idx_audit_logs_user').on(t.userId), index('idx_audit_logs_action').on(t.action)],
)

/** Counters of login and registration attempts. They protect accounts, so they live where nothing is ever evicted. */
export const attemptLimits = pgTable('attempt_limits', {
  key: text().primaryKey(),
  attempts: integer().notNull(),
  resetsAt: instant('resets_at').notNull(),
})

/** Addresses an account signed in from: attempts from there are counted apart from those of strangers. */
export const knownAddresses = pgTable(
  'known_addresses',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    address: inet().notNull(),
    lastLoginAt: instant('last_login_at').notNull().default(sql`now()`),
  },
  (t) => [primaryKey({ columns: [t.userId, t.address] })],
)
