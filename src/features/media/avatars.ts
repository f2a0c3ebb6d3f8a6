/** Pictures of people, groups and channels: made small, kept under names that nobody guesses, open to everybody. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Db } from '../../db/client.ts'
import { AppError, avatarNotFound, unsupportedMediaType, validationFailed } from '../../errors.ts'
import type { Log } from '../../observability/log.ts'
import type { OpenFile, Storage } from '../../storage/storage.ts'
import type { Avatars } from '../users/avatars.ts'
import { accessFile } from './access.ts'
import { updateAvatarUrls } from './avatar-store.ts'
import type { ImageMaker } from './making.ts'
import { newAvatarKey } from './names.ts'
import { findMedia } from './store.ts'
import type { Work } from './work.ts'

export interface AvatarsDeps {
  db: Db
  storage: Storage
  work: Work
  images: ImageMaker
  /** How browsers reach this server; without it URLs are paths. */
  publicUrl: string | undefined
  /** @throws AppError 429 */
  countUpload(userId: string): Promise<void>
  log: Log
}

/** Where the route is. */
export const AVATARS_PLACE = '/api/v1/avatars'
const KEY_IN_URL = /\/api\/v1\/(avatars\/[A-Za-z0-9]{22}\.webp)$/
const OWN_UPLOAD = /^\/?(?:api\/v1\/)?(?:media\/)?(uploads\/[A-Za-z0-9/_.]+)(?:[?#].*)?$/
const DATA_URL = /^data:[a-z0-9.+/-]*(?:;[a-z0-9.+-]+=[a-z0-9.+-]+)*;base64,/i
/** RFC 4648, 4, with its padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
/** Shorter text that happens to fit is somebody's mistake. */
const MIN_BASE64 = 40

export type AvatarFiles = ReturnType<typeof createAvatars>

export function createAvatars(deps: AvatarsDeps) {
  const { db, storage, work, images, publicUrl = '', countUpload, log } = deps
  const urlOf = (key: string) => `${publicUrl}/api/v1/${key}`

  /** What was given, as bytes or as the path of an upload. @throws AppError 400 */
  function understand(given: string): { bytes: Buffer } | { path: string } {
    const encoded = given.replace(DATA_URL, '')
    const isEncoded = (encoded !== given || encoded.length >= MIN_BASE64) && BASE64.test(encoded)
    if (isEncoded) return { bytes: Buffer.from(encoded, 'base64') }
    const here = publicUrl !== '' && given.startsWith(`${publicUrl}/`) ? given.slice(publicUrl.length) : given
    const path = OWN_UPLOAD.exec(here.replaceAll('%2F', '/'))?.[1]
    if (path === undefined)
      throw validationFailed({ avatar: 'must be a data: URL in base64, or an image you have sent' })
    return { path }
  }

  /** @throws AppError 400 for what is not one's own or cannot be opened any more, 415 for what is no image */
  async function requireOwnImage(userId: string, path: string): Promise<void> {
    const file = await accessFile(db, userId, path).catch((error) => {
      throw error instanceof AppError && error.status === 404 ? notOwnImage() : error
    })
    const row = await findMedia(db, file.id)
    if (row?.ownerId !== userId) throw notOwnImage()
    if (file.kind !== 'image') throw unsupportedMediaType('an image')
  }

  async function make(userId: string, given: string): Promise<string> {
    const source = understand(given)
    if ('path' in source) await requireOwnImage(userId, source.path)
    await countUpload(userId)
    return work.within(async (folder) => {
      const sent = join(folder, 'sent')
      if ('bytes' in source) await writeFile(sent, source.bytes)
      else if (!(await storage.fetch(source.path, sent))) throw notOwnImage()
      const key = newAvatarKey()
      await storage.put(key, await images.makeAvatar(sent), 'image/webp')
      return urlOf(key)
    })
  }

  async function drop(avatarUrl: string | null | undefined): Promise<void> {
    const key = KEY_IN_URL.exec(avatarUrl ?? '')?.[1]
    if (key === undefined) return
    await storage
      .delete([key])
      .catch((error) => log.warn('A picture of nobody stays until the clean-up', { key, error }))
  }

  const port: Avatars = {
    async exchange(userId, given, findCurrent, write) {
      const isKept = typeof given === 'string' && KEY_IN_URL.test(given) && given === (await findCurrent())
      const next = typeof given === 'string' && !isKept ? await make(userId, given) : isKept ? undefined : given
      const { done, replaced } = await write(next).catch(async (error) => {
        // After a failure of the database it may be somebody's all the same: the clean-up knows later.
        if (error instanceof AppError && error.status < 500) await drop(next)
        throw error
      })
      if (next !== undefined && replaced !== next) await drop(replaced)
      return done
    },
    drop,
  }

  return {
    ...port,

    /** @throws avatarNotFound */
    async open(name: string): Promise<OpenFile> {
      const key = KEY_IN_URL.exec(`${AVATARS_PLACE}/${name}`)?.[1]
      const file = key && (await storage.open(key))
      if (!file) throw avatarNotFound()
      return file
    },

    /** PUBLIC_URL may be another one than it was: at the start, so that every URL leads here. */
    followPublicUrl: (): Promise<void> => updateAvatarUrls(db, publicUrl),
  }
}

const notOwnImage = () => validationFailed({ avatar: 'must be an image that you have sent, and can still open' })
