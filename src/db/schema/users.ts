import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  index,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'

/** An instant to the millisecond, which is what JSON carries: a key taken from JSON finds its row again. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

export const users = pgTable(
  'users',
  {
    id: uuid().primaryKey(),
    /** E.164; null for deleted accounts only. */
    phone: varchar({ length: 20 }),
    email: varchar({ length: 255 }),
    passwordHash: varchar('password_hash', { length: 255 }).notNull(),
    username: varchar({ length: 50 }),
    avatarUrl: text('avatar_url'),
    bio: text(),
    /** A copy for readers of the table; whether somebody is premium is decided by their subscription period. */
    isPremium: boolean('is_premium').notNull().default(false),
    lastSeenAt: instant('last_seen_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
    deletedAt: instant('deleted_at'),
    /** Set by the operator: cannot sign in. */
    disabledAt: instant('disabled_at'),
  },
  (t) => [
    // Uniqueness holds among the living: a deleted account's phone and names are free again.
    uniqueIndex('idx_users_phone').on(t.phone).where(sql`deleted_at is null`),
    uniqueIndex('idx_users_email').on(sql`lower(${t.email})`).where(sql`email is not null and deleted_at is null`),
    // text_pattern_ops: the search by prefix uses it too.
    uniqueIndex('idx_users_username').on(sql`lower(${t.username}) text_pattern_ops`).where(sql`deleted_at is null`),
    index('idx_users_last_seen').on(t.lastSeenAt),
    check('users_living_have_phone', sql`deleted_at is not null or phone is not null`),
  ],
)

/** What everybody may see of an account: the columns of a public profile. */
export const publicColumns = {
  id: users.id,
  username: users.username,
  avatarUrl: users.avatarUrl,
  bio: users.bio,
  isPremium: users.isPremium,
  lastSeenAt: users.lastSeenAt,
  deletedAt: users.deletedAt,
}

/** Whoever is blocked opens no direct chat with the blocker, writes nothing there, adds them to no group and sees no presence. */
export const blocks = pgTable(
  'blocks',
  {
    blockerId: uuid('blocker_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    blockedId: uuid('blocked_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.blockerId, t.blockedId] }), index('idx_blocks_blocked').on(t.blockedId)],
)
