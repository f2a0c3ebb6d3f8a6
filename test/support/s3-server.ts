/**
 * A service that speaks S3, made for the tests: path-style addresses, signatures of version 4 that are checked, ranges,
 * multipart uploads with the limits of Amazon's, lists in pages. No such server that is kept up comes from the registries
 * whose packages the tests may install.
 */
import { createHash } from 'node:crypto'
import { type Credentials, whyUnsigned } from './s3-signature.ts'

export interface S3Request {
  /** PutObject, GetObject... as S3 calls them. */
  operation: string
  key: string
  query: URLSearchParams
  headers: Headers
}

export interface TestS3 {
  endpoint: string
  bucket: string
  credentials: Credentials
  /** Every request so far, refused ones too. */
  requests: S3Request[]
  /** The finished files. */
  objects: ReadonlyMap<string, { bytes: Buffer; type: string; etag: string }>
  /** Uploads in parts that were neither completed nor aborted. */
  openUploads(): number
  /** Answers in the place of the service when it returns something. */
  intercept: ((request: S3Request) => Response | Promise<Response> | undefined) | undefined
  stop(): Promise<void>
}

const MIN_PART_BYTES = 5 * 1024 * 1024
const STATUSES: Record<string, number> = {
  NoSuchKey: 404,
  NoSuchBucket: 404,
  NoSuchUpload: 404,
  InvalidRange: 416,
  EntityTooSmall: 400,
  InvalidPart: 400,
  AuthorizationHeaderMalformed: 400,
  XAmzContentSHA256Mismatch: 400,
  MethodNotAllowed: 405,
  SlowDown: 503,
  InternalError: 500,
  InsufficientStorage: 507,
}

