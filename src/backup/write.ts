/** Makes a set: the database as of one moment, and the files of messages. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Database } from '../db/client.ts'
import { type DumpedTable, readSnapshot, type Snapshot } from '../db/dump.ts'
import type { Log } from '../observability/log.ts'
import type { Storage } from '../storage/storage.ts'
import { Digest, inBlocks, passing } from './digest.ts'
import {
  listSets,
  MANIFEST,
  type Manifest,
  MEDIA_FOLDER,
  MEDIA_LIST,
  type Part,
  readManifest,
  readMediaList,
  SUMS,
  setNameOf,
  sumLine,
  tableFile,
} from './set.ts'
import type { BackupTarget } from './target.ts'

export interface WriteOptions {
  target: BackupTarget
  parts: readonly Part[]
  /** Without a statement time-out. It is closed when writing fails. */
  database: Database
  storage: Storage
  version: string
  now: Date
  log: Log
}

export interface WrittenSet {
  set: string
  manifest: Manifest
  /** Files that the target did not have before. */
  copied: number
}

/** Between much of text and little time; the files of messages are packed already. */
const GZIP_LEVEL = 3
const MEDIA_FOLDERS = ['uploads/', 'avatars/']

/**
 * The files after the database, so that every file that its rows name is there; nothing may be cleared up meanwhile.
 * @throws TargetFull, NoMessengerDatabase. Nothing of the set is left then
 */
export async function writeSet(options: WriteOptions): Promise<WrittenSet> {
  const { target, parts, database, storage, version, now, log } = options
  const set = setNameOf(now)
  const sums: string[] = []
  if ((await target.listFolders()).includes(set)) throw new Error(`There is a set of this second already: ${set}`)

  async function write(file: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    const digest = new Digest()
    await target.write(`${set}/${file}`, passing(body, digest))
    sums.push(sumLine(digest.hex(), file))
  }

  async function writeTable(snapshot: Snapshot, table: DumpedTable): Promise<DumpedTable & { rows: number }> {
    const rows = new Digest()
    await pipeline(
      Readable.from(counted(inBlocks(await snapshot.read(table)), rows), { objectMode: false }),
      createGzip({ level: GZIP_LEVEL }),
      (packed: AsyncIterable<Uint8Array>) => write(tableFile(table), packed),
    )
    return { ...table, rows: rows.lines }
  }

  try {
    const manifest: Manifest = {
      format: 1,
      messenger: version,
      made_at: now.toISOString(),
      parts: [...parts],
      migrations: [],
      tables: [],
      media: { files: 0, bytes: 0 },
    }
    if (parts.includes('database')) {
      await readSnapshot(database, async (snapshot) => {
        manifest.migrations = snapshot.migrations
        for (const table of snapshot.tables) manifest.tables.push(await writeTable(snapshot, table))
      })
    }
    const media = parts.includes('media') ? await copyMedia(target, storage) : undefined
    if (media) {
      manifest.media = { files: media.lines.length, bytes: media.bytes }
      await write(MEDIA_LIST, bytesOf(media.lines))
    }
    await write(MANIFEST, bytesOf([`${JSON.stringify(manifest, null, 2)}\n`]))
    await target.write(`${set}/${SUMS}`, bytesOf(sums))
    return { set, manifest, copied: media?.copied ?? 0 }
  } catch (error) {
    await database.close({ timeoutSeconds: 0 })
    await target
      .removeFolder(`${set}/`)
      .catch((fault) => log.warn('Could not remove what was begun', { set, error: fault }))
    throw error
  }
}

/** Copies what the target does not have yet. @returns the lines of the list */
async function copyMedia(target: BackupTarget, storage: Storage) {
  const known = await listKnown(target)
  const lines: string[] = []
  let [bytes, copied] = [0, 0]
  for (const folder of MEDIA_FOLDERS) {
    for await (const { key, size } of storage.list(folder)) {
      const name = `${MEDIA_FOLDER}${key}`
      const isThere = (await target.sizeOf(name)) === size
      const sha256 = isThere ? (known.get(key) ?? (await hashOf(target, name))) : await copyFile(target, storage, key)
      // One that was replaced or deleted since it was listed, as avatars are.
      if (sha256 === undefined) continue
      if (!isThere) copied++
      bytes += size
      lines.push(sumLine(sha256, `../${name}`))
    }
  }
  return { lines, bytes, copied }
}

/** @returns its hash; undefined when it has gone */
async function copyFile(target: BackupTarget, storage: Storage, key: string): Promise<string | undefined> {
  const file = await storage.open(key)
  if (!file) return undefined
  const body = file.read()
  const digest = new Digest()
  await target.write(`${MEDIA_FOLDER}${key}`, passing(body instanceof Blob ? body.stream() : body, digest))
  return digest.hex()
}

async function hashOf(target: BackupTarget, name: string): Promise<string> {
  const digest = new Digest()
  for await (const _ of passing(target.read(name), digest));
  return digest.hex()
}

/** The hashes of the newest set that has files. */
async function listKnown(target: BackupTarget): Promise<Map<string, string>> {
  const known = new Map<string, string>()
  for (const set of (await listSets(target)).reverse()) {
    const { parts } = await readManifest(target, set)
    if (!parts.includes('media')) continue
    for await (const { key, sha256 } of readMediaList(target, set)) known.set(key, sha256)
    break
  }
  return known
}

async function* counted(source: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    digest.countLines(chunk)
    yield chunk
  }
}

/** A line at a time would be slow, and all at once large. */
async function* bytesOf(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < texts.length; at += 1000) yield Buffer.from(texts.slice(at, at + 1000).join(''))
}
