/**
 * Uploads in pieces. What has come lies in the storage, piece by piece, so it outlives this server, and any other instance
 * can go on. The last byte counts as received when the message is there, and not before: whoever asks what is missing sends it
 * again, which tries again to make the message.
 */
import { join } from 'node:path'
import type { Db } from '../../db/client.ts'
import { AppError, fileTooLarge, tooManyUploads, uploadNotFound, validationFailed, wrongOffset } from '../../errors.ts'
import { readSteadily } from '../../http/steady-body.ts'
import type { Log } from '../../observability/log.ts'
import type { Storage } from '../../storage/storage.ts'
import { safeFileName } from '../media/file-names.ts'
import { receiveFile } from '../media/receive.ts'
import type { Work } from '../media/work.ts'
import type { Message } from '../messages/model.ts'
import type { Admission } from './admission.ts'
import { checkFields, type PiecewiseUpload } from './model.ts'
import { createPieces } from './pieces.ts'
import * as store from './piecewise-store.ts'
import type { Sender } from './sender.ts'
import type { Slots } from './slots.ts'

export interface PiecewiseDeps {
  db: Db
  storage: Storage
  work: Work
  admission: Admission
  slots: Slots
  sender: Sender
  /** Undefined too when the user may not read the chat any more. */
  findVisible(userId: string, chatId: string, clientId: string): Promise<Message | undefined>
  log: Log
}

export type PiecewiseUploads = ReturnType<typeof createPiecewiseUploads>

const LIFE_SECONDS = 24 * 3600
/** Of one user; what they hold is on the disk for a day. */
const MAX_UNFINISHED = 20

export function createPiecewiseUploads(deps: PiecewiseDeps) {
  const { db, storage, work, admission, slots, sender, findVisible, log } = deps
  const pieces = createPieces({ db, storage, log })

  async function getOwn(userId: string, id: string): Promise<store.UploadRow> {
    const upload = await store.findUpload(db, id)
    if (upload?.ownerId !== userId) throw uploadNotFound()
    return upload
  }

  async function finish(upload: store.UploadRow, folder: string): Promise<void> {
    const { id, chatId, ownerId: senderId, content, clientId, replyToId, fileName, size } = upload
    await admission.require(senderId, chatId, clientId)
    const whole = await receiveFile(pieces.read(id), join(folder, 'whole'), size)
    if (whole.size !== size) {
      // Whoever sent the last byte too was faster.
      if ((await store.findUpload(db, id))?.finishedAt) return
      throw new Error(`Pieces of the upload ${id} are missing`)
    }
    const file = { arrived: { ...whole, fileName }, id, chatId, senderId, content, clientId, replyToId }
    await sender.send([file], await admission.tierOf(senderId))
    await store.finishUpload(db, id)
  }

  return {
    /**
     * Begins an upload; it counts as one. @param size of the whole file, in bytes
     * @throws AppError 400, 404, 403, 409 for too many that are not finished, 413, 429
     */
    async begin(userId: string, size: number, metadata: Record<string, string>): Promise<PiecewiseUpload> {
      checkFields(metadata)
      const tier = await admission.tierOf(userId)
      if (size === 0) throw validationFailed({ 'upload-length': 'must not be 0' })
      if (size > tier.uploadMaxBytes) throw fileTooLarge(tier.uploadMaxBytes)
      const { chat_id: chatId, content = '', client_id, reply_to_id, filename } = metadata
      await admission.require(userId, chatId, client_id)
      await admission.count(userId, tier)
      if ((await store.countUnfinished(db, userId)) >= MAX_UNFINISHED) throw tooManyUploads(MAX_UNFINISHED)
      const id = Bun.randomUUIDv7()
      const texts = { content, clientId: client_id ?? id, replyToId: reply_to_id ?? null }
      const upload = { id, ownerId: userId, chatId, fileName: safeFileName(filename), size, ...texts }
      return toJson(await store.insertUpload(db, upload, LIFE_SECONDS))
    },

    /** Of its owner alone. @throws AppError 404 */
    async get(userId: string, id: string): Promise<PiecewiseUpload> {
      const upload = await getOwn(userId, id)
      const message = upload.finishedAt ? await findVisible(userId, upload.chatId, upload.clientId) : undefined
      return toJson(upload, message)
    },

    /**
     * Receives what follows `offset`. What has come before a fault is kept. With the last byte the message is there.
     * @returns what is received now
     * @throws AppError 400, 404, 403, 408, 409 for another offset than that of the upload, 413, 429, 503; StorageFull
     */
    async append(userId: string, id: string, offset: number, request: Request): Promise<number> {
      const upload = await getOwn(userId, id)
      if (offset !== offsetOf(upload)) throw wrongOffset(offsetOf(upload))
      if (upload.finishedAt) return upload.size
      const { size } = upload
      if (Number(request.headers.get('content-length') ?? 0) > size - offset) throw fileTooLarge(size)
      await admission.require(userId, upload.chatId, upload.clientId)
      const release = slots.take(userId)
      try {
        return await work.within(async (folder) => {
          const received = await pieces.add(upload, offset, readSteadily(request.body), folder)
          if (received < size) return received
          await finish(upload, folder).catch(async (error) => {
            // Nothing that is sent again changes that; after other failures it may.
            const isInVain = error instanceof AppError && error.status < 500
            if (isInVain) await pieces.removeUpload(id)
            throw error
          })
          await pieces.remove(id)
          return size
        })
      } finally {
        release()
      }
    },

    /** Gives an upload up. @throws AppError 404 */
    async remove(userId: string, id: string): Promise<void> {
      const upload = await getOwn(userId, id)
      await pieces.removeUpload(upload.id)
    },

    /** Clears away what is older than it may become. */
    sweep: () => pieces.sweep(LIFE_SECONDS),
  }
}

const offsetOf = ({ size, received, finishedAt }: store.UploadRow): number =>
  finishedAt ? size : Math.min(received, size - 1)

const toJson = (upload: store.UploadRow, message?: Message): PiecewiseUpload => ({
  id: upload.id,
  chat_id: upload.chatId,
  file_name: upload.fileName,
  size: upload.size,
  offset: offsetOf(upload),
  expires_at: upload.expiresAt.toISOString(),
  message: message ?? null,
})
