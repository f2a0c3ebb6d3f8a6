/** The queries of those who read their own audit log. */
import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { auditLogs } from '../../db/schema/index.ts'

export type AuditRow = Awaited<ReturnType<typeof listEntries>>[number]

/** What the user did, the latest first. */
export function listEntries(db: Db, userId: string, page: { before?: { at: Date; id: string }; limit: number }) {
  const { before, limit } = page
  const isEarlier: SQL | undefined =
    before && sql`(${auditLogs.createdAt}, ${auditLogs.id}) < (${before.at}::timestamptz, ${before.id}::uuid)`
  return db
    .select({
      id: auditLogs.id,
      action: auditLogs.action,
      ipAddress: auditLogs.ipAddress,
      userAgent: auditLogs.userAgent,
      details: auditLogs.details,
      createdAt: auditLogs.createdAt,
    })
    .from(auditLogs)
    .where(and(eq(auditLogs.userId, userId), isEarlier))
    .orderBy(desc(auditLogs.createdAt), desc(auditLogs.id))
    .limit(limit)
}
