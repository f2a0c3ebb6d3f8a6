/** The port for where backups are kept: files by name, in a folder or a bucket. */
import type { Readable } from 'node:stream'

/**
 * Guarantees of every implementation:
 * - A name is a path of plain segments (`tables/users.copy.gz`); what leads elsewhere is refused.
 * - A file is there whole or not at all, also after a crash.
 * - Nobody but their owner may read the files.
 */
export interface BackupTarget {
  /** For people: the folder or the URL. */
  readonly address: string
  /**
   * Reads `body` as fast as it can write. A file of the same name is replaced.
   * @throws TargetFull when there is no room; what `body` throws; nothing is left then
   */
  write(name: string, body: AsyncIterable<Uint8Array>): Promise<void>
  /** @throws BackupBroken, when it is read, where there is none of this name */
  read(name: string): Readable
  /** In bytes; undefined where there is none. */
  sizeOf(name: string): Promise<number | undefined>
  /** The names of all files of a folder (`media/`) and of those within, in no order. */
  list(folder: string): AsyncIterable<string>
  /** The folders at the top, in the order of their names. */
  listFolders(): Promise<string[]>
  /** Removes a folder (`2026-01-15T03-00-00Z/`) with all that is in it. */
  removeFolder(folder: string): Promise<void>
  /** Of those that are not there nothing is said. */
  remove(name: string): Promise<void>
}

/** There is no room for the backup. */
export class TargetFull extends Error {
  override readonly name = 'TargetFull'
  constructor(address: string, cause?: unknown) {
    super(`There is no room in ${address}`, { cause })
  }
}

/** What is kept is no whole backup, or not as it was written. */
export class BackupBroken extends Error {
  override readonly name = 'BackupBroken'
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9][A-Za-z0-9_.-]*)*$/

/** Files and, with a slash at the end, folders. */
export function requireName(name: string): void {
  const isFine = name.length <= 300 && NAME.test(name.replace(/\/$/, ''))
  if (!isFine) throw new BackupBroken(`Not a name of a file in a backup: ${JSON.stringify(name.slice(0, 100))}`)
}
