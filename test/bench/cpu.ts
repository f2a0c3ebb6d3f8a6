/** What processes cost: time on the processor and memory, from proc(5). */
import { readFile } from 'node:fs/promises'
import { childrenOf } from '../faults/server-process.ts'

/** Linux counts in ticks of this length for programs (USER_HZ). */
const TICKS_A_SECOND = 100

/** utime and stime of all threads; with those of ended children that were waited for (cutime, cstime). */
async function cpuSecondsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name in parentheses may hold anything, blanks too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const at = (place: number) => Number(fields[place - 3] ?? 0)
  return (at(14) + at(15) + at(16) + at(17)) / TICKS_A_SECOND
}

/** Seconds on the processor so far, of the process, its children that live and those that have ended. */
export async function cpuSeconds(pid: number): Promise<number> {
  const parts = await Promise.all([cpuSecondsOf(pid), ...childrenOf(pid).map(cpuSeconds)])
  return parts.reduce((total, part) => total + part, 0)
}

/** PSS in bytes: what several processes share is counted once. */
export async function memoryBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  return Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024
}

/** The same of the process and of all it started. */
export async function memoryBytesOfAll(pid: number): Promise<number> {
  const parts = await Promise.all([memoryBytes(pid), ...childrenOf(pid).map(memoryBytesOfAll)])
  return parts.reduce((total, part) => total + part, 0)
}
