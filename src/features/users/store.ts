/** The queries about accounts and their profiles. */
import { and, asc, eq, inArray, isNull, ne, notExists, or, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { type auditAction, auditLogs, blocks, publicColumns, users } from '../../db/schema/index.ts'

export type AuditAction = (typeof auditAction.enumValues)[number]

const ownColumns = { ...publicColumns, phone: users.phone, email: users.email, createdAt: users.createdAt }
const accountColumns = {
  id: users.id,
  phone: users.phone,
  email: users.email,
  username: users.username,
  createdAt: users.createdAt,
  lastSeenAt: users.lastSeenAt,
  disabledAt: users.disabledAt,
}

export type PublicRow = Pick<typeof users.$inferSelect, keyof typeof publicColumns>
export type OwnRow = Pick<typeof users.$inferSelect, keyof typeof ownColumns>
export type AccountRow = Pick<typeof users.$inferSelect, keyof typeof accountColumns>

const isLiving = isNull(users.deletedAt)
const hasEmail = (email: string) => eq(sql`lower(${users.email})`, sql`lower(${email.trim()})`)
const hasUsername = (username: string) => eq(sql`lower(${users.username})`, sql`lower(${username})`)

export async function findOwn(db: Db | Tx, userId: string): Promise<OwnRow | undefined> {
  const [row] = await db
    .select(ownColumns)
    .from(users)
    .where(and(eq(users.id, userId), isLiving))
    .prepare('find_own')
    .execute()
  return row
}

/** A profile, of a deleted account too; whether its owner has blocked the viewer; and up to `maxBlocked` whom they have. */
export async function findPublic(
  db: Db,
  { userId, viewerId, maxBlocked }: { userId: string; viewerId: string; maxBlocked: number },
): Promise<(PublicRow & { isConcealed: boolean; blockedIds: string[] }) | undefined> {
  const isBlocker = eq(blocks.blockerId, users.id)
  const [row] = await db
    .select({
      ...publicColumns,
      isConcealed: sql<boolean>`exists (select from ${blocks} where ${and(isBlocker, eq(blocks.blockedId, viewerId))})`,
      blockedIds: sql<
        string[]
      >`array(select ${blocks.blockedId} from ${blocks} where ${isBlocker} limit ${maxBlocked})`,
    })
    .from(users)
    .where(eq(users.id, userId))
    .prepare('find_public')
    .execute()
  return row
}

/** These profiles, of deleted accounts too, each with whether its owner has blocked the viewer; in no order. */
export function listPublic(
  db: Db,
  userIds: readonly string[],
  viewerId: string,
): Promise<(PublicRow & { isConcealed: boolean })[]> {
  const isConcealed = sql<boolean>`exists (
    select from ${blocks} where ${and(eq(blocks.blockerId, users.id), eq(blocks.blockedId, viewerId))})`
  return db
    .select({ ...publicColumns, isConcealed })
    .from(users)
    .where(inArray(users.id, [...userIds]))
}

/**
 * They stay living, and nobody blocks them or is blocked by them, until the transaction ends: either locks its rows
 * first, and one under way is waited for. Rows are locked in the order of their ids, or two transactions could wait for
 * each other.
 */
export async function listLivingIds(tx: Tx, userIds: readonly string[]): Promise<string[]> {
  const isOne = inArray(users.id, [...userIds])
  const rows = await tx
    .select({ id: users.id })
    .from(users)
    .where(and(isOne, isLiving))
    .orderBy(asc(users.id))
    .for('share')
  return rows.map(({ id }) => id)
}

/**
 * By username prefix, exact phone or exact e-mail, any case, of those who have not blocked the viewer; exact usernames
 * come first.
 */
export function listMatching(db: Db, text: string, viewerId: string, limit: number): Promise<PublicRow[]> {
  const prefix = `${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
  const isMatch = or(sql`lower(${users.username}) like ${prefix}`, eq(users.phone, text), hasEmail(text))
  const block = and(eq(blocks.blockerId, users.id), eq(blocks.blockedId, viewerId))
  const isOpen = notExists(db.select({ id: blocks.blockerId }).from(blocks).where(block))
  return db
    .select(publicColumns)
    .from(users)
    .where(and(isMatch, isLiving, isNull(users.disabledAt), ne(users.id, viewerId), isOpen))
    .orderBy(sql`${hasUsername(text)} is not true`, asc(sql`lower(${users.username})`))
    .limit(limit)
}

/** Living accounts that hold one of these names. */
export function listHolders(db: Db, names: { phone?: string; email?: string | null; username?: string }) {
  const { phone, email, username } = names
  return db
    .select({
      hasPhone: sql<boolean>`${phone === undefined ? sql`false` : eq(users.phone, phone)}`,
      hasEmail: sql<boolean>`${email ? sql`coalesce(${hasEmail(email)}, false)` : sql`false`}`,
      hasUsername: sql<boolean>`${username === undefined ? sql`false` : hasUsername(username)}`,
    })
    .from(users)
    .where(
      and(
        isLiving,
        or(
          phone === undefined ? undefined : eq(users.phone, phone),
          email ? hasEmail(email) : undefined,
          username === undefined ? undefined : hasUsername(username),
        ),
      ),
    )
}

export async function insertUser(
  db: Db | Tx,
  user: { id: string; phone: string; email: string | null; username: string; passwordHash: string },
): Promise<void> {
  await db.insert(users).values(user)
}

/** @returns the row as it is now; undefined for an account that is not there any more */
export async function updateProfile(
  db: Db | Tx,
  userId: string,
  changes: { username?: string; bio?: string | null; avatarUrl?: string | null },
) {
  const [row] = await db
    .update(users)
    .set({ ...changes, updatedAt: sql`now()` })
    .where(and(eq(users.id, userId), isLiving))
    .returning({ ...publicColumns, updatedAt: users.updatedAt })
  return row
}

/** @returns the URL of the account's avatar; its row stays locked until the transaction ends */
export async function lockAvatar(tx: Tx, userId: string): Promise<string | null> {
  const [row] = await tx.select({ avatarUrl: users.avatarUrl }).from(users).where(eq(users.id, userId)).for('update')
  return row?.avatarUrl ?? null
}

export async function findAvatar(db: Db, userId: string): Promise<string | null> {
  const [row] = await db.select({ avatarUrl: users.avatarUrl }).from(users).where(eq(users.id, userId))
  return row?.avatarUrl ?? null
}

/** Takes all that is personal; what refers to the account stays. @returns false when it was deleted already */
export async function scrubUser(db: Tx, userId: string): Promise<boolean> {
  const scrubbed = await db
    .update(users)
    .set({
      phone: null,
      email: null,
      username: null,
      avatarUrl: null,
      bio: null,
      isPremium: false,
      lastSeenAt: null,
      // No algorithm writes this: nothing verifies against it.
      passwordHash: '!',
      deletedAt: sql`now()`,
      updatedAt: sql`now()`,
    })
    .where(and(eq(users.id, userId), isLiving))
    .returning({ id: users.id })
  return scrubbed.length > 0
}

/** An earlier instant than the one stored changes nothing. */
export async function updateLastSeen(db: Db, seen: { userIds: string[]; at: Date[] }): Promise<void> {
  // As text: the driver takes an array of dates for a date.
  const instants = seen.at.map((at) => at.toISOString())
  await db.execute(sql`
    update ${users} set last_seen_at = seen.at
    from unnest(${sql.param(seen.userIds)}::uuid[], ${sql.param(instants)}::timestamptz[]) as seen (id, at)
    where ${users.id} = seen.id and ${isLiving} and coalesce(${users.lastSeenAt} < seen.at, true)`)
}

export async function insertAuditLog(
  db: Db | Tx,
  entry: {
    id: string
    userId: string
    action: AuditAction
    ipAddress: string | null
    userAgent: string | null
    details: Record<string, unknown>
  },
): Promise<void> {
  await db.insert(auditLogs).values(entry)
}

/** For the operator: living accounts, the oldest first. */
export function listAccounts(db: Db): Promise<AccountRow[]> {
  return db.select(accountColumns).from(users).where(isLiving).orderBy(asc(users.createdAt), asc(users.id))
}

/** For the operator: by id, phone, e-mail or username. None can look like another. */
export async function findAccount(db: Db, name: string): Promise<AccountRow | undefined> {
  const isNamed = or(
    eq(sql`${users.id}::text`, name.toLowerCase()),
    eq(users.phone, name),
    hasEmail(name),
    hasUsername(name),
  )
  const [row] = await db.select(accountColumns).from(users).where(and(isNamed, isLiving))
  return row
}
