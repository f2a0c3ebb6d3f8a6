import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'
import type { MediaJson } from './media.ts'
import { instant, users } from './users.ts'

export const chatType = pgEnum('chat_type', ['dm', 'group', 'channel'])
/** The owner is `chats.owner_id`; the owner's own row says admin. */
export const memberRole = pgEnum('member_role', ['admin', 'member'])

/** Every message updates its chat's row: no index may cover last_seq, last_rev or last_message_at (heap-only updates). */
export const chats = pgTable('chats', {
  id: uuid().primaryKey(),
  name: varchar({ length: 255 }),
  /** The path of the picture of a group or a channel. */
  avatarUrl: text('avatar_url'),
  type: chatType().notNull(),
  ownerId: uuid('owner_id').references(() => users.id),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
  /** The number of the newest message; numbers have no gaps. */
  lastSeq: bigint('last_seq', { mode: 'number' }).notNull().default(0),
  /** Counts the edits and deletions. */
  lastRev: bigint('last_rev', { mode: 'number' }).notNull().default(0),
  /** Counts every change of who may do what here, so that a statement can tell whether there was one while it waited. */
  accessRev: bigint('access_rev', { mode: 'number' }).notNull().default(0),
  lastMessageAt: instant('last_message_at').notNull().defaultNow(),
  /** Kept in the transaction that changes the membership, under the lock of this row. */
  memberCount: integer('member_count').notNull().default(0),
  /** Nobody can write any more: the other account of a DM was deleted, or a channel lost its last admin. */
  isReadOnly: boolean('is_read_only').notNull().default(false),
  /** Both ids of a DM, the smaller first, joined by a colon: one DM for a pair. */
  dmKey: text('dm_key').unique(),
})

export const chatMembers = pgTable(
  'chat_members',
  {
    chatId: uuid('chat_id')
      .notNull()
      .references(() => chats.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: memberRole().notNull().default('member'),
    joinedAt: instant('joined_at').notNull().defaultNow(),
    lastReadSeq: bigint('last_read_seq', { mode: 'number' }).notNull().default(0),
    lastReadAt: instant('last_read_at'),
    /** In a direct chat: the other one has blocked this member, who may write nothing there. */
    isBlocked: boolean('is_blocked').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.chatId, t.userId] }), index('idx_chat_members_user').on(t.userId)],
)

/** What a channel has beyond its chat (`channels.id` is its `chats.id`). */
export const channels = pgTable(
  'channels',
  {
    id: uuid()
      .primaryKey()
      .references(() => chats.id, { onDelete: 'cascade' }),
    name: varchar({ length: 255 }).notNull(),
    ownerId: uuid('owner_id').references(() => users.id, { onDelete: 'cascade' }),
    description: text(),
    isPublic: boolean('is_public').notNull().default(true),
    subscriberCount: integer('subscriber_count').notNull().default(0),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    // Public channels by any part of their name.
    index('idx_channels_name').using('gin', sql`lower(${t.name}) gin_trgm_ops`).where(sql`is_public`),
  ],
)

/** Whoever was removed from a chat by its staff: neither an invite nor a subscription lets them back in, only being added. */
export const bans = pgTable(
  'bans',
  {
    chatId: uuid('chat_id')
      .notNull()
      .references(() => chats.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.chatId, t.userId] })],
)

/** Whoever knows the code may join. Revoking an invite is deleting its row. */
export const invites = pgTable(
  'invites',
  {
    /** 128 random bits, base64url. */
    code: text().primaryKey(),
    chatId: uuid('chat_id')
      .notNull()
      .references(() => chats.id, { onDelete: 'cascade' }),
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    /** Null: never. */
    expiresAt: instant('expires_at'),
    /** Null: any number of times. */
    maxUses: integer('max_uses'),
    /** How many have joined by it. */
    uses: integer().notNull().default(0),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [index('idx_invites_chat').on(t.chatId), index('idx_invites_expires').on(t.expiresAt)],
)

export const messageType = pgEnum('message_type', ['text', 'image', 'video', 'audio', 'file', 'call'])

/** What became of a call, as the message about it says. */
export interface CallJson {
  media: 'audio' | 'video'
  outcome: 'completed' | 'missed' | 'declined' | 'busy' | 'cancelled' | 'failed'
  /** In seconds, from the acceptance to the end; 0 when nobody answered. */
  duration: number
}

/**
 * Every key starts with or contains `chat_id`, so the table can be partitioned or distributed by it.
 * No foreign keys: they cost the writing statement a third of its speed. Consistency holds without them: a message is
 * written while its chat's row is locked, deleting a chat deletes its messages in the same transaction, and accounts
 * are never deleted from `users`.
 */
export const messages = pgTable(
  'messages',
  {
    chatId: uuid('chat_id').notNull(),
    id: uuid().notNull(),
    /** The place in the chat, from 1, without gaps, for ever. */
    seq: bigint({ mode: 'number' }).notNull(),
    /** 0 as sent; the chat's `last_rev` after each edit or deletion. */
    rev: bigint({ mode: 'number' }).notNull().default(0),
    senderId: uuid('sender_id'),
    /** The sender's own key of the message; the message's id where none came. */
    clientId: varchar('client_id', { length: 64 }).notNull(),
    content: text().notNull(),
    messageType: messageType('message_type').notNull().default('text'),
    mediaUrl: text('media_url'),
    /** What a client is told of its file, beside the row in `media`: reading messages joins nothing. */
    media: jsonb().$type<MediaJson>(),
    call: jsonb().$type<CallJson>(),
    replyToId: uuid('reply_to_id'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
    deletedAt: instant('deleted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.chatId, t.id] }),
    uniqueIndex('idx_messages_chat_seq').on(t.chatId, t.seq),
    index('idx_messages_chat_created').on(t.chatId, t.createdAt.desc()),
    // One message for a sender's key, and the look-up by sender.
    uniqueIndex('idx_messages_sender').on(t.senderId, t.chatId, t.clientId),
    index('idx_messages_chat_rev').on(t.chatId, t.rev).where(sql`rev > 0`),
  ],
)
