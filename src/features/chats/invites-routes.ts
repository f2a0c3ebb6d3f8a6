/** /chats/:chat_id/invites and /invites */
import { Elysia, t } from 'elysia'
import { failures } from '../../http/failures.ts'
import { Uuid } from '../../http/text.ts'
import type { Guard } from '../auth/guard.ts'
import { Done, saying } from '../auth/model.ts'
import type { Invites } from './invites.ts'
import { ChatOverview, CreateInvite, Invite, InviteCode, InviteList, InvitePreview } from './model.ts'

const OneChat = t.Object({ chat_id: Uuid })
const OneCode = t.Object({ code: InviteCode })
const OneInvite = t.Object({ chat_id: Uuid, code: InviteCode })
const detail = { tags: ['Members'] }

export const inviteRoutes = ({ guard, invites }: { guard: Guard; invites: Invites }) =>
  new Elysia()
    .use(guard)
    .guard({ signedIn: true })
    .post(
      '/chats/:chat_id/invites',
      ({ userId, params, body, status }) =>
        invites.create(userId, params.chat_id, body ?? {}).then((invite) => status(201, invite)),
      {
        params: OneChat,
        body: t.Optional(t.Nullable(CreateInvite)),
        response: { 201: Invite, ...failures(400, 401, 403, 404, 409, 413, 429) },
        detail: {
          ...detail,
          summary: 'Make an invite',
          description:
            'To a group or a channel: whoever knows its code may join. Owner and admins; at most 100 at a time.',
        },
      },
    )
    .get('/chats/:chat_id/invites', ({ userId, params }) => invites.list(userId, params.chat_id), {
      params: OneChat,
      response: { 200: InviteList, ...failures(400, 401, 403, 404, 429) },
      detail: {
        ...detail,
        summary: 'Invites of a chat',
        description: 'Owner and admins. Those that somebody can still join by, the latest first.',
      },
    })
    .delete(
      '/chats/:chat_id/invites/:code',
      ({ userId, params }) => saying('Invite revoked', invites.revoke(userId, params.chat_id, params.code)),
      {
        params: OneInvite,
        response: { 200: Done('Invite revoked'), ...failures(400, 401, 403, 404, 429) },
        detail: {
          ...detail,
          summary: 'Revoke an invite',
          description: 'Owner and admins. Nobody joins by it any more; who has joined stays.',
        },
      },
    )
    .get('/invites/:code', ({ params }) => invites.preview(params.code), {
      params: OneCode,
      response: { 200: InvitePreview, ...failures(400, 401, 404, 429) },
      detail: {
        ...detail,
        summary: 'What an invite leads to',
        description: 'The name and the size, for whoever knows the code; without joining.',
      },
    })
    .post('/invites/:code/join', ({ userId, params }) => invites.join(userId, params.code), {
      params: OneCode,
      response: { 200: ChatOverview, ...failures(400, 401, 403, 404, 409, 429) },
      detail: {
        ...detail,
        summary: 'Join by an invite',
        description:
          'Joining again answers the same and uses nothing up. Whoever was removed has to be added. A code that is unknown, ' +
          'revoked, expired or used up is 404.',
      },
    })