const xml = (body: string, status = 200) =>
  new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`, {
    status,
    headers: { 'content-type': 'application/xml' },
  })
/** An error as S3 answers it. */
export const s3Failure = (code: string, status = STATUSES[code] ?? 403) =>
  xml(`<Error><Code>${code}</Code><Message>${code}</Message><RequestId>1</RequestId></Error>`, status)
const etagOf = (bytes: Uint8Array) => `"${createHash('md5').update(bytes).digest('hex')}"`

export function startS3({ bucket = 'media', region = 'eu-test-1' } = {}): TestS3 {
  const credentials = { accessKeyId: 'test-key', secretAccessKey: 'test-secret/with+signs', region }
  const objects = new Map<string, { bytes: Buffer; type: string; etag: string; at: Date }>()
  const uploads = new Map<string, { key: string; type: string; parts: Map<number, Buffer> }>()
  const requests: S3Request[] = []
  let uploadIds = 0

  function operationOf(method: string, key: string, query: URLSearchParams): string {
    if (key === '') return method === 'GET' && query.get('list-type') === '2' ? 'ListObjectsV2' : 'MethodNotAllowed'
    if (query.has('uploads')) return 'CreateMultipartUpload'
    if (query.has('uploadId')) {
      const of: Record<string, string> = {
        PUT: 'UploadPart',
        POST: 'CompleteMultipartUpload',
        DELETE: 'AbortMultipartUpload',
      }
      return of[method] ?? 'MethodNotAllowed'
    }
    const of: Record<string, string> = {
      PUT: 'PutObject',
      GET: 'GetObject',
      HEAD: 'HeadObject',
      DELETE: 'DeleteObject',
    }
    return of[method] ?? 'MethodNotAllowed'
  }

  const store = (key: string, bytes: Buffer, type: string) =>
    objects.set(key, { bytes, type, etag: etagOf(bytes), at: new Date() })

  function handle({ operation, key, query, headers }: S3Request, body: Buffer): Response {
    const type = headers.get('content-type') ?? 'binary/octet-stream'
    const upload = uploads.get(query.get('uploadId') ?? '')
    switch (operation) {
      case 'PutObject':
        store(key, body, type)
        return new Response(null, { headers: { etag: etagOf(body) } })
      case 'GetObject':
      case 'HeadObject':
        return read(key, headers.get('range'), operation === 'HeadObject')
      case 'DeleteObject':
        objects.delete(key)
        return new Response(null, { status: 204 })
      case 'ListObjectsV2':
        return list(query)
      case 'CreateMultipartUpload':
        uploads.set(`upload-${++uploadIds}`, { key, type, parts: new Map() })
        return xml(`<InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${key}</Key>
          <UploadId>upload-${uploadIds}</UploadId></InitiateMultipartUploadResult>`)
      case 'UploadPart':
        if (!upload || upload.key !== key) return s3Failure('NoSuchUpload')
        upload.parts.set(Number(query.get('partNumber')), body)
        return new Response(null, { headers: { etag: etagOf(body) } })
      case 'CompleteMultipartUpload':
        if (!upload || upload.key !== key) return s3Failure('NoSuchUpload')
        return complete(query.get('uploadId') ?? '', upload, String(body))
      case 'AbortMultipartUpload':
        if (!uploads.delete(query.get('uploadId') ?? '')) return s3Failure('NoSuchUpload')
        return new Response(null, { status: 204 })
      default:
        return s3Failure('MethodNotAllowed')
    }
  }

  function read(key: string, range: string | null, isHead: boolean): Response {
    const found = objects.get(key)
    if (!found) return isHead ? new Response(null, { status: 404 }) : s3Failure('NoSuchKey')
    const { bytes, type, etag, at } = found
    const headers = {
      'content-type': type,
      etag,
      'last-modified': at.toUTCString(),
      'accept-ranges': 'bytes',
    }
    if (isHead) return new Response(null, { headers: { ...headers, 'content-length': String(bytes.length) } })
    const parts = /^bytes=(\d+)-(\d*)$/.exec(range ?? '')
    if (!parts) return new Response(bytes, { headers })
    const start = Number(parts[1])
    const end = Math.min(parts[2] === '' ? Number.POSITIVE_INFINITY : Number(parts[2]) + 1, bytes.length)
    if (start >= bytes.length || start >= end) return s3Failure('InvalidRange')
    return new Response(bytes.subarray(start, end), {
      status: 206,
      headers: { ...headers, 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` },
    })
  }

  function list(query: URLSearchParams): Response {
    const prefix = query.get('prefix') ?? ''
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const most = Math.min(Number(query.get('max-keys') ?? 1000), 1000)
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
    const page = keys.slice(0, most)
    const contents = page.map((key) => {
      const { bytes, etag, at } = objects.get(key) ?? { bytes: Buffer.alloc(0), etag: '', at: new Date() }
      return `<Contents><Key>${key}</Key><LastModified>${at.toISOString()}</LastModified><ETag>${etag.replaceAll('"', '&quot;')}</ETag>
        <Size>${bytes.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`
    })
    const isTruncated = keys.length > page.length
    return xml(`<ListBucketResult><Name>${bucket}</Name><Prefix>${prefix}</Prefix><KeyCount>${page.length}</KeyCount>
      <MaxKeys>${most}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${contents.join('')}
      ${isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''}</ListBucketResult>`)
  }

  function complete(
    id: string,
    { key, type, parts }: { key: string; type: string; parts: Map<number, Buffer> },
    body: string,
  ) {
    const named = [...body.matchAll(/<PartNumber>(\d+)<\/PartNumber>\s*<ETag>([^<]*)<\/ETag>/g)]
    const chosen = named.map(([, number, etag = '']) => {
      const bytes = parts.get(Number(number))
      return bytes && etagOf(bytes) === etag.replaceAll('&quot;', '"') ? bytes : undefined
    })
    if (chosen.length === 0 || chosen.includes(undefined)) return s3Failure('InvalidPart')
    const whole = chosen.filter((one) => one !== undefined)
    if (whole.slice(0, -1).some((bytes) => bytes.length < MIN_PART_BYTES)) return s3Failure('EntityTooSmall')
    const bytes = Buffer.concat(whole)
    store(key, bytes, type)
    uploads.delete(id)
    return xml(`<CompleteMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${key}</Key><ETag>${etagOf(bytes)}</ETag>
      </CompleteMultipartUploadResult>`)
  }

  const s3: TestS3 = {
    endpoint: '',
    bucket,
    credentials,
    requests,
    objects,
    openUploads: () => uploads.size,
    intercept: undefined,
    stop: () => server.stop(true),
  }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, searchParams: query } = new URL(request.url)
      const [, inBucket, ...segments] = pathname.split('/').map(decodeURIComponent)
      const key = segments.join('/')
      const asked = { operation: operationOf(request.method, key, query), key, query, headers: request.headers }
      requests.push(asked)
      const body = Buffer.from(await request.arrayBuffer())
      const instead = await s3.intercept?.(asked)
      if (instead) return instead
      if (inBucket !== bucket) return s3Failure('NoSuchBucket')
      const refusal = whyUnsigned(request, body, credentials)
      return refusal ? s3Failure(refusal) : handle(asked, body)
    },
  })
  s3.endpoint = `http://127.0.0.1:${server.port}`
  return s3
}
