import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { createLog } from '../../src/observability/log.ts'

export type FaultyPostgres = Awaited<ReturnType<typeof startFaultyPostgres>>

/** A PostgreSQL with everything that befalls one. What it does to its processes is what the operating system would do. */
export async function startFaultyPostgres() {
  const dataDir = mkdtempSync(join(tmpdir(), 'client-test-'))
  const log = createLog('error', () => {})
  const { socketDirectory, port, user, database, stop } = await startEmbeddedPostgres({ dataDir, log })
  const lockFile = () => readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')
  const postmaster = () => Number(lockFile()[0])
  let stopped: number[] = []

  return {
    socket: { socketDirectory, port, user, database },
    /** What pg_terminate_backend() does, to all at once. */
    terminateBackends: () => signal(backendsOf(postmaster()), 'SIGTERM'),
    /** Falls and comes up again: backends end without farewell, then it recovers. Returns when it accepts connections. */
    restartAtOnce: async () => {
      const before = postmaster()
      signal([before], 'SIGQUIT')
      while (!isReady(before)) await Bun.sleep(5)
    },
    /** Neither answers nor hangs up: what a frozen machine or a cut cable looks like. */
    freeze: ({ whole }: { whole: boolean }) => {
      stopped = [...(whole ? [postmaster()] : []), ...backendsOf(postmaster())]
      return signal(stopped, 'SIGSTOP')
    },
    thaw: () => {
      signal(stopped, 'SIGCONT')
      stopped = []
    },
    stop: async () => {
      await stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }

  function isReady(before: number): boolean {
    try {
      const [pid, , , , , , , status] = lockFile()
      return Number(pid) !== before && status?.trim() === 'ready'
    } catch {
      // Between the two servers there is no such file.
      return false
    }
  }
}

/** The processes that serve clients, not those that write and clean up. */
function backendsOf(postmaster: number): number[] {
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ').map(Number)
  return children.filter((pid) => readCommandLine(pid).includes('[local]'))
}

function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** Returns how many were there to get it. */
function signal(pids: number[], name: NodeJS.Signals): number {
  return pids.filter((pid) => {
    try {
      return process.kill(pid, name)
    } catch {
      return false
    }
  }).length
}
