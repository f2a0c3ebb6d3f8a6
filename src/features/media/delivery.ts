/** Giving out files: by a token or by a link, to whoever may see their message at this moment. */
import type { Db } from '../../db/client.ts'
import { linkOfSomebodyElse, mediaNotFound, notSignedIn } from '../../errors.ts'
import { contentDisposition } from '../../http/content-disposition.ts'
import type { FileHeaders } from '../../http/file-answer.ts'
import type { Log } from '../../observability/log.ts'
import type { OpenFile, Storage } from '../../storage/storage.ts'
import { type AccessibleFile, accessFile, listAccessible } from './access.ts'
import type { Links } from './links.ts'
import type { LinkQuery, MediaLinks } from './model.ts'

export interface Delivered {
  file: OpenFile
  headers: FileHeaders
}

export type Delivery = ReturnType<typeof createDelivery>

/** Where the route is. */
const PLACE = '/api/v1/media'
/** What we make ourselves of what was sent; all else is saved, not shown. */
const SHOWN = /^(?:image\/(?:webp|jpeg|png|gif)|video\/(?:mp4|webm)|audio\/(?:ogg|mp4|mpeg|webm|opus))$/
/** What might do something in a browser is not even called by its name. */
const ACTIVE = /html|xml|svg|script|css|xsl/i
const MIME = /^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/

export function createDelivery(deps: { db: Db; storage: Storage; links: Links; log: Log }) {
  const { db, storage, links, log } = deps

  return {
    /**
     * @param callerId whose token came with the request; it counts before the link
     * @throws AppError 401 without either, or for a link that has expired; 403 for one that is altered or somebody else's;
     * 404 for all that the user may not see
     */
    async open(callerId: string | undefined, path: string, { u, t, s }: LinkQuery): Promise<Delivered> {
      if (callerId !== undefined && u !== undefined && u !== callerId) throw linkOfSomebodyElse()
      const isLink = u !== undefined && t !== undefined && s !== undefined
      const userId = callerId ?? (isLink ? links.verify(path, { u, t, s }) : undefined)
      if (userId === undefined) throw notSignedIn()
      const row = await accessFile(db, userId, path)
      const file = await storage.open(path)
      if (!file) {
        log.error('A file of a message is not in the storage', { path, media_id: row.id })
        throw mediaNotFound()
      }
      return { file, headers: headersOf(row, path) }
    },

    /** Signs for the caller what they may open; the other paths are named. */
    async sign(userId: string, paths: readonly string[]): Promise<MediaLinks> {
      const wanted = [...new Set(paths)]
      const found = await listAccessible(db, userId, wanted)
      const signed = wanted.filter((path) => found.has(path)).map((path) => ({ path, ...links.sign(path, userId) }))
      return {
        links: signed.map(({ path, query, expiresAt }) => ({
          path,
          url: `${PLACE}/${path}?${query}`,
          expires_at: expiresAt.toISOString(),
        })),
        not_found: wanted.filter((path) => !found.has(path)),
      }
    },
  }
}

function headersOf({ id, kind, mimeType, fileName, isThumbnail }: AccessibleFile, path: string): FileHeaders {
  const type = isThumbnail ? 'image/jpeg' : mimeType
  const isShown = SHOWN.test(type) && (isThumbnail || kind !== 'file')
  const isTold = MIME.test(type) && !ACTIVE.test(type)
  return {
    // What a path leads to never changes.
    etag: isThumbnail ? `"${id}-thumbnail"` : `"${id}"`,
    'cache-control': 'private, no-cache',
    'content-type': isTold ? type : 'application/octet-stream',
    'content-disposition': contentDisposition(
      isShown ? 'inline' : 'attachment',
      isShown ? withExtensionOf(fileName, path) : fileName,
    ),
  }
}

/** What was made anew is of another type than its sender's name says. */
function withExtensionOf(fileName: string, path: string): string {
  const extension = path.slice(path.lastIndexOf('.'))
  const base = fileName.replace(/\.[^.]{0,10}$/, '') || 'file'
  return `${base}${extension}`
}
