/** Carried files on the disk: written whole or not at all, checked by their hashes, used again by the next start. */
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Carried, CarriedFile } from './carried.ts'
import { isRoot } from './identity.ts'

/**
 * Where files may be unpacked, the best first. `/tmp` may be closed to programs, a data directory to the user that
 * root's PostgreSQL runs as.
 */
export function unpackParents(dataDir: string): string[] {
  const forRoot = '/var/cache/messenger'
  if (isRoot()) makeOpenDirectory(forRoot)
  return [...(existsSync(dataDir) ? [dataDir] : []), ...(isRoot() ? [forRoot] : []), tmpdir()]
}

/** Ours alone by name: another user's copy is of no use, and another version's would be the wrong one. */
export const unpackedName = (what: string, version: string): string => `${what}-${version}-${process.getuid?.()}`

/** In a directory that all may write (/tmp) another user could have laid programs ready for us. False: nothing is there. */
export function isOurs(directory: string): boolean {
  const found = lstatSync(directory, { throwIfNoEntry: false })
  if (found === undefined) return false
  const isSafe = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0
  if (!isSafe) throw new Error(`${directory} belongs to someone else`)
  return true
}

/** What is missing or damaged in the unpacked files (a power cut leaves empty ones), or undefined: they are whole. */
export function findDamage(directory: string, { files }: Carried): string | undefined {
  return files.find((file) => !isWhole(directory, file))?.path
}

const isWhole = (directory: string, { path, bytes, sha256 }: CarriedFile): boolean => {
  const found = lstatSync(join(directory, path), { throwIfNoEntry: false })
  return found?.isFile() === true && found.size === bytes && hashOfFile(join(directory, path)) === sha256
}

const hashOf = (content: Uint8Array): string => new Bun.CryptoHasher('sha256').update(content).digest('hex')

/** Piece by piece: the server keeps what memory it once took, and a file has 27 MB. */
function hashOfFile(path: string): string {
  const piece = Buffer.allocUnsafe(256 * 1024)
  const hasher = new Bun.CryptoHasher('sha256')
  const file = openSync(path, 'r')
  try {
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece))
      hasher.update(piece.subarray(0, read))
  } finally {
    closeSync(file)
  }
  return hasher.digest('hex')
}

/** Writes the files below `directory`. @throws when the archive is not what was packed */
export function unpackInto(directory: string, { archive, files }: Carried): void {
  const content = Bun.zstdDecompressSync(readFileSync(archive))
  let at = 0
  for (const { path, bytes, mode, sha256 } of files) {
    const part = content.subarray(at, at + bytes)
    at += bytes
    if (hashOf(part) !== sha256) throw new Error(`${path} is damaged inside of the program: get it anew`)
    makeOpenDirectory(dirname(join(directory, path)))
    writeFileSync(join(directory, path), part)
    chmodSync(join(directory, path), mode)
  }
}

/** Others may enter it, whatever the umask: root's PostgreSQL runs as another user. */
function makeOpenDirectory(directory: string): void {
  const made = mkdirSync(directory, { recursive: true })
  if (made === undefined) return
  for (let at = directory; at.length >= made.length; at = dirname(at)) chmodSync(at, 0o755)
}

const draftSuffix = '.draft-'
const abandonedAfterMs = 600_000

/** What a start that was killed while it unpacked left behind; one at work takes a second. */
function removeAbandonedDrafts(directory: string): void {
  const parent = dirname(directory)
  for (const name of readdirSync(parent).filter((one) => one.startsWith(basename(directory) + draftSuffix))) {
    const found = lstatSync(join(parent, name), { throwIfNoEntry: false })
    const isOld = found !== undefined && Date.now() - found.mtimeMs > abandonedAfterMs
    if (isOld && found.uid === process.getuid?.()) rmSync(join(parent, name), { recursive: true, force: true })
  }
}

/**
 * Fills `directory`, which is not there yet, in a draft beside it that is then renamed: a crash leaves no half of it,
 * and of two starts at once one is faster and both use what it made.
 */
export function makeWhole(directory: string, fill: (draft: string) => void): void {
  removeAbandonedDrafts(directory)
  const draft = mkdtempSync(`${directory}${draftSuffix}`)
  try {
    const content = join(draft, 'content')
    makeOpenDirectory(content)
    fill(content)
    try {
      renameSync(content, directory)
    } catch (error) {
      if (!isOurs(directory)) throw error
    }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Removes the copies of other versions that lie beside this one. Nobody else may be using them. */
export function removeOtherVersions(what: string, directory: string): void {
  const isOther = (name: string) =>
    name.startsWith(`${what}-`) && name.endsWith(`-${process.getuid?.()}`) && name !== basename(directory)
  for (const name of readdirSync(dirname(directory)).filter(isOther)) {
    rmSync(join(dirname(directory), name), { recursive: true, force: true })
  }
}

/**
 * The directory that holds the carried files, unpacked now or by an earlier start, in the first of the parents that
 * allows it and that `isFit`.
 * @throws when none does
 */
export function unpackOnce(
  what: string,
  carried: Carried,
  parents: readonly string[],
  isFit: (directory: string) => void = () => {},
): string {
  const faults: string[] = []
  for (const parent of parents) {
    const directory = join(parent, unpackedName(what, carried.version))
    try {
      if (isOurs(directory) && findDamage(directory, carried) !== undefined) rmSync(directory, { recursive: true })
      if (!existsSync(directory)) makeWhole(directory, (draft) => unpackInto(draft, carried))
      isFit(directory)
      return directory
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error(`${what} cannot be unpacked: ${faults.join('; ')}`)
}
