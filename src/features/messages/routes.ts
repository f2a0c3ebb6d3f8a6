/** /messages and /chats/:chat_id/messages */
import { Elysia, t } from 'elysia'
import { asMade } from '../../http/as-made.ts'
import { failures } from '../../http/failures.ts'
import { Uuid } from '../../http/text.ts'
import type { Guard } from '../auth/guard.ts'
import { EditMessage, History, HistoryPage, Message, SendMessage } from './model.ts'
import type { Messages } from './service.ts'

const OneChat = t.Object({ chat_id: Uuid })
const OneMessage = t.Object({ chat_id: Uuid, message_id: Uuid })
const tags = ['Messages']

export const messageRoutes = ({ guard, messages }: { guard: Guard; messages: Messages }) =>
  new Elysia()
    .use(guard)
    .guard({ signedIn: true })
    .post(
      '/messages',
      ({ userId, body, status }) => messages.send(userId, body).then(({ message }) => status(201, message)),
      {
        body: SendMessage,
        response: { 201: Message, ...failures(400, 401, 403, 404, 413, 429) },
        detail: {
          tags,
          summary: 'Send a message',
          description:
            'Stored when answered. A `client_id` makes it safe to repeat: the first message is answered again. In a channel ' +
            'its owner and admins post.',
        },
      },
    )
    .get(
      '/chats/:chat_id/messages',
      ({ userId, params, query, set }) => asMade<History>(set, messages.list(userId, params.chat_id, query)),
      {
        params: OneChat,
        query: HistoryPage,
        response: { 200: History, ...failures(400, 401, 404, 429) },
        detail: {
          tags,
          summary: 'History of a chat',
          description: 'Newest first by `offset` or `before_seq`, oldest first by `after_seq`.',
        },
      },
    )
    .get(
      '/chats/:chat_id/messages/:message_id',
      ({ userId, params }) => messages.get(userId, params.chat_id, params.message_id),
      {
        params: OneMessage,
        response: { 200: Message, ...failures(400, 401, 404, 429) },
        detail: {
          tags,
          summary: 'One message',
          description: 'What a reply replies to. A deleted one is its tombstone.',
        },
      },
    )
    .patch(
      '/chats/:chat_id/messages/:message_id',
      ({ userId, params, body }) => messages.edit(userId, params.chat_id, params.message_id, body.content),
      {
        params: OneMessage,
        body: EditMessage,
        response: { 200: Message, ...failures(400, 401, 403, 404, 409, 413, 429) },
        detail: { tags, summary: 'Edit a message', description: 'Its author only, while they may write in the chat.' },
      },
    )
    .delete(
      '/chats/:chat_id/messages/:message_id',
      ({ userId, params }) => messages.delete(userId, params.chat_id, params.message_id),
      {
        params: OneMessage,
        response: { 200: Message, ...failures(400, 401, 403, 404, 429) },
        detail: {
          tags,
          summary: 'Delete a message',
          description: 'Its author or an admin. A tombstone keeps its place.',
        },
      },
    )
