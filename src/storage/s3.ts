/** Files with a service that speaks S3, by Bun's own client. They are read through this server, in parts. */
import { open, rm } from 'node:fs/promises'
import type { Log } from '../observability/log.ts'
import {
  isDiskFull,
  isKey,
  requireFolder,
  requireKey,
  type Span,
  type Storage,
  StorageFull,
  StorageUnavailable,
} from './storage.ts'

export interface S3Options {
  endpoint: string
  bucket: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  log: Log
  /** How long one request may take; uploads get more, by their size. */
  timeoutMs?: number
  /** Between two tries; longer each time. */
  retryAfterMs?: number
}

const TRIES = 3
/** What a reader has in memory: a slow one keeps no more waiting here than this. */
const READ_BYTES = 512 * 1024
const FETCH_BYTES = 4 * 1024 * 1024
/** Parts of an upload, the smallest that S3 takes: two are in memory at once. */
const PART_BYTES = 5 * 1024 * 1024
const PARTS_AT_ONCE = 1
/** The slowest line that an upload may have. */
const BYTES_PER_MS = 128
const CHECK_EVERY_MS = 10_000
const DELETES_AT_ONCE = 10

const MISSING = new Set(['NoSuchKey', 'NotFound'])
/** Trying again changes nothing. */
const REFUSALS = new Set([
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'NoSuchBucket',
  'AuthorizationHeaderMalformed',
])
// Amazon has room for all; others say it in these words.
const FULL = new Set(['InsufficientStorage', 'XMinioStorageFull', 'QuotaExceeded', 'InsufficientCapacity'])

export function createS3Storage(options: S3Options): Storage {
  const {
    log,
    timeoutMs = 10_000,
    retryAfterMs = 200,
    endpoint,
    bucket,
    region,
    accessKeyId,
    secretAccessKey,
  } = options
  const client = new Bun.S3Client({ endpoint, bucket, region, accessKeyId, secretAccessKey })
  let wellAt = Number.NEGATIVE_INFINITY

  /** @throws StorageFull, StorageUnavailable; what is wrong on this machine as it is */
  async function ask<T>(what: string, work: () => Promise<T>, limitMs = timeoutMs): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await within(limitMs, work())
      } catch (error) {
        const code = codeOf(error)
        if (!isOfService(error) || MISSING.has(code)) throw error
        if (FULL.has(code)) throw new StorageFull(error)
        if (tries >= TRIES || REFUSALS.has(code)) {
          log.warn('The storage of files does not answer as it should', { what, code, tries, error })
          throw new StorageUnavailable(error)
        }
        await Bun.sleep(retryAfterMs * 4 ** (tries - 1))
      }
    }
  }

  /** @returns undefined when there is none of this key */
  async function sizeOf(key: string): Promise<number | undefined> {
    requireKey(key)
    try {
      return (await ask('stat', () => client.stat(key))).size
    } catch (error) {
      if (MISSING.has(codeOf(error))) return undefined
      throw error
    }
  }

  const readPart = (key: string, { start, end }: Span): Promise<Uint8Array> =>
    ask('read', async () => {
      const bytes = await client.file(key).slice(start, end).bytes()
      if (bytes.length !== end - start) throw new Cut()
      return bytes
    })

  return {
    async put(key, path, contentType) {
      requireKey(key)
      const file = Bun.file(path)
      const { size } = await file.stat()
      const upload = { type: contentType, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE, retry: TRIES - 1 }
      const stored = async () => {
        if ((await client.write(key, file, upload)) !== size) throw new Cut()
      }
      await ask('put', stored, timeoutMs + size / BYTES_PER_MS)
      await rm(path)
    },

    async open(key) {
      const size = await sizeOf(key)
      if (size === undefined) return undefined
      return { size, read: (span = { start: 0, end: size }) => streamOf(span, (part) => readPart(key, part)) }
    },

    async fetch(key, path) {
      const size = await sizeOf(key)
      if (size === undefined) return false
      const file = await open(path, 'w')
      try {
        for (let start = 0; start < size; start += FETCH_BYTES) {
          await file.writeFile(await readPart(key, { start, end: Math.min(start + FETCH_BYTES, size) }))
        }
      } catch (error) {
        await rm(path, { force: true })
        throw isDiskFull(error) ? new StorageFull(error) : error
      } finally {
        await file.close()
      }
      return true
    },

    async delete(keys) {
      for (const key of keys) requireKey(key)
      for (let at = 0; at < keys.length; at += DELETES_AT_ONCE) {
        const some = keys.slice(at, at + DELETES_AT_ONCE)
        await Promise.all(some.map((key) => ask('delete', () => client.delete(key))))
      }
    },

    async *list(folder) {
      requireFolder(folder)
      let startAfter: string | undefined
      do {
        const page = await ask('list', () => client.list({ prefix: folder, startAfter }))
        const contents = page.contents ?? []
        for (const { key, size = 0, lastModified } of contents) {
          if (isKey(key)) yield { key, size, modifiedAt: new Date(lastModified ?? 0) }
        }
        startAfter = page.isTruncated ? contents.at(-1)?.key : undefined
      } while (startAfter !== undefined)
    },

    async check() {
      // Whoever asks for the server's health does not make it ask each time.
      if (performance.now() - wellAt < CHECK_EVERY_MS) return
      await ask('check', () => client.list({ prefix: 'uploads/', maxKeys: 1 }))
      wellAt = performance.now()
    },
  }
}

/** The answer is shorter than it should be. */
class Cut extends Error {
  override readonly name = 'S3Error'
  readonly code = 'Cut'
}

class TooSlow extends Error {
  override readonly name = 'S3Error'
  readonly code = 'TooSlow'
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')
const isOfService = (error: unknown) => error instanceof Error && error.name === 'S3Error'

/** Bun's client has no deadline: a request that is given up here ends by itself, sometime, and nobody hears of it. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new TooSlow()), limitMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** One part after the other, each when the one before has been taken. */
function streamOf({ start, end }: Span, readPart: (span: Span) => Promise<Uint8Array>): ReadableStream<Uint8Array> {
  let at = start
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = Math.min(at + READ_BYTES, end)
        if (at < next) controller.enqueue(await readPart({ start: at, end: next }))
        at = next
        if (at >= end) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}
