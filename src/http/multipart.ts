/** Forms with files (RFC 7578), read part by part: no file is ever in memory. */
import type { Readable } from 'node:stream'
import Busboy, { type BusboyHeaders } from '@fastify/busboy'
import { AppError, malformedForm, unsupportedMediaType, validationFailed } from '../errors.ts'

export interface FormField {
  name: string
  value: string
  file?: undefined
}
export interface FormFile {
  name: string
  file: {
    /** As the client calls it; undefined when it does not. */
    name: string | undefined
    /** Comes as fast as it is read. What is not read is skipped. */
    body: AsyncIterable<Uint8Array>
  }
}

export interface FormLimits {
  /** Parts of this name are files, with or without a file name; all others are fields. */
  fileField: string
  maxFiles: number
  maxFields: number
  maxFieldBytes: number
}

interface Waiting {
  part: FormField | FormFile
  body?: Readable
}

const FORM = 'multipart/form-data'
const MAX_HEADER_BYTES = 8 * 1024

/** @throws AppError 415 for another type, 400 for a form without a boundary (RFC 2046, 5.1.1: 1 to 70 characters) */
export function requireForm(contentType: string | null): string {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  if (contentType === null || type !== FORM) throw unsupportedMediaType(FORM)
  const boundary = /;\s*boundary=(?:"([^"]*)"|([^\s;"]*))/i.exec(contentType)
  const length = (boundary?.[1] ?? boundary?.[2] ?? '').length
  if (length < 1 || length > 70) throw malformedForm()
  return contentType
}

/**
 * The parts of a form in their order. A file has to be read, or left, before the next part comes.
 * @throws AppError 400 for what is no form, ends too soon or has more parts than it may; 415; what `chunks` throws
 */
export async function* readForm(
  contentType: string | null,
  chunks: AsyncIterable<Uint8Array>,
  { fileField, maxFiles, maxFields, maxFieldBytes }: FormLimits,
): AsyncGenerator<FormField | FormFile> {
  const headers: BusboyHeaders = { 'content-type': requireForm(contentType) }
  const parser = new Busboy({
    headers,
    isPartAFile: (name) => name === fileField,
    limits: {
      files: maxFiles,
      fields: maxFields,
      parts: maxFiles + maxFields,
      fieldSize: maxFieldBytes,
      headerSize: MAX_HEADER_BYTES,
    },
  })
  const unread = new Set<Readable>()
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => undefined)
  let parts: ReadableStreamDefaultController<Waiting> | undefined
  const form = new ReadableStream<Waiting>({
    start: (controller) => {
      parts = controller
    },
  })
  let isOver = false
  const push = (part: Waiting) => {
    if (!isOver) parts?.enqueue(part)
  }
  const fail = (error: unknown) => {
    isOver = true
    parts?.error(error)
    for (const body of unread) body.destroy(error instanceof Error ? error : undefined)
    stopped.reject(error)
  }

  parser.on('file', (name, body, fileName) => {
    unread.add(body)
    body.on('close', () => unread.delete(body))
    // Whoever reads it hears of the fault; nobody may be reading.
    body.on('error', () => undefined)
    push({ part: { name, file: { name: fileName, body: contentOf(body) } }, body })
  })
  parser.on('field', (name, value, _, isCut) => {
    if (isCut) fail(validationFailed({ [name]: `must be at most ${maxFieldBytes} bytes` }))
    else push({ part: { name, value } })
  })
  const tooMany = (field: string, most: number) => () =>
    fail(validationFailed({ [field]: `at most ${most} may be sent` }))
  parser.on('filesLimit', tooMany(fileField, maxFiles))
  parser.on('fieldsLimit', tooMany('fields', maxFields))
  parser.on('partsLimit', tooMany('parts', maxFiles + maxFields))
  parser.on('error', () => fail(malformedForm()))
  parser.on('finish', () => {
    if (!isOver) parts?.close()
    isOver = true
  })

  const write = (chunk: Uint8Array) =>
    new Promise<void>((resolve, reject) =>
      parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), (error) =>
        error ? reject(error) : resolve(),
      ),
    )
  const feed = async () => {
    for await (const chunk of chunks) await Promise.race([write(chunk), stopped.promise])
    parser.end()
  }
  feed().catch(fail)

  try {
    for await (const { part, body } of form) {
      yield part
      // What nobody has read would be in the way of what follows.
      body?.resume()
    }
  } finally {
    fail(malformedForm())
    parser.destroy()
  }
}

async function* contentOf(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw error instanceof AppError ? error : malformedForm()
  }
}
