/** Request bodies: JSON, read with a limit, whatever the length header claims. */
import { bodyTooLarge, malformedJson, unsupportedMediaType, validationFailed } from '../errors.ts'

export const MAX_JSON_BYTES = 64 * 1024

/** What is read of a request. */
export interface JsonRequest {
  headers: Headers
  body: AsyncIterable<Uint8Array> | null
}

/**
 * The JSON object of a request; null for an empty body, and for null.
 * @throws AppError 413 above `maxBytes`, 415 for another content type, 400 for what is no JSON or no object
 */
export async function readJson(request: JsonRequest, maxBytes: number): Promise<unknown> {
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > maxBytes) throw bodyTooLarge(maxBytes)
  const text = await readText(request, maxBytes)
  if (text === '') return null
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw unsupportedMediaType('application/json')
  const value = parse(text)
  // A list would pass for an object without fields, and every field that may be left out would be.
  if (typeof value !== 'object' || Array.isArray(value)) throw validationFailed({ body: 'must be a JSON object' })
  return value
}

// Written out or escaped.
const MAY_NAME_PROTOTYPE = /__proto__|\\u/

/** A field `__proto__` becomes the prototype of whatever it is copied to, past every check: it is left out. */
function parse(text: string): unknown {
  try {
    if (!MAY_NAME_PROTOTYPE.test(text)) return JSON.parse(text)
    return JSON.parse(text, (key, value) => (key === '__proto__' ? undefined : value))
  } catch {
    throw malformedJson()
  }
}

/** Stops reading at the limit, so that nobody fills the memory. */
async function readText({ body }: JsonRequest, maxBytes: number): Promise<string> {
  if (!body) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw bodyTooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
