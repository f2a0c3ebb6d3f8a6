/**
 * Loaded before the server and in its process (`bun --preload`): on a socket of its own it tells what memory is in use once all
 * garbage is collected. The server itself has no such door.
 */
import { heapStats } from 'bun:jsc'

/** Some memory is given back a little later than it is free. */
const PASSES = 4
const PAUSE_MS = 250
const MEBIBYTE = 1024 * 1024

export interface InUse {
  /** What JavaScript's objects take, and what they hold outside of the heap. */
  objectsMb: number
  /** Resident memory of the whole process. */
  residentMb: number
}

/** The lowest of a few passes: what was under way in one may be done in the next. */
async function measure(): Promise<InUse> {
  const lowest = { objectsMb: Number.POSITIVE_INFINITY, residentMb: Number.POSITIVE_INFINITY }
  for (let pass = 0; pass < PASSES; pass++) {
    Bun.gc(true)
    await Bun.sleep(PAUSE_MS)
    lowest.objectsMb = Math.min(lowest.objectsMb, heapStats().heapSize / MEBIBYTE)
    lowest.residentMb = Math.min(lowest.residentMb, process.memoryUsage.rss() / MEBIBYTE)
  }
  return lowest
}

const path = process.env.MEMORY_PROBE
if (path !== undefined) Bun.serve({ unix: path, fetch: async () => Response.json(await measure()) }).unref()
