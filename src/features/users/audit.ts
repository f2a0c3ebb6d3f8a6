/** The audit log, as those read it whom it is about. `users.recordAudit` writes it. */
import type { Db } from '../../db/client.ts'
import { type CursorPage, cutPage, decodeCursor } from '../../http/cursor.ts'
import { listEntries } from './audit-store.ts'
import { type AuditLog, toAuditEntry } from './model.ts'

export type Audit = ReturnType<typeof createAudit>

export function createAudit({ db }: { db: Db }) {
  return {
    /** What the user did, the latest first. @throws AppError 400 for a cursor that is none */
    async list(userId: string, { limit = 50, cursor }: CursorPage): Promise<AuditLog> {
      const before = cursor === undefined ? undefined : decodeCursor(cursor)
      const rows = await listEntries(db, userId, { before, limit: limit + 1 })
      const { page, ...rest } = cutPage(rows, limit, ({ createdAt, id }) => ({ at: createdAt, id }))
      return { entries: page.map(toAuditEntry), ...rest }
    },
  }
}
