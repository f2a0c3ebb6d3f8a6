/** Swagger UI from the server's own files: it works without the internet. */
import { Elysia, type InternalRoute } from 'elysia'
import favicon from 'swagger-ui-dist/favicon-32x32.png' with { type: 'file' }
import style from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import { version } from '../../package.json'
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
const TAGS = [
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
]
const DOCUMENT = '/swagger/json'

/** @param listRoutes all of the app: asked when somebody reads of them */
export function docs(listRoutes: () => InternalRoute[]) {
  let document: Promise<unknown> | undefined
  return new Elysia()
    .get('/swagger', () => text(PAGE, 'text/html'), hidden)
    .get('/swagger/start.js', () => text(START, 'text/javascript'), hidden)
    .get('/swagger/swagger-ui-bundle.js', () => file(bundle, 'text/javascript; charset=utf-8'), hidden)
    .get('/swagger/swagger-ui.css', () => file(style, 'text/css; charset=utf-8'), hidden)
    .get('/swagger/favicon.png', () => file(favicon, 'image/png'), hidden)
    .get(
      DOCUMENT,
      () => {
        document ??= describe(listRoutes()).catch((error) => {
          // Kept is what was made alone: the next to ask tries again.
          document = undefined
          throw error
        })
        return document
      },
      hidden,
    )
}

/** An app that answers for the routes of another one. */
class Describing extends Elysia {
  constructor(private readonly described: InternalRoute[]) {
    super()
  }

  protected override getGlobalRoutes(): InternalRoute[] {
    return this.described
  }
}

/** The plugin is loaded when it is asked: it takes some megabytes, on most servers for nobody. */
async function describe(routes: InternalRoute[]): Promise<unknown> {
  const { swagger } = await import('@elysiajs/swagger')
  const describing = new Describing(routes).use(
    swagger({
      specPath: DOCUMENT,
      exclude: [/^\/swagger/],
      documentation: {
        openapi: '3.1.0',
        info: { title: 'messenger', version, description: WEBSOCKET_DOCS },
        components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
        tags: TAGS.map((name) => ({ name })),
      },
    }),
  )
  const answer = await describing.handle(new Request(`http://localhost${DOCUMENT}`))
  return tidyOpenApi(await answer.json())
}
