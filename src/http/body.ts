/** Request bodies: JSON, read with a limit, whatever the length header claims. */
import { bodyTooLarge, malformedJson, unsupportedMediaType } from '../errors.ts'

export const MAX_JSON_BYTES = 64 * 1024

/**
 * The JSON of a request; null for an empty body.
 * @throws AppError 413 above `maxBytes`, 415 for another content type, 400 for what is no JSON
 */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > maxBytes) throw bodyTooLarge(maxBytes)
  const text = await readText(request, maxBytes)
  if (text === '') return null
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw unsupportedMediaType('application/json')
  try {
    return JSON.parse(text)
  } catch {
    throw malformedJson()
  }
}

/** Stops reading at the limit, so that nobody fills the memory. */
async function readText({ body }: Request, maxBytes: number): Promise<string> {
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
