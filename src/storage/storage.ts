/** The port for files: where they are kept, by key. */

/** The part of a file from `start` up to, but not including, `end`; in bytes. */
export interface Span {
  start: number
  end: number
}

export interface StoredFile {
  key: string
  /** In bytes. */
  size: number
  modifiedAt: Date
}

/** A file that is there. Nothing of it has been read, and nothing has to be closed. */
export interface OpenFile {
  /** In bytes. */
  size: number
  /**
   * The whole file or a part of it, as the body of an answer: it is read as fast as it is sent, and no more of it than that
   * is in memory.
   */
  read(span?: Span): Blob | ReadableStream<Uint8Array>
}

/**
 * Guarantees of every implementation:
 * - A key begins with `uploads/`, `avatars/` or `pieces/` and is made of segments of letters, digits, `_` and `-` joined by `/`, the last
 *   with an extension or without. Any other is refused by InvalidKey before anything is touched.
 * - A file is there whole or not at all, also after a crash, and never changes: a key is given to one file only. Putting the
 *   same file again, after a crash, is no fault.
 * - What has resolved is safe on the disk, or with the service.
 * - All throw StorageUnavailable when the service does not answer as it should, also after some tries.
 */
export interface Storage {
  /**
   * Stores a file of this machine (of the work folder: beside the storage it is moved) under `key`; the file at `path` is gone
   * then.
   * @param contentType for services that keep one
   * @throws StorageFull when there is no room; the file at `path` stays then
   */
  put(key: string, path: string, contentType: string): Promise<void>
  /** @returns undefined when there is none of this key */
  open(key: string): Promise<OpenFile | undefined>
  /**
   * Copies a file to `path` on this machine. @returns false when there is none of this key
   * @throws StorageFull when this machine has no room; nothing is left at `path` then
   */
  fetch(key: string, path: string): Promise<boolean>
  /** Of those that are not there nothing is said. */
  delete(keys: readonly string[]): Promise<void>
  /** All files of a folder (`uploads/`, `uploads/2026/`) and of those within, in no order. */
  list(folder: string): AsyncIterable<StoredFile>
  /** For the health of the server. @throws whatever keeps it from storing and reading */
  check(): Promise<void>
}

export class InvalidKey extends Error {
  override readonly name = 'InvalidKey'
  constructor(key: string) {
    super(`Not a key of a file: ${JSON.stringify(key.slice(0, 200))}`)
  }
}

export class StorageFull extends Error {
  override readonly name = 'StorageFull'
  constructor(cause?: unknown) {
    super('There is no room for the file', { cause })
  }
}

export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable'
  constructor(cause?: unknown) {
    super('The storage of files does not answer', { cause })
  }
}

const KEY = /^(?:uploads|avatars|pieces)(?:\/[A-Za-z0-9][A-Za-z0-9_-]*)+(?:\.[a-z0-9]{1,8})?$/
const FOLDER = /^(?:uploads|avatars|pieces)\/(?:[A-Za-z0-9][A-Za-z0-9_-]*\/)*$/
const MAX_KEY_LENGTH = 200

export const isKey = (key: string): boolean => key.length <= MAX_KEY_LENGTH && KEY.test(key)

/** @throws InvalidKey */
export function requireKey(key: string): void {
  if (!isKey(key)) throw new InvalidKey(key)
}

/** @throws InvalidKey */
export function requireFolder(folder: string): void {
  if (folder.length > MAX_KEY_LENGTH || !FOLDER.test(folder)) throw new InvalidKey(folder)
}

/** Whether an error says that a disk or a quota is full. */
export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT'
}
