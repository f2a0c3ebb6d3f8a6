/** The pieces of an upload: each one a file in the storage, and a row that says where it belongs. */
import { join } from 'node:path'
import type { Db } from '../../db/client.ts'
import { pieceTooSmall, uploadNotFound, wrongOffset } from '../../errors.ts'
import { inSlices } from '../../http/steady-body.ts'
import type { Log } from '../../observability/log.ts'
import type { Storage } from '../../storage/storage.ts'
import { receiveFile } from '../media/receive.ts'
import * as store from './piecewise-store.ts'

/** What one request brings is cut after so much: no more than that is lost with this process. */
const PIECE_BYTES = 4 * 1024 * 1024
/** A request has to bring so much, or the rest: pieces are to be few. */
const MIN_PIECE_BYTES = 64 * 1024

const FOLDER = 'pieces/'
const TYPE = 'application/octet-stream'

export function createPieces({ db, storage, log }: { db: Db; storage: Storage; log: Log }) {
  /** @returns where the piece ends */
  async function put(uploadId: string, start: number, path: string, size: number): Promise<number> {
    const key = `${FOLDER}${uploadId}_${Bun.randomUUIDv7()}`
    const end = start + size
    await storage.put(key, path, TYPE)
    if (await store.addPiece(db, { uploadId, start, end, key })) return end
    await storage.delete([key])
    const upload = await store.findUpload(db, uploadId)
    throw upload ? wrongOffset(Math.min(upload.received, upload.size - 1)) : uploadNotFound()
  }

  /** What cannot be removed now is left to the sweep. */
  async function remove(uploadId: string): Promise<void> {
    const keys = await store.listPieces(db, uploadId)
    await storage.delete(keys).catch((error) => log.warn('Pieces of an upload could not be removed', { error }))
    await store.deletePieces(db, uploadId)
  }

  async function removeUpload(id: string): Promise<void> {
    await remove(id)
    await store.deleteUpload(db, id)
  }

  return {
    /**
     * Stores what comes, from `offset` on. When `chunks` fail, what came before is stored, and their failure thrown.
     * @returns where it ends; `size` only when something came
     */
    async add(
      { id, size, received }: Pick<store.UploadRow, 'id' | 'size' | 'received'>,
      offset: number,
      chunks: AsyncGenerator<Uint8Array>,
      folder: string,
    ): Promise<number> {
      const isLastAgain = received === size
      try {
        for (let at = offset, n = 0; ; n++) {
          const source = takeFrom(chunks)
          const piece = await receiveFile(source.upTo(PIECE_BYTES), join(folder, `${n}`), size - at)
          const isSmall = at === offset && piece.size < MIN_PIECE_BYTES && at + piece.size < size
          if (piece.size > 0 && isLastAgain) at = size
          else if (piece.size > 0 && !isSmall) at = await put(id, at, piece.path, piece.size)
          if (source.fault) throw source.fault.error
          if (piece.size > 0 && isSmall) throw pieceTooSmall(MIN_PIECE_BYTES)
          if (source.isOver) return at
        }
      } finally {
        await chunks.return(undefined)
      }
    },

    /** Everything, in order. */
    async *read(uploadId: string): AsyncGenerator<Uint8Array> {
      for (const key of await store.listPieces(db, uploadId)) {
        const body = (await storage.open(key))?.read()
        if (!body) continue
        for await (const chunk of body instanceof Blob ? body.stream() : body) yield* inSlices(chunk)
      }
    },

    remove,

    /** The same with the upload itself. */
    removeUpload,

    /** Removes uploads whose time is over, and pieces that are older than any upload becomes. */
    async sweep(lifeSeconds: number): Promise<void> {
      for (;;) {
        const ids = await store.listExpired(db, EXPIRED_A_STEP)
        if (ids.length === 0) break
        for (const id of ids) await removeUpload(id)
      }
      const bound = Date.now() - (lifeSeconds + MARGIN_SECONDS) * 1000
      for await (const { key, modifiedAt } of storage.list(FOLDER)) {
        if (modifiedAt.getTime() < bound) await storage.delete([key])
      }
    },
  }
}

const EXPIRED_A_STEP = 100
/** The clocks of the storage and of this machine may differ, and the last piece may just be read. */
const MARGIN_SECONDS = 3600

/** A part of `chunks`, which goes on after it; a failure of theirs ends it, and is kept. */
function takeFrom(chunks: AsyncGenerator<Uint8Array>) {
  const source = {
    isOver: false,
    fault: undefined as { error: unknown } | undefined,
    async *upTo(bytes: number): AsyncGenerator<Uint8Array> {
      for (let taken = 0; taken < bytes; ) {
        const next = await chunks.next().catch((error) => {
          source.fault = { error }
        })
        source.isOver = next?.done ?? true
        if (!next || next.done) return
        taken += next.value.byteLength
        yield next.value
      }
    },
  }
  return source
}
