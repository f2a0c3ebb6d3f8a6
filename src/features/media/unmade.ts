/**
 * Files that are still to be made: whose turn it is, over all instances, and what becomes of each. A claim is a row that one
 * worker has taken for a while; it is extended while the work goes on, so that whoever dies over it lets go of it.
 */
import { join } from 'node:path'
import type { Db, Tx } from '../../db/client.ts'
import type { MediaJson } from '../../db/schema/index.ts'
import type { Storage } from '../../storage/storage.ts'
import { FfmpegFailed } from './ffmpeg.ts'
import type { Films, TranscodeOptions } from './films.ts'
import type { MediaKind } from './model.ts'
import * as store from './store.ts'
import type { Work } from './work.ts'

export interface Claim {
  chatId: string
  messageId: string
  ownerId: string
  /** What it is now, and where. */
  row: store.MediaRow
}

/** What a message's file has become. */
export interface NewFile {
  kind: MediaKind
  filePath: string
  /** What of the message's `media` changes. */
  changes: Partial<MediaJson> & { status: 'ready' }
}

export type Unmade = ReturnType<typeof createUnmade>

const LEASE_SECONDS = 60
const MAX_ATTEMPTS = 3

export interface UnmadeDeps {
  db: Db
  storage: Storage
  work: Work
  /** Undefined without ffmpeg: then all stay what they are. */
  films: Films | undefined
}

export function createUnmade({ db, storage, work, films }: UnmadeDeps) {
  async function transcode({ row }: Claim, with_: Films, options: TranscodeOptions): Promise<NewFile> {
    const { originalPath, name } = row
    if (originalPath === null) throw new Error('A claim on a file that is made')
    return work.within(async (folder) => {
      const path = join(folder, 'original')
      if (!(await storage.fetch(originalPath, path))) throw new FfmpegFailed('the original is gone')
      const made = await with_.transcode(path, options)
      const filePath = `${name}.${made.extension}`
      await storage.put(filePath, made.path, made.mimeType)
      const { kind, width, height, duration, waveform, compressed, size: file_size, mimeType: mime_type } = made
      const of = { width, height, duration, waveform, compressed, file_size, mime_type }
      return { kind, filePath, changes: { ...of, file_path: filePath, status: 'ready' } }
    })
  }

  return {
    /** How many files are still to be made, of all instances. */
    count: (): Promise<number> => store.countUnmade(db),

    /** The oldest file of a message that nobody works on. */
    async claim(): Promise<Claim | undefined> {
      const row = await store.claimUnmade(db, { leaseSeconds: LEASE_SECONDS })
      return row && { chatId: row.chatId, messageId: row.messageId, ownerId: row.ownerId, row }
    },

    /** Goes on with it. @returns false when its message was deleted, or somebody else has it */
    hold: ({ row }: Claim): Promise<boolean> => store.extendClaim(db, row, LEASE_SECONDS),

    /** Leaves it to whoever claims next. @param isTry whether this was one of its attempts */
    letGo: ({ row }: Claim, { isTry }: { isTry: boolean }): Promise<void> => store.releaseClaim(db, row, isTry),

    /**
     * Makes it and stores it. What cannot be made, by three tries, stays as it was sent: a file to be saved. So does all
     * without ffmpeg.
     * @throws FfmpegFailed when it may be tried again; whatever the storage throws
     */
    async make(claim: Claim, options: TranscodeOptions): Promise<NewFile> {
      const { attempts } = claim.row
      if (!films || attempts > MAX_ATTEMPTS) return asItWasSent(claim)
      try {
        return await transcode(claim, films, options)
      } catch (error) {
        const isFinal = error instanceof FfmpegFailed && attempts === MAX_ATTEMPTS && !options.signal?.aborted
        if (!isFinal) throw error
        return asItWasSent(claim)
      }
    },

    /** In the transaction that changes the message. @returns false when it was deleted, or somebody else has the claim */
    finish: (tx: Tx, { row }: Claim, { kind, filePath, changes }: NewFile): Promise<boolean> =>
      store.finishMedia(tx, row, { kind, filePath, mimeType: changes.mime_type, fileSize: changes.file_size }),

    /** After that: the original is nobody's. What a crash leaves of it, the clean-up finds. */
    async dropOriginal({ row: { originalPath } }: Claim, { filePath }: NewFile): Promise<void> {
      if (originalPath !== null && originalPath !== filePath) await storage.delete([originalPath])
    },

    /**
     * Its message was deleted meanwhile: what was made of it goes; the rest goes as that of every deleted message. But another
     * one who has it by now may have made the same.
     */
    async drop({ row }: Claim, { filePath }: NewFile): Promise<void> {
      const now = await store.findMedia(db, row.id)
      const isOfAnother = now !== undefined && now.releasedAt === null && now.attempts !== row.attempts
      if (!isOfAnother && filePath !== row.originalPath) await storage.delete([filePath])
    },
  }
}

function asItWasSent({ row }: Claim): NewFile {
  const filePath = row.originalPath ?? row.filePath
  const mime_type = 'application/octet-stream'
  const of = { file_path: filePath, mime_type, file_size: row.fileSize, compressed: false, waveform: null }
  return { kind: 'file', filePath, changes: { ...of, status: 'ready' } }
}
