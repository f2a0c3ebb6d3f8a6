/** /sync and /chats/:chat_id/changes */
import { Elysia, t } from 'elysia'
import { validationFailed } from '../../errors.ts'
import { asMade } from '../../http/as-made.ts'
import { failures } from '../../http/failures.ts'
import { Uuid } from '../../http/text.ts'
import type { Guard } from '../auth/guard.ts'
import { Changes, ChangesPage, SyncRequest, SyncResponse } from './model.ts'
import type { Sync } from './service.ts'

const tags = ['Sync']

/** @throws AppError 400 when `chats` is there and no object */
function requireRecord(body: { chats?: unknown } | null | undefined): void {
  const chats = body?.chats
  const isRecord = typeof chats === 'object' && !Array.isArray(chats)
  if (chats !== undefined && !isRecord) throw validationFailed({ chats: 'must be an object with chat ids as keys' })
}

export const syncRoutes = ({ guard, sync }: { guard: Guard; sync: Sync }) =>
  new Elysia()
    .use(guard)
    .guard({ signedIn: true })
    .get(
      '/chats/:chat_id/changes',
      ({ userId, params, query, set }) => asMade<Changes>(set, sync.changes(userId, params.chat_id, query)),
      {
        params: t.Object({ chat_id: Uuid }),
        query: ChangesPage,
        response: { 200: Changes, ...failures(400, 401, 404, 429) },
        detail: {
          tags,
          summary: 'What happened in a chat',
          description: 'From one snapshot. Go on from `next` while `has_more`.',
        },
      },
    )
    .post('/sync', ({ userId, body, set }) => asMade<SyncResponse>(set, sync.sync(userId, body)), {
      // Elysia makes a record of whatever is none before it validates.
      transform: ({ body }) => requireRecord(body),
      body: SyncRequest,
      response: { 200: SyncResponse, ...failures(400, 401, 413, 429) },
      detail: {
        tags,
        summary: 'Catch up in all chats',
        description: 'Send the `seq` and `rev` held of each chat. Open the socket first, then sync, and drop repeats.',
      },
    })
