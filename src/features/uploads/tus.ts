/** What the tus protocol for uploads in pieces says in headers (https://tus.io/protocols/resumable-upload, version 1.0.0). */
import { unknownTusVersion, validationFailed } from '../../errors.ts'

export const TUS_VERSION = '1.0.0'
/** The type of the body of a PATCH. */
export const TUS_BODY = 'application/offset+octet-stream'

/** Those who speak it say so; who sends nothing, by hand perhaps, is understood too. @throws AppError 412 */
export function requireTusVersion(version: string | null): void {
  if (version !== null && version !== TUS_VERSION) throw unknownTusVersion(TUS_VERSION)
}

// RFC 4648, 4: with its padding.
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** `Upload-Metadata`: pairs of a key and a value in Base64, with commas between them. @throws AppError 400 */
export function parseMetadata(header: string): Record<string, string> {
  const entries = header
    .split(',')
    .map((pair) => pair.trim().split(' '))
    .filter(([key]) => key !== '')
  const isFine = entries.every(
    ([key = '', value = '', ...rest]) => key !== '' && BASE64.test(value) && rest.length === 0,
  )
  const names = new Set(entries.map(([key]) => key))
  if (!isFine || names.size < entries.length) {
    throw validationFailed({
      'upload-metadata': 'must be keys, each once, with values in Base64: chat_id MDE5...,filename cC5q',
    })
  }
  return Object.fromEntries(entries.map(([key = '', value = '']) => [key, Buffer.from(value, 'base64').toString()]))
}
