import { readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { codeOf, EmbeddedPostgresInUseError } from './errors.ts'

/** How long a start waits for the previous server's PostgreSQL to finish stopping. */
export const patienceMs = 10_000

/** How long a holder that shows no sign of stopping is given: its parent may have died this very moment. */
const graceMs = 1_500

/**
 * What a server writes into its data directory.
 * Source: PostgreSQL's src/include/utils/pidfile.h (the lines: pid, directory, start time, port, socket directory, TCP
 * address, shared memory, status).
 */
export interface Lock {
  readonly pid: number
  readonly port: number
  readonly socketDirectory: string
  readonly status: string
}

export async function readLock(clusterDir: string): Promise<Lock | undefined> {
  const text = await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch((error) => {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  })
  const lines = text.split('\n').map((line) => line.trim())
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10))
  if (Number.isNaN(pid)) return undefined
  return { pid, port: Number(lines[3]), socketDirectory: lines[4] ?? '', status: lines[7] ?? '' }
}

/**
 * Returns when no server has the directory open, with what a dead one left; one that is still stopping is waited for.
 * Throws `EmbeddedPostgresInUseError` when one is there to stay.
 */
export async function waitUntilFree(clusterDir: string): Promise<Lock | undefined> {
  const startedAt = performance.now()
  for (;;) {
    const lock = await readLock(clusterDir)
    if (lock === undefined) return undefined
    if (!(await isHeld(lock))) {
      // Safe: a new server still finds processes of a dead one by their shared memory, whose key is the directory's inode.
      await rm(join(clusterDir, 'postmaster.pid'), { force: true })
      return lock
    }
    const waitedMs = performance.now() - startedAt
    if (waitedMs > (lock.status === 'stopping' ? patienceMs : graceMs)) {
      throw new EmbeddedPostgresInUseError(
        `${clusterDir} is in use by another running server (its PostgreSQL has process id ${lock.pid})`,
      )
    }
    await Bun.sleep(50)
  }
}

const socketDirectoryArgument = 'unix_socket_directories='

/**
 * Whether the process named in the lock is still that server. PostgreSQL itself asks only whether such a process
 * exists, and so refuses to start after a crash when its number went to another one, as numbers do in containers.
 */
export async function isHeld(lock: Lock): Promise<boolean> {
  const commandLine = await readFile(`/proc/${lock.pid}/cmdline`, 'utf8').catch(() => '')
  const [program, ...args] = commandLine.split('\0')
  if (program === undefined || !basename(program).startsWith('postgres')) return false
  // A server writes its socket directory a moment after its process id; until then it gets the benefit of the doubt.
  if (lock.socketDirectory === '') return true
  // Started by us: the socket directory is new at each start, so it names this very server.
  const socketSetting = args.find((arg) => arg.startsWith(socketDirectoryArgument))
  return socketSetting === undefined || socketSetting === socketDirectoryArgument + lock.socketDirectory
}
