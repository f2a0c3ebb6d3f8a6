/** The queries about sessions. A session is alive while its row is there and has not expired, in an account that may sign in. */
import { and, desc, eq, gt, isNull, lt, ne, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { sessionTokens, users } from '../../db/schema/index.ts'
import { statement } from '../../db/statement.ts'
import type { TokenState } from './refresh-tokens.ts'

const isFresh = gt(sessionTokens.expiresAt, sql`now()`)
const maySignIn = and(isNull(users.deletedAt), isNull(users.disabledAt))
const inSeconds = (seconds: number) => sql`now() + make_interval(secs => ${seconds})`

const listedColumns = {
  id: sessionTokens.id,
  deviceInfo: sessionTokens.deviceInfo,
  ipAddress: sessionTokens.ipAddress,
  createdAt: sessionTokens.createdAt,
  lastUsedAt: sessionTokens.lastUsedAt,
  expiresAt: sessionTokens.expiresAt,
}
export type SessionRow = Pick<typeof sessionTokens.$inferSelect, keyof typeof listedColumns>

export async function insertSession(
  db: Db | Tx,
  session: TokenState & {
    id: string
    userId: string
    deviceInfo: { user_agent: string | null }
    ipAddress: string
    ttlSeconds: number
  },
): Promise<void> {
  const { ttlSeconds, ...row } = session
  await db.insert(sessionTokens).values({ ...row, expiresAt: inSeconds(ttlSeconds) })
}

/** What refreshing needs of a session that is alive. */
export async function findTokenState(db: Db, id: string): Promise<(TokenState & { userId: string }) | undefined> {
  const [row] = await db
    .select({
      userId: sessionTokens.userId,
      tokenHash: sessionTokens.tokenHash,
      nextTokenHash: sessionTokens.nextTokenHash,
      generation: sessionTokens.generation,
    })
    .from(sessionTokens)
    .innerJoin(users, eq(users.id, sessionTokens.userId))
    .where(and(eq(sessionTokens.id, id), isFresh, maySignIn))
  return row
}

const isIn = (id: string, state: TokenState) =>
  and(
    eq(sessionTokens.id, id),
    eq(sessionTokens.tokenHash, state.tokenHash),
    eq(sessionTokens.nextTokenHash, state.nextTokenHash),
  )

/** Compare and set. @returns false when the session was not in the state `from` any more */
export async function advanceSession(
  db: Db,
  id: string,
  from: TokenState,
  to: TokenState,
  ttlSeconds: number,
): Promise<boolean> {
  const moved = await db
    .update(sessionTokens)
    .set({ ...to, expiresAt: inSeconds(ttlSeconds), lastUsedAt: sql`now()` })
    .where(isIn(id, from))
    .returning({ id: sessionTokens.id })
  return moved.length > 0
}

/** Compare and set. @returns false when the session was not in the state `from` any more */
export async function rekeySession(db: Db, id: string, from: TokenState, nextTokenHash: string): Promise<boolean> {
  const changed = await db
    .update(sessionTokens)
    .set({ nextTokenHash })
    .where(isIn(id, from))
    .returning({ id: sessionTokens.id })
  return changed.length > 0
}

/** Which of these sessions are alive. */
export async function listAliveIds(db: Db, ids: readonly string[]): Promise<string[]> {
  const rows = await selectAlive(db, { ids })
  return rows.map(({ id }) => id)
}

/**
 * The ids travel as one array: there may be more than a statement's parameters. Each is looked up by itself: a plan that is
 * kept would go through all sessions by when they expire.
 */
const selectAlive = statement((db) => {
  const session = db
    .select({ id: sessionTokens.id })
    .from(sessionTokens)
    .innerJoin(users, eq(users.id, sessionTokens.userId))
    .where(and(sql`${sessionTokens.id} = given.id`, isFresh, maySignIn))
    .limit(1)
    .as('session')
  const fields = { id: session.id }
  const given = sql`unnest(${sql.placeholder('ids')}::uuid[]) given (id)`
  return { fields, query: db.select(fields).from(given).innerJoinLateral(session, sql`true`) }
})

/** The sessions of a user, the latest used first. */
export function listSessions(db: Db, userId: string): Promise<SessionRow[]> {
  return db
    .select(listedColumns)
    .from(sessionTokens)
    .where(and(eq(sessionTokens.userId, userId), isFresh))
    .orderBy(desc(sessionTokens.lastUsedAt), desc(sessionTokens.id))
}

/** Ends the sessions of a user: the one, all but the one, or all. @returns the ids of those that ended */
export async function deleteSessions(
  db: Db | Tx,
  userId: string,
  which: { only?: string; except?: string } = {},
): Promise<string[]> {
  const rows = await db
    .delete(sessionTokens)
    .where(
      and(
        eq(sessionTokens.userId, userId),
        which.only === undefined ? undefined : eq(sessionTokens.id, which.only),
        which.except === undefined ? undefined : ne(sessionTokens.id, which.except),
      ),
    )
    .returning({ id: sessionTokens.id })
  return rows.map(({ id }) => id)
}

export async function deleteExpiredSessions(db: Db): Promise<void> {
  await db.delete(sessionTokens).where(lt(sessionTokens.expiresAt, sql`now()`))
}
