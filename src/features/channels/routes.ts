/** /channels */
import { Elysia, t } from 'elysia'
import { failures } from '../../http/failures.ts'
import { Uuid } from '../../http/text.ts'
import type { Guard } from '../auth/guard.ts'
import { saying } from '../auth/model.ts'
import { Channel, ChannelList, ChannelPage, CreateChannel, UpdateChannel } from './model.ts'
import type { Channels } from './service.ts'

const OneChannel = t.Object({ id: Uuid })
const tags = ['Channels']

export const channelRoutes = ({ guard, channels }: { guard: Guard; channels: Channels }) =>
  new Elysia({ prefix: '/channels' })
    .use(guard)
    .patch('/:id', ({ userId, params, body }) => channels.update(userId, params.id, body), {
      signedInWithPicture: true,
      params: OneChannel,
      body: UpdateChannel,
      response: { 200: Channel, ...failures(400, 401, 403, 404, 408, 413, 429, 507) },
      detail: {
        tags,
        summary: 'Change a channel',
        description:
          'Owner and admins. Only the fields that are sent change; null clears the description and removes the picture.',
      },
    })
    .guard({ signedIn: true })
    .post('/', ({ userId, body, status }) => channels.create(userId, body).then((channel) => status(201, channel)), {
      body: CreateChannel,
      response: { 201: Channel, ...failures(400, 401, 413, 429) },
      detail: {
        tags,
        summary: 'Create a channel',
        description:
          'The creator is its owner and first subscriber. A channel is a chat too: posts, history, read marks and ' +
          'roles are those of `/chats` under the same id.',
      },
    })
    .get('/', ({ userId, query }) => channels.list(userId, query), {
      query: ChannelPage,
      response: { 200: ChannelList, ...failures(400, 401, 429) },
      detail: {
        tags,
        summary: 'Find public channels',
        description:
          'Those with the most subscribers first; one whose number changes between two pages may come twice.',
      },
    })
    .get('/:id', ({ userId, params }) => channels.get(userId, params.id), {
      params: OneChannel,
      response: { 200: Channel, ...failures(400, 401, 404, 429) },
      detail: {
        tags,
        summary: 'One channel',
        description:
          'Public ones for everybody, private ones for subscribers. Its posts are for subscribers in any case.',
      },
    })
    .post('/:id/subscribe', ({ userId, params }) => channels.subscribe(userId, params.id), {
      params: OneChannel,
      response: { 200: Channel, ...failures(400, 401, 403, 404, 429) },
      detail: {
        tags,
        summary: 'Subscribe',
        description:
          'To a public channel. Again changes nothing. Whoever was removed by its staff has to be added by them.',
      },
    })
    .delete('/:id/subscribe', ({ userId, params }) => saying('Unsubscribed', channels.unsubscribe(userId, params.id)), {
      params: OneChannel,
      response: { 200: t.Object({ message: t.String() }), ...failures(400, 401, 404, 409, 429) },
      detail: {
        tags,
        summary: 'Unsubscribe',
        description: 'Again changes nothing. The owner hands the channel over first.',
      },
    })
