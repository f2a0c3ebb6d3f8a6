/** Bodies too large for memory, piece by piece, for as long as they keep coming. */
import { bodyCutOff, bodyTooSlow } from '../errors.ts'

/** How slow a client may be. The time that this server takes over what has come is not the client's. */
export interface Pace {
  /** Nothing at all may come for so long. */
  silenceMs: number
  /** In so long, so much has to come. */
  windowMs: number
  minBytes: number
}

// What comes is searched, hashed and written in between everything else that this process does, and messages are not to wait
// for that. So it goes on at some 25 MB a second each, which is faster than most lines.
const SLICE_BYTES = 64 * 1024
const PAUSE_MS = 2

/** 60 s of silence, 1 KB a second over 30 s. */
export const PACE: Pace = { silenceMs: 60_000, windowMs: 30_000, minBytes: 30_000 }

/**
 * A request's body as it comes; nothing is read before it is asked for, so a slow disk slows the client down. Whoever
 * stops early leaves the rest to Bun, which reads it away.
 * @throws AppError 408 for one that comes too slowly, 400 when the connection ends before the body does
 */
export async function* readSteadily(
  body: ReadableStream<Uint8Array> | null,
  { silenceMs, windowMs, minBytes }: Pace = PACE,
): AsyncGenerator<Uint8Array> {
  if (!body) return
  const reader = body.getReader()
  let waitedMs = 0
  let bytes = 0
  try {
    for (;;) {
      const askedAt = performance.now()
      const { done, value } = await within(silenceMs, reader.read())
      if (done) return
      waitedMs += performance.now() - askedAt
      bytes += value.byteLength
      if (waitedMs >= windowMs) {
        if (bytes < (minBytes * waitedMs) / windowMs) throw bodyTooSlow()
        waitedMs = bytes = 0
      }
      yield* inSlices(value)
    }
  } finally {
    // Of a connection that is gone there is nothing to let go of.
    reader.cancel().catch(() => undefined)
  }
}

/**
 * A chunk of a stream in slices, with a pause before each: copies, since those who get them may keep them for a while. The
 * chunk is freed at its end. The collector is late with what is so large: beside four uploads there would be some hundred
 * megabytes of what nobody needs.
 */
export async function* inSlices(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < chunk.byteLength; at += SLICE_BYTES) {
    await Bun.sleep(PAUSE_MS)
    // Not `slice`, which of a Buffer is no copy.
    yield new Uint8Array(chunk.subarray(at, at + SLICE_BYTES))
  }
  const isItsOwn = chunk.byteLength === chunk.buffer.byteLength
  if (isItsOwn && chunk.buffer instanceof ArrayBuffer) chunk.buffer.transfer(0)
}

async function within<T>(ms: number, read: Promise<T>): Promise<T> {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(() => timeout.reject(bodyTooSlow()), ms)
  try {
    return await Promise.race([
      read.catch(() => {
        throw bodyCutOff()
      }),
      timeout.promise,
    ])
  } finally {
    clearTimeout(timer)
  }
}

interface Connections {
  timeout(request: Request, seconds: number): void
}

/** What connections that are quiet get by default, in seconds. */
const QUIET_SECONDS = 30

/** While `work` goes on the connection may be quiet: `readSteadily` knows better, and what follows takes its time. */
export async function patiently<T>(server: Connections | null, request: Request, work: Promise<T>): Promise<T> {
  server?.timeout(request, 0)
  try {
    return await work
  } finally {
    server?.timeout(request, QUIET_SECONDS)
  }
}
