/** The queries about calls. Instants are the database's: instances need not agree on the time. */
import { and, asc, eq, getTableColumns, inArray, lt, ne, or, sql } from 'drizzle-orm'
import type { Db, Tx } from '../../db/client.ts'
import { calls, chatMembers, users } from '../../db/schema/index.ts'
import { statement } from '../../db/statement.ts'
import type { Call } from './model.ts'

const isOpen = ne(calls.state, 'ended')

/** What the deadline of the state machine says, for the database: a party that is not there yet is null. */
const isOverdue = sql`${calls.state} <> 'ended' and least(
  case when ${calls.state} = 'ringing' then ${calls.ringUntil} end, ${calls.callerUntil}, ${calls.calleeUntil}
) <= now()`

type Row = typeof calls.$inferSelect

export async function readClock(tx: Tx): Promise<Date> {
  const [row] = await tx.execute<{ now: Date }>(sql`select clock_timestamp()::timestamptz(3) as now`)
  return new Date(row?.now ?? Date.now())
}

/**
 * The living accounts among these, locked until the transaction ends: each of two that call each other sees the other's
 * call, and a deletion or a block waits.
 */
export async function lockUsers(tx: Tx, userIds: readonly string[]): Promise<void> {
  await tx
    .select({ id: users.id })
    .from(users)
    .where(inArray(users.id, [...userIds]))
    .orderBy(asc(users.id))
    .for('no key update')
}

/** The other one of a direct chat. */
export async function findPeerId(tx: Tx, chatId: string, userId: string): Promise<string | undefined> {
  const [row] = await tx
    .select({ id: chatMembers.userId })
    .from(chatMembers)
    .where(and(eq(chatMembers.chatId, chatId), ne(chatMembers.userId, userId)))
  return row?.id
}

export async function insertCall(tx: Tx, call: Call): Promise<void> {
  await tx.insert(calls).values(toRow(call))
}

/** Locks the call's row until the transaction ends. */
export async function lockCall(tx: Tx, callId: string): Promise<Call | undefined> {
  const [row] = await tx.select().from(calls).where(eq(calls.id, callId)).for('update')
  return row && toCall(row)
}

export async function findCall(db: Db, callId: string): Promise<Call | undefined> {
  const [row] = await db.select().from(calls).where(eq(calls.id, callId))
  return row && toCall(row)
}

/** The open calls of any of these users, their rows locked until the transaction ends. */
export async function lockOpenCallsOf(tx: Tx, userIds: readonly string[]): Promise<Call[]> {
  const ids = [...userIds]
  const rows = await tx
    .select()
    .from(calls)
    .where(and(isOpen, or(inArray(calls.callerId, ids), inArray(calls.calleeId, ids))))
    .orderBy(asc(calls.id))
    .for('update')
  return rows.map(toCall)
}

export async function updateCall(tx: Tx, call: Call): Promise<void> {
  const { id, ...changes } = toRow(call)
  await tx.update(calls).set(changes).where(eq(calls.id, id))
}

/** The calls that ring for any of these users. */
export async function listRinging(db: Db, calleeIds: readonly string[]): Promise<Call[]> {
  const rows = await selectRinging(db, { calleeIds })
  return rows.map(toCall)
}

/** The states are written out: a plan that is kept knows no values, and could not use the index of open calls. */
const selectRinging = statement((db) => {
  const fields = getTableColumns(calls)
  const isRinging = sql`${calls.state} <> 'ended' and ${calls.state} = 'ringing'`
  const isCallee = sql`${calls.calleeId} = any(${sql.placeholder('calleeIds')}::uuid[])`
  return { fields, query: db.select().from(calls).where(and(isRinging, isCallee)) }
})

export async function listOverdueIds(db: Db, limit: number): Promise<string[]> {
  const rows = await db.select({ id: calls.id }).from(calls).where(isOverdue).limit(limit)
  return rows.map(({ id }) => id)
}

/** These devices are still there. @returns those of them that are in an open call */
export async function extendLeases(db: Db, devices: readonly string[], leaseMs: number): Promise<string[]> {
  const given = sql`any(${sql.param(devices)}::uuid[])`
  const until = sql`now() + ${leaseMs} * interval '1 millisecond'`
  const rows = await db
    .update(calls)
    .set({
      callerUntil: sql`case when ${calls.callerDevice} = ${given} then ${until} else ${calls.callerUntil} end`,
      calleeUntil: sql`case when ${calls.calleeDevice} = ${given} then ${until} else ${calls.calleeUntil} end`,
    })
    .where(and(isOpen, sql`(${calls.callerDevice} = ${given} or ${calls.calleeDevice} = ${given})`))
    .returning({ caller: calls.callerDevice, callee: calls.calleeDevice })
  return rows.flatMap(({ caller, callee }) => (callee ? [caller, callee] : [caller]))
}

/** Calls that have ended for `seconds` and whose message is neither stored nor given up. */
export async function listUnrecorded(db: Db, seconds: number, limit: number): Promise<Call[]> {
  const isOver = and(eq(calls.state, 'ended'), sql`not ${calls.isRecorded}`)
  const rows = await db
    .select()
    .from(calls)
    .where(and(isOver, lt(calls.endedAt, ago(seconds))))
    .orderBy(asc(calls.endedAt))
    .limit(limit)
  return rows.map(toCall)
}

export async function markRecorded(db: Db, callId: string): Promise<void> {
  await db.update(calls).set({ isRecorded: true }).where(eq(calls.id, callId))
}

export async function deleteRecorded(db: Db, seconds: number): Promise<void> {
  await db.delete(calls).where(and(eq(calls.isRecorded, true), lt(calls.endedAt, ago(seconds))))
}

const ago = (seconds: number) => sql`now() - ${seconds} * interval '1 second'`

function toCall(row: Row): Call {
  const { callerDevice, callerSession, callerUntil, calleeDevice, calleeSession, calleeUntil, isRecorded, ...rest } =
    row
  const isAnswered = calleeDevice !== null && calleeSession !== null && calleeUntil !== null
  return {
    ...rest,
    caller: { device: callerDevice, session: callerSession, until: callerUntil },
    callee: isAnswered ? { device: calleeDevice, session: calleeSession, until: calleeUntil } : null,
  }
}

const toRow = ({ caller, callee, ...rest }: Call) => ({
  ...rest,
  callerDevice: caller.device,
  callerSession: caller.session,
  callerUntil: caller.until,
  calleeDevice: callee?.device ?? null,
  calleeSession: callee?.session ?? null,
  calleeUntil: callee?.until ?? null,
})
