/** /users/me/audit */
import { Elysia } from 'elysia'
import { CursorPage } from '../../http/cursor.ts'
import { failures } from '../../http/failures.ts'
import type { Guard } from '../auth/guard.ts'
import type { Audit } from './audit.ts'
import { AuditLog } from './model.ts'

export const createAuditRoutes = ({ audit, guard }: { audit: Audit; guard: Guard }) =>
  new Elysia({ prefix: '/users', detail: { tags: ['Users'] } })
    .use(guard)
    .get('/me/audit', ({ userId, query }) => audit.list(userId, query), {
      signedIn: true,
      query: CursorPage,
      response: { 200: AuditLog, ...failures(400, 401, 429) },
      detail: {
        summary: 'What happened to my account',
        description: 'Logins, logouts, changes of the password and the profile, with the address; the latest first.',
      },
    })
