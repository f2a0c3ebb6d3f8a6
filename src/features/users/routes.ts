import { Elysia, t } from 'elysia'
import { asMade } from '../../http/as-made.ts'
import { failures } from '../../http/failures.ts'
import { Uuid } from '../../http/text.ts'
import type { Guard } from '../auth/guard.ts'
import { FoundUsers, OwnProfile, PublicProfile, SomeUsers, UpdatedProfile, UpdateProfile, UserSearch } from './model.ts'
import type { Users } from './service.ts'

/** Changing the password and deleting the account are the auth feature's. */
export function createUserRoutes({ users, guard }: { users: Users; guard: Guard }) {
  return new Elysia({ prefix: '/users', detail: { tags: ['Users'] } })
    .use(guard)
    .get('/me', ({ userId, set }) => asMade<OwnProfile>(set, users.getMe(userId)), {
      signedIn: true,
      response: { 200: OwnProfile, ...failures(401, 429) },
      detail: { summary: 'My profile', description: 'With the phone and the e-mail, which nobody else sees.' },
    })
    .patch('/me', ({ userId, body, client }) => users.updateProfile(userId, body, client), {
      signedInWithPicture: true,
      body: UpdateProfile,
      response: { 200: UpdatedProfile, ...failures(400, 401, 408, 409, 413, 429, 507) },
      detail: { summary: 'Change my profile', description: 'Only the fields that are sent change; null clears.' },
    })
    .get('/search', ({ userId, query }) => users.search(userId, query.q), {
      signedIn: true,
      query: UserSearch,
      response: { 200: FoundUsers, ...failures(400, 401, 429) },
      detail: {
        summary: 'Find people',
        description:
          'Up to 20 others whose username starts with `q`, or whose phone or e-mail is exactly `q`; nobody who has blocked me.',
      },
    })
    .get('/', ({ userId, query }) => users.profiles.list(userId, query.ids.split(',')), {
      signedIn: true,
      query: SomeUsers,
      response: { 200: FoundUsers, ...failures(400, 401, 429) },
      detail: {
        summary: 'Profiles of several',
        description: 'Up to 100 by their ids: whoever writes in a group. In no order, without those that do not exist.',
      },
    })
    .get('/:user_id', ({ userId, params }) => users.profiles.get(userId, params.user_id), {
      signedIn: true,
      params: t.Object({ user_id: Uuid }),
      response: { 200: PublicProfile, ...failures(400, 401, 404, 429) },
      detail: {
        summary: "Somebody's profile",
        description: 'A deleted account is answered too, with nulls and `is_deleted`.',
      },
    })
}
