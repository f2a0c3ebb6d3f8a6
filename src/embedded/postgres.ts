import { chown, mkdtemp, rm, rmdir, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { Log } from '../observability/log.ts'
import { databaseName, makeDataDirectory, prepareCluster, superuser } from './cluster.ts'
import { messageOf } from './errors.ts'
import { chooseIdentity, type Identity } from './identity.ts'
import { waitUntilFree } from './lock.ts'
import { nativeFiles } from './native.ts'
import { type Postmaster, type PostmasterOptions, startPostmaster } from './postmaster.ts'
import { settlesWithin } from './run.ts'
import { removeOtherVersions } from './unpack.ts'

/** A PostgreSQL 16 of our own, alive until `stop()` or until this process goes, however it goes. */
export interface EmbeddedPostgres {
  /** Where its Unix socket lies: mode 0700, the only way in. It stays the same through restarts. */
  readonly socketDirectory: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** Shuts down cleanly, ending open connections. May be called again. */
  stop(): Promise<void>
}

/** It only names the socket file: the server listens on no network. */
const port = 5432

const socketDirectoryPrefix = 'messenger-'

const restartDelayMs = { first: 200, longest: 10_000 }

/** A server that ran this long was healthy: the next death starts the delays anew. */
const healthyAfterMs = 60_000

/**
 * Starts PostgreSQL in `dataDir/postgres`, creating the database the first time, and starts it again should it die.
 *
 * Throws `EmbeddedPostgresInUseError` when another live server has the directory, and `EmbeddedPostgresError` when
 * PostgreSQL can't run here or the directory holds another major version.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string
  log: Log
  maxConnections?: number
}): Promise<EmbeddedPostgres> {
  const { log, maxConnections = 40 } = options
  const dataDir = resolve(options.dataDir)
  const clusterDir = join(dataDir, 'postgres')

  await makeDataDirectory(dataDir)
  const identity = await chooseIdentity(dataDir, clusterDir)
  if (identity) log.info('PostgreSQL refuses to run as root: it runs under another user id', { uid: identity.uid })
  const nativeDir = await nativeFiles(dataDir, identity, log)
  await prepareCluster(clusterDir, { dataDir, nativeDir, identity, log })
  const dead = await waitUntilFree(clusterDir)
  if (dead) await removeSocketDirectory(dead.socketDirectory)

  const socketDirectory = await makeSocketDirectory(identity)
  try {
    const how = { clusterDir, nativeDir, socketDirectory, port, maxConnections, identity, log }
    const stop = supervise(await startPostmaster(how), how)
    // The data directory is ours alone by now; what an older version of us unpacked here has done its work.
    if (dirname(nativeDir) === dataDir) removeOtherVersions('postgres-files', nativeDir)
    return { socketDirectory, port, user: superuser, database: databaseName, stop }
  } catch (error) {
    await rm(socketDirectory, { recursive: true, force: true })
    throw error
  }
}

/** Starts the server again whenever it dies. Returns what ends both the server and the watch over it. */
function supervise(first: Postmaster, how: PostmasterOptions): () => Promise<void> {
  const { log } = how
  const stopAsked = Promise.withResolvers<void>()
  let isStopping = false
  let current = first
  let failures = 0

  const startAgain = async (): Promise<Postmaster | undefined> => {
    while (!isStopping) {
      const delayMs = Math.min(restartDelayMs.first * 2 ** failures, restartDelayMs.longest)
      failures += 1
      if (await settlesWithin(delayMs, stopAsked.promise)) return undefined
      try {
        return await startPostmaster(how)
      } catch (error) {
        log.error('PostgreSQL could not be started again', { error: messageOf(error), failures })
      }
    }
    return undefined
  }

  const watch = async () => {
    while (!isStopping) {
      const startedAt = performance.now()
      const cause = await current.exited
      if (isStopping) return
      log.error('PostgreSQL died; starting it again', { cause })
      if (performance.now() - startedAt > healthyAfterMs) failures = 0
      const next = await startAgain()
      if (next === undefined) return
      current = next
      log.warn('PostgreSQL runs again', { pid: next.pid })
    }
    // It came up while we were told to stop.
    await current.stop()
  }
  const watched = watch()

  const stopAll = async () => {
    isStopping = true
    stopAsked.resolve()
    await current.stop()
    await watched
    await rm(how.socketDirectory, { recursive: true, force: true })
  }
  let stopped: Promise<void> | undefined
  return () => {
    stopped ??= stopAll()
    return stopped
  }
}

/**
 * The address of a Unix socket holds 107 bytes (sun_path, unix(7)), file name included: a long TMPDIR won't do, and
 * root's may be closed to the server's user. XDG_RUNTIME_DIR goes when its user logs out, while a server stays.
 */
async function makeSocketDirectory(identity: Identity): Promise<string> {
  const isFit = identity === undefined && Buffer.byteLength(tmpdir()) <= 60
  const directory = await mkdtemp(join(isFit ? tmpdir() : '/tmp', socketDirectoryPrefix))
  if (identity) await chown(directory, identity.uid, identity.gid)
  return directory
}

/** Only what a server leaves there: root does this, and the path stands in a file that the server's user can write. */
async function removeSocketDirectory(directory: string): Promise<void> {
  if (!basename(directory).startsWith(socketDirectoryPrefix)) return
  const socket = join(directory, `.s.PGSQL.${port}`)
  await Promise.allSettled([unlink(socket), unlink(`${socket}.lock`)])
  await Promise.allSettled([rmdir(directory)])
}
