/** /calls */
import { Elysia } from 'elysia'
import { failures } from '../../http/failures.ts'
import type { Guard } from '../auth/guard.ts'
import type { Ice } from './ice.ts'
import { IceServers } from './model.ts'

export const callRoutes = ({ guard, ice }: { guard: Guard; ice: Ice }) =>
  new Elysia({ prefix: '/calls', detail: { tags: ['Calls'] } })
    .use(guard)
    .guard({ signedIn: true })
    .get('/ice-servers', ({ userId }) => ice.serversOf(userId), {
      response: { 200: IceServers, ...failures(401, 429) },
      detail: {
        summary: 'STUN and TURN servers',
        description:
          'For `RTCPeerConnection`, with credentials of your own that end. Ask before each call, and before each restart of ' +
          'ICE. The rest of a call goes over the WebSocket.',
      },
    })
