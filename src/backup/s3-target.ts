/** Backups in a bucket of a service that speaks S3, by Bun's own client. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createLocalTarget } from './local-target.ts'
import { BackupBroken, type BackupTarget, requireName, TargetFull } from './target.ts'

export interface S3TargetOptions {
  /** `s3://bucket/folder` */
  url: string
  /** Unset: Amazon's, by the region. */
  endpoint: string | undefined
  region: string
  accessKeyId: string
  secretAccessKey: string
  /** A folder on a disk with room for the largest file: each waits there whole until it is sent, so that it can be sent again. */
  workFolder: string
}

const PART = { partSize: 8 * 1024 * 1024, queueSize: 2, retry: 3 }
const MISSING = new Set(['NoSuchKey', 'NotFound'])
/** Amazon has room for all; others say it in these words. */
const FULL = new Set(['InsufficientStorage', 'XMinioStorageFull', 'QuotaExceeded', 'InsufficientCapacity'])
const READ_BYTES = 4 * 1024 * 1024
const READ_TRIES = 3

/** @throws when `url` names no bucket */
export function createS3Target(options: S3TargetOptions): BackupTarget {
  const { url, endpoint, region, accessKeyId, secretAccessKey, workFolder } = options
  const [, bucket, folder = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/(.*?))?\/*$/.exec(url) ?? []
  if (bucket === undefined) throw new Error(`Not an address like s3://bucket/folder: ${url}`)
  const client = new Bun.S3Client({ bucket, region, accessKeyId, secretAccessKey, ...(endpoint && { endpoint }) })
  const prefix = folder === '' ? '' : `${folder}/`
  const keyOf = (name: string) => {
    requireName(name)
    return `${prefix}${name}`
  }

  async function* listKeys(under: string): AsyncGenerator<string> {
    let startAfter: string | undefined
    do {
      const page = await client.list({ prefix: under, startAfter })
      const keys = (page.contents ?? []).map(({ key }) => key)
      yield* keys
      startAfter = page.isTruncated ? keys.at(-1) : undefined
    } while (startAfter !== undefined)
  }

  async function sizeOf(name: string): Promise<number | undefined> {
    try {
      return (await client.stat(keyOf(name))).size
    } catch (error) {
      if (MISSING.has(codeOf(error))) return undefined
      throw error
    }
  }

  async function* readParts(name: string): AsyncGenerator<Uint8Array> {
    const size = await sizeOf(name)
    if (size === undefined) throw new BackupBroken(`${name} is missing`)
    for (let start = 0; start < size; start += READ_BYTES) {
      yield await readPart(keyOf(name), start, Math.min(start + READ_BYTES, size))
    }
  }

  async function readPart(key: string, start: number, end: number): Promise<Uint8Array> {
    for (let tries = 1; ; tries++) {
      try {
        return await client.file(key).slice(start, end).bytes()
      } catch (error) {
        if (tries >= READ_TRIES) throw error
        await Bun.sleep(500 * tries)
      }
    }
  }

  return {
    address: url,

    async write(name, body) {
      const key = keyOf(name)
      const directory = await mkdtemp(join(workFolder, 'backup-'))
      try {
        await createLocalTarget(directory).write('file', body)
        await client.write(key, Bun.file(join(directory, 'file')), PART)
      } catch (error) {
        throw FULL.has(codeOf(error)) ? new TargetFull(url, error) : error
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    },

    read: (name) => Readable.from(readParts(name), { objectMode: false }),

    sizeOf,

    async *list(under) {
      for await (const key of listKeys(keyOf(under))) yield key.slice(prefix.length)
    },

    async listFolders() {
      const folders = new Set<string>()
      let startAfter: string | undefined
      do {
        // Past all of a folder by its name: `0` follows `/`.
        const page = await client.list({ prefix, startAfter, maxKeys: 1 })
        const key = page.contents?.[0]?.key
        const name = key?.slice(prefix.length).split('/')[0]
        if (key?.slice(prefix.length).includes('/') && name !== undefined) folders.add(name)
        startAfter = name === undefined ? undefined : `${prefix}${name}0`
      } while (startAfter !== undefined)
      return [...folders].sort()
    },

    async removeFolder(name) {
      for await (const key of listKeys(keyOf(name))) await client.delete(key)
    },

    remove: (name) => client.delete(keyOf(name)),
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')
