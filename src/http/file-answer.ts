/** A file as an answer: whole or a part of it, or only that it is still the one the client has. */
import { rangeNotSatisfiable } from '../errors.ts'
import type { OpenFile } from '../storage/storage.ts'
import { type Settings, takeHeaders } from './answer-headers.ts'
import { readRange } from './range.ts'

export interface FileHeaders {
  /** A strong entity tag, with its quotes. */
  etag: string
  'cache-control': string
  'content-type': string
  'content-disposition'?: string
}

/** Whatever a browser takes it for, it runs nothing and loads nothing: for files that are opened by themselves. */
const POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"

interface Arrival {
  request: Request
  set: Settings
}

/** @param resourcePolicy which pages may show it: `same-origin` or `cross-origin` (Cross-Origin-Resource-Policy) */
export function answerFile(
  { request, set }: Arrival,
  file: OpenFile,
  { 'content-type': contentType, 'content-disposition': disposition, ...of }: FileHeaders,
  resourcePolicy: 'same-origin' | 'cross-origin',
): Response {
  const common = takeHeaders(set)
  const always = { ...common, ...of, 'accept-ranges': 'bytes', 'cross-origin-resource-policy': resourcePolicy }
  // RFC 9110, 13.2.2: this before Range.
  if (isKnown(request.headers.get('if-none-match'), of.etag))
    return new Response(null, { status: 304, headers: always })

  const range = isRangeMeant(request, of.etag) ? readRange(request.headers.get('range'), file.size) : undefined
  if (range === 'unsatisfiable') {
    const headers = { ...always, 'cache-control': 'no-store', 'content-range': `bytes */${file.size}` }
    return Response.json(rangeNotSatisfiable(file.size).toJSON(), { status: 416, headers })
  }
  const headers = {
    ...always,
    'content-type': contentType,
    ...(disposition && { 'content-disposition': disposition }),
    'content-security-policy': POLICY,
    ...(range && { 'content-range': `bytes ${range.start}-${range.end - 1}/${file.size}` }),
    'content-length': String(range ? range.end - range.start : file.size),
  }
  const status = range ? 206 : 200
  if (request.method === 'HEAD') return new Response(onlyLength(file.size), { status, headers })
  return new Response(file.read(range), { status, headers })
}

/** Elysia answers HEAD by counting the bytes that GET would send: this tells their number, and the file is not read. */
const onlyLength = (byteLength: number) =>
  new ReadableStream<{ byteLength: number }>({
    start(controller) {
      controller.enqueue({ byteLength })
      controller.close()
    },
  })

/** RFC 9110, 14.2: of GET alone; 13.1.5: only for the very file that the client has a part of. A date names none of ours. */
function isRangeMeant(request: Request, etag: string): boolean {
  const condition = request.headers.get('if-range')
  return request.method === 'GET' && (condition === null || condition.trim() === etag)
}

/** RFC 9110, 13.1.2: any of the tags, weak ones too. */
function isKnown(header: string | null, etag: string): boolean {
  if (header === null) return false
  if (header.trim() === '*') return true
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? []
  return tags.some((tag) => tag.replace('W/', '') === etag)
}
