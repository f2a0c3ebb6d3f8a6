/** Swagger UI from the server's own files: it works without the internet. */
import swagger from '@elysiajs/swagger'
import { Elysia } from 'elysia'
import favicon from 'swagger-ui-dist/favicon-32x32.png' with { type: 'file' }
import style from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import { version } from '../../package.json'
import { routeNotFound } from '../errors.ts'
import { tidyOpenApi } from './openapi.ts'
import { WEBSOCKET_DOCS } from './websocket-docs.ts'

const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>messenger API</title>
  <link rel="icon" href="/swagger/favicon.png">
  <link rel="stylesheet" href="/swagger/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/swagger/swagger-ui-bundle.js"></script>
  <script src="/swagger/start.js"></script>
</body>
</html>
`
const START = `window.ui = SwaggerUIBundle({
  url: '/swagger/json', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization: true, validatorUrl: null
})
`
// Swagger UI writes style attributes; nothing else from elsewhere may come in.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const text = (body: string, type: string) =>
  new Response(body, { headers: { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': POLICY } })
const file = (path: string, type: string) =>
  new Response(Bun.file(path), { headers: { 'content-type': type, 'cache-control': 'public, max-age=86400' } })
const hidden = { detail: { hide: true } }
/** The plugin's own page loads from elsewhere. */
const PLUGIN_PAGE = '/swagger/plugin'
const DOCUMENT = '/swagger/json'

/** Mount it on the app that has the routes. */
export function docs() {
  let document: unknown
  return new Elysia()
    .get('/swagger', () => text(PAGE, 'text/html'), hidden)
    .get('/swagger/start.js', () => text(START, 'text/javascript'), hidden)
    .get('/swagger/swagger-ui-bundle.js', () => file(bundle, 'text/javascript; charset=utf-8'), hidden)
    .get('/swagger/swagger-ui.css', () => file(style, 'text/css; charset=utf-8'), hidden)
    .get('/swagger/favicon.png', () => file(favicon, 'image/png'), hidden)
    .onBeforeHandle(({ path }) => {
      if (path === PLUGIN_PAGE) throw routeNotFound()
    })
    .onAfterHandle(({ path, responseValue }) => {
      if (path !== DOCUMENT) return
      document ??= tidyOpenApi(responseValue)
      return document
    })
    .use(
      swagger({
        path: PLUGIN_PAGE,
        specPath: DOCUMENT,
        exclude: [/^\/swagger/],
        documentation: {
          openapi: '3.1.0',
          info: { title: 'messenger', version, description: WEBSOCKET_DOCS },
          components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
          tags: [
            'Authentication',
            'Users',
            'Chats',
            'Members',
            'Channels',
            'Messages',
            'Media',
            'Sync',
            'Subscriptions',
            'Calls',
            'Real time',
            'Operation',
          ].map((name) => ({ name })),
        },
      }),
    )
}
