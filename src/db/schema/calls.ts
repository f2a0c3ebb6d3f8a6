import { sql } from 'drizzle-orm'
import { boolean, index, pgEnum, pgTable, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { chats } from './chats.ts'
import { instant, users } from './users.ts'

export const callMedia = pgEnum('call_media', ['audio', 'video'])
export const callState = pgEnum('call_state', ['ringing', 'active', 'ended'])
export const callOutcome = pgEnum('call_outcome', ['completed', 'missed', 'declined', 'busy', 'cancelled', 'failed'])

/**
 * The truth of each call: whoever changes one holds its row. What became of it is told by a message; the row is forgotten
 * some time after that.
 */
export const calls = pgTable(
  'calls',
  {
    id: uuid().primaryKey(),
    chatId: uuid('chat_id')
      .notNull()
      .references(() => chats.id, { onDelete: 'cascade' }),
    /** Of the message about it, chosen beforehand: so it is stored once. Nobody is told before, or they could take it. */
    messageId: uuid('message_id').notNull(),
    callerId: uuid('caller_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    calleeId: uuid('callee_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    media: callMedia().notNull(),
    state: callState().notNull(),
    /** Null until it has ended. */
    outcome: callOutcome(),
    createdAt: instant('created_at').notNull(),
    /** Unanswered then, it is missed. */
    ringUntil: instant('ring_until').notNull(),
    answeredAt: instant('answered_at'),
    endedAt: instant('ended_at'),
    /** The caller's device (one socket), its session, and when it counts as lost unless it shows itself. */
    callerDevice: uuid('caller_device').notNull(),
    callerSession: uuid('caller_session').notNull(),
    callerUntil: instant('caller_until').notNull(),
    /** The device that answered. */
    calleeDevice: uuid('callee_device'),
    calleeSession: uuid('callee_session'),
    calleeUntil: instant('callee_until'),
    /** Whether the message about it is stored, or never will be. */
    isRecorded: boolean('is_recorded').notNull().default(false),
  },
  (t) => [
    // One open call a user on either side; that nobody is on both sides is seen to by who may invite.
    uniqueIndex('idx_calls_caller').on(t.callerId).where(sql`state <> 'ended'`),
    uniqueIndex('idx_calls_callee').on(t.calleeId).where(sql`state <> 'ended'`),
    index('idx_calls_unrecorded').on(t.endedAt).where(sql`state = 'ended' and not is_recorded`),
    index('idx_calls_recorded').on(t.endedAt).where(sql`is_recorded`),
  ],
)
