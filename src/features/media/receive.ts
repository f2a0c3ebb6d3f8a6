/** A file that comes in is written to the disk as it comes, and hashed and measured on the way. */
import { type FileHandle, open, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileTooLarge } from '../../errors.ts'
import { isDiskFull, StorageFull } from '../../storage/storage.ts'
import type { Arrived } from './making.ts'

/** The database may be on the same disk, so some of it stays free: this, or a twentieth of a smaller disk. */
const RESERVE_BYTES = 1024 ** 3
const RESERVE_SHARE = 0.05
/** Room is looked for after so much. */
const LOOK_BYTES = 16 * 1024 * 1024

/**
 * The disk gets it bit by bit: were 100 MB to go there at once in the end, the database's commits would wait behind them.
 */
const SYNC_BYTES = 4 * 1024 * 1024

/**
 * Writes what comes to a new file; putting it into the storage makes it safe.
 * @throws AppError 413 above `maxBytes`; StorageFull; what `chunks` throws. The file stays then: its folder goes as a whole
 */
export async function receiveFile(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  maxBytes: number,
): Promise<Pick<Arrived, 'path' | 'size' | 'sha256'>> {
  const hash = new Bun.CryptoHasher('sha256')
  let size = 0
  let unsynced = 0
  let lookAt = 0
  const file = await openNew(path)
  try {
    for await (const chunk of chunks) {
      size += chunk.byteLength
      if (size > maxBytes) throw fileTooLarge(maxBytes)
      if (size > lookAt) {
        await requireRoom(path)
        lookAt += LOOK_BYTES
      }
      hash.update(chunk)
      await writeAll(file, chunk)
      unsynced += chunk.byteLength
      if (unsynced < SYNC_BYTES) continue
      unsynced = 0
      await file.datasync().catch(rethrow)
    }
  } finally {
    await file.close()
  }
  return { path, size, sha256: hash.digest('hex') }
}

async function requireRoom(path: string): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(dirname(path))
  const reserve = Math.min(RESERVE_BYTES, RESERVE_SHARE * blocks * bsize)
  if (bavail * bsize < reserve) throw new StorageFull()
}

const openNew = (path: string): Promise<FileHandle> => open(path, 'wx', 0o600).catch(rethrow)

/** A disk that is about to be full takes a part. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at).catch(rethrow)).bytesWritten
}

function rethrow(error: unknown): never {
  throw isDiskFull(error) ? new StorageFull(error) : error
}
