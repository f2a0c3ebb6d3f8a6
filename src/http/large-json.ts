/** JSON bodies that may hold a picture, and be far larger than all others: few of those are in memory at once. */
import { unavailable } from '../errors.ts'
import { MAX_JSON_BYTES, readJson } from './body.ts'
import { type Pace, readSteadily } from './steady-body.ts'
import { createTurns } from './turns.ts'

export const MAX_LARGE_JSON_BYTES = 8 * 1024 * 1024
const AT_ONCE = 8
const WAITING = 32
/** 32 KB a second, or whoever is slow would keep the others waiting. */
const PACE: Pace = { silenceMs: 10_000, windowMs: 10_000, minBytes: 320_000 }

/**
 * Reads as `readJson` does, up to 8 MB. Large ones wait for each other, and slow ones are given up; small ones wait for
 * none of them.
 * @throws AppError 408, 413, 415, 400, 503
 */
export function createLargeJsonReader(pace = PACE): (request: Request) => Promise<unknown> {
  const inTurn = createTurns(AT_ONCE, WAITING, () => unavailable('Too many pictures are being sent; try again', 5))
  return (request) => {
    const { headers, body } = request
    const announced = Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY)
    if (announced <= MAX_JSON_BYTES) return readJson(request, MAX_JSON_BYTES)
    return inTurn(() => readJson({ headers, body: readSteadily(body, pace) }, MAX_LARGE_JSON_BYTES))
  }
}
