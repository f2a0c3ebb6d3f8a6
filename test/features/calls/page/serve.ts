/**
 * The page to call by hand: `sh deploy/run.sh bun test/features/calls/page/serve.ts`, with CORS_ORIGINS=http://localhost:8090
 * for the server. Sign two people in who have a direct chat, in two windows.
 */
import { join } from 'node:path'

/** Only these two files. 0 takes a free port. */
export function servePage(port = 0) {
  const file = (name: string, type: string) => () =>
    new Response(Bun.file(join(import.meta.dir, name)), { headers: { 'content-type': type } })
  return Bun.serve({
    port,
    hostname: '127.0.0.1',
    routes: { '/': file('index.html', 'text/html'), '/phone.js': file('phone.js', 'text/javascript') },
    fetch: () => new Response('Not here', { status: 404 }),
  })
}

if (import.meta.main) process.stdout.write(`Open http://localhost:${servePage(8090).port}\n`)
