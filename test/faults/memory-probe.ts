/**
 * Loaded before the server and in its process (`bun --preload`): on a socket of its own it tells what memory is in use once all
 * garbage is collected. The server itself has no such door.
 */
import { heapStats } from 'bun:jsc'

/** Some memory is given back a little later than it is free. */
const PASSES = 8
const PAUSE_MS = 250
const MEBIBYTE = 1024 * 1024

export interface InUse {
  /** JavaScript's heap: objects, lists, maps, short texts. */
  objectsMb: number
  /** What these hold outside of it: code that was compiled, long texts, buffers. */
  heldMb: number
  /** Resident memory of the whole process. */
  residentMb: number
}

/** The lowest of a few passes: what was under way in one may be done in the next. */
async function measure(): Promise<InUse> {
  const passes: InUse[] = []
  for (let pass = 0; pass < PASSES; pass++) {
    await Bun.sleep(PAUSE_MS)
    // What the heap tells while the engine collects by itself, a moment later, is less than there is.
    Bun.gc(true)
    const { heapSize, extraMemorySize } = heapStats()
    passes.push({
      objectsMb: (heapSize - extraMemorySize) / MEBIBYTE,
      heldMb: extraMemorySize / MEBIBYTE,
      residentMb: process.memoryUsage.rss() / MEBIBYTE,
    })
  }
  const lowest = (what: keyof InUse) => Math.min(...passes.map((pass) => pass[what]))
  return { objectsMb: lowest('objectsMb'), heldMb: lowest('heldMb'), residentMb: lowest('residentMb') }
}

const path = process.env.MEMORY_PROBE
if (path !== undefined) Bun.serve({ unix: path, fetch: async () => Response.json(await measure()) }).unref()
