/** /users/:user_id/block and /users/me/blocks */
import { Elysia, t } from 'elysia'
import { CursorPage } from '../../http/cursor.ts'
import { failures } from '../../http/failures.ts'
import { Uuid } from '../../http/text.ts'
import type { Guard } from '../auth/guard.ts'
import { Done, saying } from '../auth/model.ts'
import type { Blocks } from './blocks.ts'
import { BlockedUsers } from './model.ts'

const OneUser = t.Object({ user_id: Uuid })

export const createBlockRoutes = ({ blocks, guard }: { blocks: Blocks; guard: Guard }) =>
  new Elysia({ prefix: '/users', detail: { tags: ['Users'] } })
    .use(guard)
    .guard({ signedIn: true })
    .get('/me/blocks', ({ userId, query }) => blocks.list(userId, query), {
      query: CursorPage,
      response: { 200: BlockedUsers, ...failures(400, 401, 429) },
      detail: { summary: 'Whom I have blocked', description: 'The latest first.' },
    })
    .post('/:user_id/block', ({ userId, params }) => saying('User blocked', blocks.block(userId, params.user_id)), {
      params: OneUser,
      response: { 200: Done('User blocked'), ...failures(400, 401, 404, 429) },
      detail: {
        summary: 'Block somebody',
        description:
          'They can no longer open a direct chat with me, write in it, add me to a group, find me by searching or see ' +
          'when I am there. What was said stays readable for both, and I may still write.',
      },
    })
    .delete(
      '/:user_id/block',
      ({ userId, params }) => saying('User unblocked', blocks.unblock(userId, params.user_id)),
      {
        params: OneUser,
        response: { 200: Done('User unblocked'), ...failures(400, 401, 404, 429) },
        detail: { summary: 'Unblock somebody', description: 'Whoever is not blocked stays so.' },
      },
    )
