import { existsSync } from 'node:fs'
import { lchown, lstat, mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../observability/log.ts'
import { codeOf, EmbeddedPostgresError, messageOf } from './errors.ts'
import { type Identity, isRoot, nobody } from './identity.ts'
import { run } from './run.ts'

export const majorVersion = '16'
export const superuser = 'messenger'
export const databaseName = 'messenger'

/**
 * How the server names its data directory. It is started inside it, and after that it needs no search permission on the
 * directories above: a cluster under `/root` works for a child that may not enter `/root`, and no path is too long.
 */
export const dataDirectoryArgument = '/proc/self/cwd'

const draftPrefix = 'postgres.init-'

/**
 * Leaves a complete cluster of our major version in `clusterDir`, owned by the server's user; the first time it makes
 * it. A cluster is made beside its place and renamed, so a crash half way leaves nothing that looks like one.
 */
export async function prepareCluster(
  clusterDir: string,
  options: { dataDir: string; nativeDir: string; identity: Identity; log: Log },
): Promise<void> {
  await removeAbandonedDrafts(options.dataDir, options.log)
  const found = await findVersion(clusterDir)
  if (found === undefined) {
    await createCluster(clusterDir, options)
  } else if (found !== majorVersion) {
    throw new EmbeddedPostgresError(
      `${clusterDir} was written by PostgreSQL ${found}, this server carries ${majorVersion}: make a backup with the ` +
        `old messenger binary ("messenger backup DIR"), move ${clusterDir} away, ` +
        `and restore with this one ("messenger restore DIR")`,
    )
  }
  // Root made or copied it (a file backup put back, say): its files are no use to the server's user.
  if (isRoot()) await handOver(clusterDir, options.identity ?? nobody)
}

/** The major version of the cluster, or undefined when there is none yet. */
async function findVersion(clusterDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(clusterDir, 'PG_VERSION'), 'utf8')).trim()
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw new EmbeddedPostgresError(`cannot read ${clusterDir}: ${messageOf(error)}`)
  }
  const entries = await readdir(clusterDir).catch(() => [])
  if (entries.length === 0) return undefined
  throw new EmbeddedPostgresError(
    `${clusterDir} is not empty and holds no database: move it away, or choose another DATA_DIR`,
  )
}

async function createCluster(
  clusterDir: string,
  { dataDir, nativeDir, identity, log }: { dataDir: string; nativeDir: string; identity: Identity; log: Log },
): Promise<void> {
  log.info('creating the database', { directory: clusterDir })
  const draft = await mkdtemp(join(dataDir, `${draftPrefix}${process.pid}-`))
  try {
    // initdb wants a user with a name; the owner of a mounted directory may have none, so root starts with nobody.
    const author = isRoot() ? nobody : undefined
    if (author) await lchown(draft, author.uid, author.gid)
    await initialise(draft, nativeDir, author)
    if (isRoot()) await handOver(draft, identity ?? nobody, author)
    await rename(draft, clusterDir)
    await syncDirectory(dataDir)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // A server that started at the same moment was faster; which of the two may run is decided when they start it.
    const wasFaster = codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST'
    if (!wasFaster) throw error
  }
}

async function initialise(directory: string, nativeDir: string, identity: Identity): Promise<void> {
  const initdb = [
    join(nativeDir, 'bin/initdb'),
    ...['-D', dataDirectoryArgument, '-U', superuser],
    // The socket's directory is 0700: whoever can reach it is the server itself or root.
    '--auth=trust',
    // Lower-casing and text search know every script; the order is that of code points, which no upgrade of the
    // system's C library changes under an index.
    ...['--encoding=UTF8', '--locale=C.UTF-8', '--no-instructions'],
  ]
  const made = await run(initdb, { cwd: directory, identity })
  if (!made.ok) throw new EmbeddedPostgresError(`cannot create the database: ${explain(made.output)}`)

  const singleUser = [join(nativeDir, 'bin/postgres'), '--single', '-D', dataDirectoryArgument, 'template1']
  const rename = `ALTER DATABASE postgres RENAME TO ${databaseName}\n`
  const renamed = await run(singleUser, { cwd: directory, identity, stdin: rename })
  const isRenamed = renamed.ok && !/ERROR|FATAL|PANIC/.test(renamed.output)
  if (!isRenamed) throw new EmbeddedPostgresError(`cannot create the database: ${explain(renamed.output)}`)
}

/** The line of a program's output that says what went wrong. */
function explain(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const line = lines.find((text) => /error|fatal|panic|could not|cannot/i.test(text)) ?? lines.at(-1) ?? 'no message'
  const hasNoAccount = line.includes('could not look up effective user ID')
  return hasNoAccount ? `${line}; give this user id an account (a line in /etc/passwd), or set DATABASE_URL` : line
}

/** Gives the cluster to its user. The directory itself comes last: until it has changed hands, a next start repeats this. */
async function handOver(
  directory: string,
  owner: NonNullable<Identity>,
  from: Identity = { uid: 0, gid: 0 },
): Promise<void> {
  const { uid } = await lstat(directory)
  const isDue = uid === from?.uid && uid !== owner.uid
  if (!isDue) return
  for (const entry of await readdir(directory, { recursive: true })) {
    await lchown(join(directory, entry), owner.uid, owner.gid)
  }
  await lchown(directory, owner.uid, owner.gid)
}

/** What a server that was killed while it made its cluster left behind. */
async function removeAbandonedDrafts(dataDir: string, log: Log): Promise<void> {
  const entries = await readdir(dataDir)
  for (const entry of entries.filter((name) => name.startsWith(draftPrefix))) {
    const author = Number.parseInt(entry.slice(draftPrefix.length), 10)
    const isAtWork = author !== process.pid && isAlive(author)
    if (isAtWork) continue
    log.warn('removing a database that was never finished', { directory: join(dataDir, entry) })
    await removePersistently(join(dataDir, entry))
  }
}

/** The initdb of a killed server outlives it for a moment, and makes new files while we remove the old ones. */
async function removePersistently(directory: string): Promise<void> {
  for (let attempt = 0; attempt < 50 && existsSync(directory); attempt++) {
    const isGone = await rm(directory, { recursive: true, force: true }).then(
      () => !existsSync(directory),
      () => false,
    )
    if (!isGone) await Bun.sleep(100)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Makes a rename last through a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function makeDataDirectory(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new EmbeddedPostgresError(`cannot make the data directory ${dataDir}: ${messageOf(error)}`)
  }
}
