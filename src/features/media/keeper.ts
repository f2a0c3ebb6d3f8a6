/** A file that has arrived becomes one that is kept: made, stored, and written down, before any message tells of it. */
import type { Db } from '../../db/client.ts'
import type { MediaJson } from '../../db/schema/index.ts'
import type { Log } from '../../observability/log.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Arrived, Made, MakeOptions, MediaMaker } from './making.ts'
import type { MediaKind } from './model.ts'
import { newName } from './names.ts'
import { deleteMedia, insertMedia } from './store.ts'

/** Whose file it is, and of which message. */
export interface Purpose {
  chatId: string
  /** Of the message that is about to be. */
  messageId: string
  ownerId: string
  tier: MakeOptions
}

export interface Kept {
  /** What the message says of it. */
  attachment: { messageType: MediaKind; mediaUrl: string; media: MediaJson; call: null }
  /** There will be no message: all of it goes. What could not be removed now is left to the clean-up. */
  drop(): Promise<void>
}

export type Keeper = ReturnType<typeof createKeeper>

export interface KeeperDeps {
  db: Db
  storage: Storage
  maker: MediaMaker
  log: Log
}

export function createKeeper({ db, storage, maker, log }: KeeperDeps) {
  const remove = async (keys: readonly string[], id?: string) => {
    try {
      await storage.delete(keys)
      // Last, since it is what the clean-up finds the others by.
      if (id) await deleteMedia(db, id)
    } catch (error) {
      log.warn('A file that is not needed stays until the clean-up', { keys, error })
    }
  }

  return {
    /**
     * When it resolves the file is safe in the storage and has its row. Whatever fails before leaves nothing.
     * @throws AppError 400 naming `file`, 503; StorageFull
     */
    async keep(arrived: Arrived, { chatId, messageId, ownerId, tier }: Purpose): Promise<Kept> {
      const made = await maker.make(arrived, tier)
      const name = newName()
      const paths = pathsOf(name, made)
      const files = [
        { key: paths.original ?? paths.file, path: made.path },
        ...(paths.thumbnail && made.thumbnailPath ? [{ key: paths.thumbnail, path: made.thumbnailPath }] : []),
      ]
      const keys = files.map(({ key }) => key)
      const id = Bun.randomUUIDv7()
      try {
        for (const { key, path } of files) await storage.put(key, path, key === paths.thumbnail ? JPEG : made.mimeType)
        await insertMedia(db, {
          id,
          chatId,
          messageId,
          ownerId,
          kind: made.kind,
          name,
          filePath: paths.file,
          thumbnailPath: paths.thumbnail,
          originalPath: paths.original,
          fileName: arrived.fileName,
          mimeType: made.mimeType,
          fileSize: made.size,
          sha256: arrived.sha256,
        })
      } catch (error) {
        await remove(keys, id)
        throw error
      }
      const media = toJson(made, paths, arrived.fileName)
      return {
        attachment: { messageType: made.kind, mediaUrl: paths.file, media, call: null },
        drop: () => remove(keys, id),
      }
    },
  }
}

const JPEG = 'image/jpeg'

interface Paths {
  file: string
  thumbnail: string | null
  original: string | null
}

const pathsOf = (name: string, { extension, thumbnailPath, unmade }: Made): Paths => ({
  file: `${name}.${extension}`,
  thumbnail: thumbnailPath && `${name}_thumb.jpg`,
  original: unmade && `${name}_original.${unmade.extension}`,
})

const toJson = (made: Made, { file, thumbnail }: Paths, fileName: string): MediaJson => ({
  file_path: file,
  thumbnail,
  file_name: fileName,
  file_size: made.size,
  mime_type: made.mimeType,
  width: made.width,
  height: made.height,
  duration: made.duration,
  preview: made.preview,
  waveform: made.waveform,
  compressed: made.compressed,
  status: made.unmade ? 'processing' : 'ready',
})
