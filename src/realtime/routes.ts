/** /ws */
import type { Server } from 'bun'
import { Elysia } from 'elysia'
import { failures } from '../http/failures.ts'
import { SOCKET_DOCS } from '../http/websocket-docs.ts'
import type { Gateway } from './gateway.ts'
import type { Socket } from './socket.ts'

export const socketRoutes = (gateway: Gateway) =>
  new Elysia().get('/ws', ({ request, server }) => gateway.upgrade(request, server as unknown as Server<Socket>), {
    response: failures(400, 401, 403, 429),
    detail: { tags: ['Real time'], summary: 'Open the WebSocket', description: SOCKET_DOCS },
  })
