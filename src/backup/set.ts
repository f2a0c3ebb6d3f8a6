/**
 * A set of backup: what one run of `messenger backup` keeps, in a folder named after its time.
 *
 * ```
 * 2026-01-15T03-00-00Z/manifest.json           what is in the set
 * 2026-01-15T03-00-00Z/tables/users.copy.gz    rows as COPY writes them
 * 2026-01-15T03-00-00Z/media.sha256            the files of messages, by `sha256sum -c`
 * 2026-01-15T03-00-00Z/SHA256SUMS              all of these, by `sha256sum -c`; written last: without it there is no set
 * media/uploads/2026/01/15/4pq9....webp        the files, shared by all sets: they never change
 * ```
 */
import type { AppliedMigration, DumpedTable } from '../db/dump.ts'
import { linesOf } from './digest.ts'
import { BackupBroken, type BackupTarget } from './target.ts'

export type Part = 'database' | 'media'
export const PARTS: readonly Part[] = ['database', 'media']

export interface Manifest {
  format: 1
  /** The version that made it. */
  messenger: string
  made_at: string
  parts: Part[]
  migrations: AppliedMigration[]
  tables: (DumpedTable & { rows: number })[]
  media: { files: number; bytes: number }
}

export const MANIFEST = 'manifest.json'
export const SUMS = 'SHA256SUMS'
export const MEDIA_LIST = 'media.sha256'
export const MEDIA_FOLDER = 'media/'
export const tableFile = ({ name }: { name: string }) => `tables/${name}.copy.gz`

const SET_NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/
export const isSetName = (name: string): boolean => SET_NAME.test(name)
export const setNameOf = (at: Date): string => `${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z`
export const timeOfSet = (name: string): Date => new Date(name.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:'))

export const sumLine = (sha256: string, path: string) => `${sha256}  ${path}\n`

/** One of `sha256sum`'s lines. @throws BackupBroken */
function readSumLine(line: string, of: string): { sha256: string; path: string } {
  const [, sha256, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? []
  if (sha256 === undefined || path === undefined) throw new BackupBroken(`${of} has a line that is none of its own`)
  return { sha256, path }
}

/** The files of a whole set with their hashes; undefined for one that was not finished. */
export async function readSums(target: BackupTarget, set: string): Promise<Map<string, string> | undefined> {
  const name = `${set}/${SUMS}`
  if ((await target.sizeOf(name)) === undefined) return undefined
  const sums = new Map<string, string>()
  for await (const line of linesOf(target.read(name))) {
    const { sha256, path } = readSumLine(line, name)
    sums.set(path, sha256)
  }
  return sums
}

/** The files of messages that belong to a set. */
export async function* readMediaList(
  target: BackupTarget,
  set: string,
): AsyncGenerator<{ key: string; sha256: string }> {
  const name = `${set}/${MEDIA_LIST}`
  for await (const line of linesOf(target.read(name))) {
    const { sha256, path } = readSumLine(line, name)
    const start = `../${MEDIA_FOLDER}`
    if (!path.startsWith(start)) throw new BackupBroken(`${name} names a file that is not in ${MEDIA_FOLDER}`)
    yield { key: path.slice(start.length), sha256 }
  }
}

/** @throws BackupBroken */
export async function readManifest(target: BackupTarget, set: string): Promise<Manifest> {
  const chunks: Uint8Array[] = []
  for await (const chunk of target.read(`${set}/${MANIFEST}`)) chunks.push(chunk)
  let manifest: unknown
  try {
    manifest = JSON.parse(Buffer.concat(chunks).toString())
  } catch (error) {
    throw new BackupBroken(`${set}/${MANIFEST} is no JSON`, { cause: error })
  }
  if (!isManifest(manifest)) throw new BackupBroken(`${set}/${MANIFEST} is none of a backup that this version knows`)
  return manifest
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false
  const { format, parts, migrations, tables, media } = value as Partial<Record<keyof Manifest, unknown>>
  return (
    format === 1 &&
    isList(parts, (part) => PARTS.some((known) => known === part)) &&
    isList(migrations, ({ id, tag }) => Number.isInteger(id) && typeof tag === 'string') &&
    isList(tables, ({ name, columns, rows }) => isName(name) && isList(columns, isName) && Number.isInteger(rows)) &&
    typeof media === 'object'
  )
}

const isName = (value: unknown) => typeof value === 'string' && /^[a-z][a-z0-9_]*$/.test(value)

// What comes out of JSON is looked at field by field.
// biome-ignore lint/suspicious/noExplicitAny: a parsing edge
const isList = (value: unknown, fits: (item: any) => boolean): boolean =>
  Array.isArray(value) && value.every((item) => item !== null && fits(item))

/** The whole sets, oldest first. */
export async function listSets(target: BackupTarget): Promise<string[]> {
  const named = (await target.listFolders()).filter(isSetName)
  const sizes = await Promise.all(named.map((set) => target.sizeOf(`${set}/${SUMS}`)))
  return named.filter((_, index) => sizes[index] !== undefined)
}
