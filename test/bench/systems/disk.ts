/**
 * What a message waits for if nothing but the disk takes time: `disk.ts FOLDER SECONDS` syncs one page of a file of 16 MiB
 * after the other, as PostgreSQL's log is written, and prints as JSON how long it takes from any moment to the end of the
 * first sync that began after it. A server whose commits follow each other delivers no earlier.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Latencies, summarize } from '../load/options.ts'

const PAGE = Buffer.alloc(8192, 1)
const PAGES = 2048
/** Moments that are asked about, each later than the one before by this. */
const STEP_MS = 0.2

export interface Sync {
  from: number
  to: number
}

/** How long moments, evenly spread, wait for the end of the next sync. @param syncs one after the other */
export function waitsOf(syncs: readonly Sync[], stepMs = STEP_MS): Latencies {
  const waits: number[] = []
  let moment = syncs[0]?.from ?? 0
  for (const { from, to } of syncs) for (; moment <= from; moment += stepMs) waits.push(to - moment)
  return summarize(waits)
}

/** Milliseconds that moments wait. In a process of its own: a sync stops everything else in the one that asks for it. */
export async function measureDisk(seconds: number): Promise<Latencies> {
  const folder = await mkdtemp(join(tmpdir(), 'messenger-disk-'))
  try {
    const child = Bun.spawn([process.execPath, import.meta.path, folder, String(seconds)], { stderr: 'inherit' })
    return JSON.parse(await new Response(child.stdout).text()) as Latencies
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function measure(folder: string, seconds: number): Sync[] {
  const file = openSync(join(folder, 'disk'), 'w')
  try {
    // What is there already is written over: nothing but the page has to go to the disk.
    for (let page = 0; page < PAGES; page++) writeSync(file, PAGE)
    fsyncSync(file)
    const syncs: Sync[] = []
    for (const until = performance.now() + seconds * 1000; performance.now() < until; ) {
      const from = performance.now()
      writeSync(file, PAGE, 0, PAGE.length, (syncs.length % PAGES) * PAGE.length)
      fdatasyncSync(file)
      syncs.push({ from, to: performance.now() })
    }
    return syncs
  } finally {
    closeSync(file)
  }
}

if (import.meta.main) {
  const [folder = '.', seconds = '1'] = process.argv.slice(2)
  process.stdout.write(JSON.stringify(waitsOf(measure(folder, Number(seconds)))))
}
