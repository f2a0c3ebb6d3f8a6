/**
 * What Bun and Elysia do at most where nothing else is asked of them, as programs of their own: `raw.ts publish` sends
 * each frame to every socket, with an answer to the sender; `raw.ts route` answers one constant.
 */
import { Elysia } from 'elysia'

const TOPIC = 'all'

/** The frames of the product, so that the same client understands them. */
function publish(): number {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('no socket', { status: 400 })),
    websocket: {
      perMessageDeflate: false,
      backpressureLimit: 1024 ** 2,
      open(ws) {
        ws.subscribe(TOPIC)
        ws.send('{"type":"user_chats"}')
      },
      message(ws, text) {
        ws.send('{"type":"ack"}')
        server.publish(TOPIC, eventOf(String(text)))
      },
    },
  })
  return server.port ?? 0
}

/** As long as an event of the product about the same message. */
const FIELDS = JSON.stringify({ id: crypto.randomUUID(), sender_id: crypto.randomUUID(), at: [...Array(50).keys()] })
const eventOf = (text: string) => `{"type":"new_message","message":${FIELDS},"of":${text}}`

/** As much as `GET /users/me` answers. */
function route(): number {
  const me = JSON.parse(process.argv[3] ?? '{}') as Record<string, unknown>
  const app = new Elysia().get('/api/v1/users/me', () => me).listen({ port: 0, hostname: '127.0.0.1' })
  return app.server?.port ?? 0
}

if (import.meta.main) process.stdout.write(`${process.argv[2] === 'publish' ? publish() : route()}\n`)
