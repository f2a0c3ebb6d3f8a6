/** The web client at `/`: its page, its files, its service worker. */
import { Elysia } from 'elysia'
import { routeNotFound } from '../errors.ts'
import type { Log } from '../observability/log.ts'
import type { Coding, WebArchive, WebFile } from './web-archive.ts'
import { loadWeb } from './web-source.ts'

/** Nothing from elsewhere, nothing inline; text can become neither a script nor markup. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types app',
].join('; ')

const PAGE_HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()',
  'x-frame-options': 'DENY',
}
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** The best coding that both sides have (RFC 9110, 12.5.3), by the order we like them in. */
function chooseCoding(file: WebFile, accepted: string | null): Coding {
  const refused = new Set<string>()
  const taken = new Set<string>()
  for (const part of (accepted ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((word) => word.trim())
    const isRefused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
    ;(isRefused ? refused : taken).add(name)
  }
  const wanted = (coding: Coding) =>
    file.bodies[coding] !== undefined && !refused.has(coding) && (taken.has(coding) || taken.has('*'))
  return (['br', 'gzip'] as const).find(wanted) ?? 'identity'
}

/** Whether the client has this very answer (RFC 9110, 13.1.2). */
const isHeld = (ifNoneMatch: string | null, etag: string) =>
  ifNoneMatch?.split(',').some((given) => given.trim().replace(/^W\//, '') === etag) ?? false

function answer(archive: WebArchive, path: string, request: Request): Response {
  const file = archive.files.get(path)
  if (!file) throw routeNotFound()
  const coding = chooseCoding(file, request.headers.get('accept-encoding'))
  const etag = coding === 'identity' ? file.etag : file.etag.replace(/"$/, `-${coding}"`)
  const headers: Record<string, string> = {
    'content-type': file.type,
    'cache-control': file.isImmutable ? IMMUTABLE : 'no-cache',
    'cross-origin-resource-policy': 'same-origin',
    etag,
    vary: 'accept-encoding',
    ...(path === '/index.html' && PAGE_HEADERS),
    // A worker has a policy of its own.
    ...(path === '/sw.js' && { 'content-security-policy': "default-src 'none'; connect-src 'self'" }),
  }
  if (isHeld(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers })
  const body = archive.body(file, coding)
  return new Response(body, { headers: { ...headers, ...(coding !== 'identity' && { 'content-encoding': coding }) } })
}

const hidden = { detail: { hide: true } }

/** The client is loaded by the first request for it. */
export function web(log: Log) {
  let loading: Promise<WebArchive> | undefined
  const load = () => {
    loading ??= loadWeb(log).catch((error) => {
      loading = undefined
      throw error
    })
    return loading
  }
  return new Elysia()
    .get('/', async ({ request }) => answer(await load(), '/index.html', request), hidden)
    .get(
      '/assets/:name',
      async ({ request, params }) => answer(await load(), `/assets/${params.name}`, request),
      hidden,
    )
    .get('/sw.js', async ({ request }) => answer(await load(), '/sw.js', request), hidden)
    .get('/manifest.webmanifest', async ({ request }) => answer(await load(), '/manifest.webmanifest', request), hidden)
    .get('/favicon.ico', async ({ request }) => answer(await load(), '/favicon.ico', request), hidden)
}
