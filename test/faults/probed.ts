/** The server in a process of its own, of which one may ask what memory is in use. */
import { join } from 'node:path'
import type { InUse } from './memory-probe.ts'
import { type ServerProcess, startProcess } from './server-process.ts'

export interface ProbedServer extends ServerProcess {
  /** After all garbage is collected. It takes a second; what is under way meanwhile counts. */
  inUse(): Promise<InUse>
}

export async function startProbed(dataDir: string, settings: Record<string, string> = {}): Promise<ProbedServer> {
  const probe = join(dataDir, 'memory-probe')
  const preload = join(import.meta.dir, 'memory-probe.ts')
  const server = await startProcess(dataDir, { ...settings, MEMORY_PROBE: probe }, { preload })
  const inUse = async () => (await (await fetch('http://probe', { unix: probe })).json()) as InUse
  return { ...server, inUse }
}
