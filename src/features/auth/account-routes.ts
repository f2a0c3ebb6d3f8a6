import { Elysia } from 'elysia'
import { failures } from '../../http/failures.ts'
import type { Accounts } from './accounts.ts'
import type { Guard } from './guard.ts'
import { ChangePassword, Done, saying } from './model.ts'

/** What belongs to the account behind a profile. */
export function createAccountRoutes({ accounts, guard }: { accounts: Accounts; guard: Guard }) {
  return new Elysia({ prefix: '/users', detail: { tags: ['Users'] } })
    .use(guard)
    .patch(
      '/me/password',
      ({ userId, sessionId, body, client }) =>
        saying('Password changed successfully', accounts.changePassword({ userId, sessionId }, body, client)),
      {
        signedIn: true,
        body: ChangePassword,
        response: { 200: Done('Password changed successfully'), ...failures(400, 401, 403, 413, 429) },
        detail: {
          summary: 'Change my password',
          description: 'Ends all other sessions. A wrong old password is 403, and counts like a login attempt.',
        },
      },
    )
    .delete(
      '/me',
      ({ userId, client }) => saying('Account deleted successfully', accounts.deleteAccount(userId, client)),
      {
        signedIn: true,
        response: { 200: Done('Account deleted successfully'), ...failures(401, 429) },
        detail: {
          summary: 'Delete my account',
          description: 'For ever. All that is personal is removed; messages stay, from a deleted account.',
        },
      },
    )
}
