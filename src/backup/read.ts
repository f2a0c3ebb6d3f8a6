/** Finds sets, makes sure that they are as they were written, and brings them back. */
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Database } from '../db/client.ts'
import { findMigrations, loadDump } from '../db/load.ts'
import type { Log } from '../observability/log.ts'
import type { Storage } from '../storage/storage.ts'
import { Digest, passing } from './digest.ts'
import {
  isSetName,
  listSets,
  MANIFEST,
  type Manifest,
  MEDIA_FOLDER,
  MEDIA_LIST,
  type Part,
  readManifest,
  readMediaList,
  readSums,
  tableFile,
} from './set.ts'
import { BackupBroken, type BackupTarget } from './target.ts'

/** A set that is what it was when it was written. */
export interface VerifiedSet {
  set: string
  manifest: Manifest
  sums: ReadonlyMap<string, string>
}

/**
 * Finds for each part the set to restore it from: the one that is named, else the newest that has the part.
 * @throws BackupBroken when there is none
 */
export async function findSets(
  target: BackupTarget,
  parts: readonly Part[],
  named?: string,
): Promise<Map<Part, string>> {
  const whole = named === undefined ? (await listSets(target)).reverse() : [named]
  const found = new Map<Part, string>()
  for (const set of whole) {
    if (!isSetName(set)) throw new BackupBroken(`Not a set of backup: ${set}`)
    if ((await readSums(target, set)) === undefined)
      throw new BackupBroken(`${set} is not whole: writing it was never finished`)
    const manifest = await readManifest(target, set)
    for (const part of parts) if (manifest.parts.includes(part) && !found.has(part)) found.set(part, set)
    if (found.size === parts.length) return found
  }
  if (found.size === 0) throw new BackupBroken(`There is no whole backup of ${parts.join(' or ')} in ${target.address}`)
  return found
}

/**
 * Reads everything that restoring `part` will read.
 * @throws BackupBroken where anything is missing or altered; NewerDatabase
 */
export async function verifySet(target: BackupTarget, set: string, part: Part): Promise<VerifiedSet> {
  const sums = await readSums(target, set)
  if (!sums) throw new BackupBroken(`${set} is not whole: writing it was never finished`)
  const requireFile = (file: string) => requireSame(target, `${set}/${file}`, sums.get(file))
  await requireFile(MANIFEST)
  const manifest = await readManifest(target, set)
  if (part === 'database') {
    findMigrations(manifest)
    for (const table of manifest.tables) await requireFile(tableFile(table))
  } else {
    await requireFile(MEDIA_LIST)
    let files = 0
    for await (const { key, sha256 } of readMediaList(target, set)) {
      await requireSame(target, `${MEDIA_FOLDER}${key}`, sha256)
      files++
    }
    if (files !== manifest.media.files) throw new BackupBroken(`${set}/${MEDIA_LIST} is not whole`)
  }
  return { set, manifest, sums }
}

async function requireSame(target: BackupTarget, name: string, sha256: string | undefined): Promise<void> {
  if (sha256 === undefined) throw new BackupBroken(`${name} has no hash`)
  for await (const _ of unaltered(target, name, sha256));
}

/** A file as it was written. @throws BackupBroken at its end, when it is another */
async function* unaltered(target: BackupTarget, name: string, sha256: string): AsyncGenerator<Uint8Array> {
  const digest = new Digest()
  yield* passing(target.read(name), digest)
  if (digest.hex() !== sha256) throw new BackupBroken(`${name} is not as it was written: cut off or altered`)
}

/** All tables, or none. @throws DatabaseNotEmpty, NewerDatabase, BackupBroken */
export async function restoreDatabase(
  target: BackupTarget,
  { set, manifest, sums }: VerifiedSet,
  database: Database,
  log: Log,
): Promise<void> {
  await loadDump(database, log, {
    ...manifest,
    read(table) {
      const file = tableFile(table)
      const packed = Readable.from(unaltered(target, `${set}/${file}`, sums.get(file) ?? ''), { objectMode: false })
      const rows = createGunzip()
      // What goes wrong with either end is told by the rows.
      pipeline(packed, rows).catch((error) => rows.destroy(error))
      return rows
    },
  })
}

/**
 * The files of messages. Those that are there already with the same size stay: names are given once, so that a second
 * try goes on where the first one ended.
 * @param workFolder beside the storage. @returns how many were brought back
 */
export async function restoreMedia(
  target: BackupTarget,
  { set }: VerifiedSet,
  storage: Storage,
  workFolder: string,
): Promise<number> {
  await mkdir(workFolder, { recursive: true, mode: 0o700 })
  let restored = 0
  for await (const { key, sha256 } of readMediaList(target, set)) {
    const name = `${MEDIA_FOLDER}${key}`
    const there = await storage.open(key)
    if (there && there.size === (await target.sizeOf(name))) continue
    const path = join(workFolder, `restore-${Bun.randomUUIDv7()}`)
    try {
      await pipeline(unaltered(target, name, sha256), createWriteStream(path, { mode: 0o600 }))
      await storage.put(key, path, Bun.file(key).type)
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    restored++
  }
  return restored
}
