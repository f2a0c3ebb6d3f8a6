import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../observability/log.ts'
import { dataDirectoryArgument } from './cluster.ts'
import { EmbeddedPostgresError } from './errors.ts'
import { forwardLog } from './forward-log.ts'
import type { Identity } from './identity.ts'
import { patienceMs, readLock, waitUntilFree } from './lock.ts'
import { childEnvironment, settlesWithin } from './run.ts'
import { serverArguments } from './settings.ts'

export interface PostmasterOptions {
  readonly clusterDir: string
  readonly nativeDir: string
  readonly socketDirectory: string
  readonly port: number
  readonly maxConnections: number
  readonly identity: Identity
  readonly log: Log
}

/** A running server that accepts connections. */
export interface Postmaster {
  readonly pid: number
  /** Settles when the process is gone, with what it died of. */
  readonly exited: Promise<string>
  /** Ends every connection, writes a checkpoint and exits; within 30 s in any case. */
  stop(): Promise<void>
}

const stopPatienceMs = 30_000

/**
 * Becomes PostgreSQL, and leaves a guard behind that holds the other end of our pipe: the pipe ends however we go, kill
 * -9 included, and then the guard stops the server. It ends with the server, too; then the process id may be another's
 * by now, so the guard looks whom it has before it. The guard is an orphan (a child of the server would be taken for one
 * of its own) and deaf to the signals that a terminal or a service manager sends to all. After 8 s it stops without a
 * checkpoint: the next start waits 10 s, and the write-ahead log has everything.
 */
const guardedStart = `
sockets=$1
shift
exec 3<&0 </dev/null
(
  trap '' HUP INT QUIT TERM
  (
    is_there() { grep -qF "$sockets" /proc/$$/cmdline; }
    read -r _ <&3
    is_there || exit
    kill -INT $$
    n=0
    while is_there && [ $n -lt 80 ]; do sleep 0.1; n=$((n + 1)); done
    if is_there; then kill -QUIT $$; sleep 1; fi
    rm -rf "$sockets"
  ) >/dev/null 2>&1 &
)
exec 3<&-
exec "$@"
`

/**
 * Starts the server and waits until it accepts connections, through crash recovery too. Processes of a dead one may need
 * a moment to notice its death; they are waited for.
 */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    await waitUntilFree(options.clusterDir)
    const attempt = await attemptStart(options)
    if (typeof attempt !== 'string') return attempt
    const isPredecessorThere = /is still in use|lock file ".*" already exists/.test(attempt)
    if (!isPredecessorThere || performance.now() > deadline) {
      throw new EmbeddedPostgresError(`PostgreSQL did not start: ${attempt}`)
    }
    await Bun.sleep(200)
  }
}

/** The running server, or the line that says why it didn't start. */
async function attemptStart(options: PostmasterOptions): Promise<Postmaster | string> {
  const { clusterDir, socketDirectory, log } = options
  // Left by a server killed in this same directory; its number may be another process's by now.
  await rm(join(socketDirectory, `.s.PGSQL.${options.port}.lock`), { force: true })

  const server = [join(options.nativeDir, 'bin/postgres'), '-D', dataDirectoryArgument, ...serverArguments(options)]
  const child = Bun.spawn(['/bin/sh', '-c', guardedStart, 'messenger-postgres', socketDirectory, ...server], {
    ...options.identity,
    cwd: clusterDir,
    env: childEnvironment,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'pipe',
    // Its own process group: Ctrl-C must reach us alone, so that we can finish our work before the database goes.
    detached: true,
  })
  let lastFault = ''
  const logged = forwardLog(child.stderr, log, (line) => {
    if (/FATAL|PANIC/.test(line) || lastFault === '') lastFault = line
  })
  const exited = child.exited.then(async () => {
    // Orphaned backends hold the log open for as long as they don't notice.
    await settlesWithin(1_000, logged)
    return child.signalCode ? `signal ${child.signalCode}` : `exit code ${child.exitCode}`
  })

  const isReady = await waitUntilReady(child.pid, exited, options)
  if (!isReady) return lastFault || (await exited)
  return {
    pid: child.pid,
    exited,
    stop: async () => {
      child.kill('SIGINT')
      if (await settlesWithin(stopPatienceMs, exited)) return
      log.warn('PostgreSQL takes too long to stop: ending it; the next start recovers from its log')
      child.kill('SIGQUIT')
      await exited
    },
  }
}

/** The server says in its lock file when it is ready; that is what pg_ctl goes by, too. False if it exits instead. */
async function waitUntilReady(
  pid: number,
  exited: Promise<string>,
  { clusterDir, log }: PostmasterOptions,
): Promise<boolean> {
  let hasExited = false
  void exited.then(() => {
    hasExited = true
  })
  let nextNoticeAt = performance.now() + 5_000
  while (!hasExited) {
    const lock = await readLock(clusterDir)
    if (lock?.pid === pid && lock.status === 'ready') return true
    if (performance.now() > nextNoticeAt) {
      log.info('PostgreSQL is still starting; after a crash it recovers first')
      nextNoticeAt += 5_000
    }
    await Bun.sleep(10)
  }
  return false
}
