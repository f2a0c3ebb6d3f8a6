/** /chats */
import { Elysia, t } from 'elysia'
import { asMade } from '../../http/as-made.ts'
import { CursorPage } from '../../http/cursor.ts'
import { failures } from '../../http/failures.ts'
import { Uuid } from '../../http/text.ts'
import type { Guard } from '../auth/guard.ts'
import { saying } from '../auth/model.ts'
import type { Members } from './members.ts'
import {
  AddedMembers,
  AddMembers,
  Chat,
  ChatList,
  ChatOverview,
  CreateGroup,
  Marked,
  MarkRead,
  MemberList,
  MemberPage,
  Role,
  UpdateChat,
} from './model.ts'
import type { Reads } from './reads.ts'
import type { Chats } from './service.ts'

const OneChat = t.Object({ chat_id: Uuid })
const OneMember = t.Object({ chat_id: Uuid, user_id: Uuid })
const Done = t.Object({ message: t.String() })
const chat = { tags: ['Chats'] }
const members = { tags: ['Members'] }

export const chatRoutes = (deps: { guard: Guard; chats: Chats; members: Members; reads: Reads }) =>
  new Elysia({ prefix: '/chats' })
    .use(deps.guard)
    .patch('/:chat_id', ({ userId, params, body }) => deps.chats.update(userId, params.chat_id, body), {
      signedInWithPicture: true,
      params: OneChat,
      body: UpdateChat,
      response: { 200: ChatOverview, ...failures(400, 401, 403, 404, 408, 413, 429, 507) },
      detail: {
        ...chat,
        summary: 'Rename a group or a channel, or change its picture',
        description: 'Owner and admins. Only the fields that are sent change; null removes the picture.',
      },
    })
    .guard({ signedIn: true })
    .post('/', ({ userId, body, status }) => deps.chats.createGroup(userId, body).then((group) => status(201, group)), {
      body: CreateGroup,
      response: { 201: Chat, ...failures(400, 401, 403, 409, 413, 429) },
      detail: {
        ...chat,
        summary: 'Create a group',
        description: 'The creator is its owner and a member. Channels are made by `POST /channels`.',
      },
    })
    .get('/', ({ userId, query, set }) => asMade<ChatList>(set, deps.chats.list(userId, query)), {
      query: CursorPage,
      response: { 200: ChatList, ...failures(400, 401, 429) },
      detail: {
        ...chat,
        summary: 'My chats',
        description: 'Newest activity first, with the last message, unread count and the other one of a direct chat.',
      },
    })
    .get(
      '/dm/:user_id',
      async ({ userId, params, status }) => {
        const { chat: dm, isNew } = await deps.chats.getOrCreateDm(userId, params.user_id)
        return isNew ? status(201, dm) : status(200, dm)
      },
      {
        params: t.Object({ user_id: Uuid }),
        response: { 200: ChatOverview, 201: ChatOverview, ...failures(400, 401, 403, 404, 429) },
        detail: { ...chat, summary: 'The direct chat with a user', description: '201 when it was made by this call.' },
      },
    )
    .get('/:chat_id', ({ userId, params }) => deps.chats.get(userId, params.chat_id), {
      params: OneChat,
      response: { 200: ChatOverview, ...failures(400, 401, 404, 429) },
      detail: { ...chat, summary: 'One of my chats', description: 'A direct chat, a group or a channel.' },
    })
    .delete('/:chat_id', ({ userId, params }) => saying('Chat deleted', deps.chats.delete(userId, params.chat_id)), {
      params: OneChat,
      response: { 200: Done, ...failures(400, 401, 403, 404, 429) },
      detail: {
        ...chat,
        summary: 'Delete a group or a channel',
        description: 'With all its messages, for everybody. Owner only.',
      },
    })
    .post(
      '/:chat_id/read',
      async ({ userId, params, body }) => {
        const { unread_count, last_read_seq } = await deps.reads.markRead(userId, params.chat_id, body?.seq)
        return { message: 'Marked as read' as const, unread_count, last_read_seq }
      },
      {
        params: OneChat,
        body: t.Optional(t.Nullable(MarkRead)),
        response: { 200: Marked, ...failures(400, 401, 404, 413, 429) },
        detail: {
          ...chat,
          summary: 'Mark a chat as read',
          description: 'Up to `seq`, or all of it. A mark only moves forward.',
        },
      },
    )
    .get('/:chat_id/members', ({ userId, params, query }) => deps.members.list(userId, params.chat_id, query), {
      params: OneChat,
      query: MemberPage,
      response: { 200: MemberList, ...failures(400, 401, 403, 404, 429) },
      detail: {
        ...members,
        summary: 'Members of a chat',
        description: 'In the order of joining. Of a channel: for its owner and admins.',
      },
    })
    .post('/:chat_id/members', ({ userId, params, body }) => deps.members.add(userId, params.chat_id, body.user_ids), {
      params: OneChat,
      body: AddMembers,
      response: { 200: AddedMembers, ...failures(400, 401, 403, 404, 409, 413, 429) },
      detail: {
        ...members,
        summary: 'Add members',
        description: 'Owner and admins. All are added, or none. Whoever was removed is let in again.',
      },
    })
    .patch(
      '/:chat_id/members/:user_id',
      ({ userId, params, body }) => deps.members.setRole(userId, params.chat_id, params.user_id, body.role),
      {
        params: OneMember,
        body: t.Object({ role: Role }),
        response: { 200: t.Object({ user_id: Uuid, role: Role }), ...failures(400, 401, 403, 404, 413, 429) },
        detail: { ...members, summary: 'Change a role', description: 'Owner only. `owner` hands the ownership over.' },
      },
    )
    .delete(
      '/:chat_id/members/:user_id',
      ({ userId, params }) => saying('Member removed', deps.members.remove(userId, params.chat_id, params.user_id)),
      {
        params: OneMember,
        response: { 200: Done, ...failures(400, 401, 403, 404, 409, 429) },
        detail: {
          ...members,
          summary: 'Remove a member, or leave',
          description:
            'Oneself to leave. Admins remove members, the owner anybody. Whoever was removed comes back only by being added.',
        },
      },
    )
