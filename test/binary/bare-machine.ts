/**
 * A machine with nothing installed: a root directory that holds the binary, a C library with its companions, and the
 * five programs that every Linux has and that the embedded PostgreSQL is started with. Without the right to make one (no
 * root) it is an empty folder and an empty PATH.
 */
import { chmod, chown, copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Subprocess } from 'bun'
import { isRoot, nobody } from '../../src/embedded/identity.ts'

export type Person = 'root' | 'an ordinary user'
type Child = Subprocess<'ignore', 'pipe', 'pipe'>

export interface BareMachine {
  /** Where its `/` lies on this machine. */
  root: string
  /** Who can be made to run something there. */
  people: readonly Person[]
  /** An empty folder of the person's, closed to others. @returns its path below `root` */
  makeFolder(person: Person): Promise<string>
  /** Runs the binary in the folder. Nothing comes from the environment of the tests. */
  messenger(person: Person, folder: string, args: string[], settings?: Record<string, string>): Child
  remove(): Promise<void>
}

const PROGRAMS = ['sh', 'grep', 'rm', 'sleep', 'locale']
/** What no program of these needs, but the binary, PostgreSQL and sharp do: of `libc6` and `libstdc++6`. */
const COMPANIONS = ['stdc++.so.6', 'gcc_s.so.1', 'm.so.6', 'dl.so.2', 'rt.so.1', 'pthread.so.0', 'resolv.so.2']

/** Whether we may mount things that nobody else sees. */
const canIsolate = () =>
  isRoot() &&
  Bun.spawnSync(['unshare', '--mount', 'mount', '--rbind', '/proc', '/mnt'], { stderr: 'ignore' }).exitCode === 0

export async function makeBareMachine(binary: string): Promise<BareMachine> {
  const root = await mkdtemp(join(tmpdir(), 'messenger-bare-'))
  await chmod(root, 0o755)
  const isolated = canIsolate()
  if (isolated) await furnish(root)
  await copyFile(binary, join(root, 'messenger'))
  await chmod(join(root, 'messenger'), 0o755)

  let folders = 0
  return {
    root,
    people: isolated ? ['root', 'an ordinary user'] : [isRoot() ? 'root' : 'an ordinary user'],
    async makeFolder(person) {
      const folder = `/folder-${++folders}`
      await mkdir(join(root, folder), { mode: 0o700 })
      if (isRoot() && person === 'an ordinary user') await chown(join(root, folder), nobody.uid, nobody.gid)
      return folder
    },
    messenger(person, folder, args, settings = {}) {
      const identity = person === 'root' ? '0:0' : `${nobody.uid}:${nobody.gid}`
      const inside = ['/bin/sh', '-c', 'cd "$0" && exec /messenger "$@"', folder, ...args]
      const command = isolated
        ? ['/usr/bin/unshare', '--mount', '/bin/sh', '-c', ENTER, root, identity, ...inside]
        : [join(root, 'messenger'), ...args]
      return Bun.spawn(command, {
        cwd: join(root, folder),
        env: { PATH: '/nonexistent', ...settings },
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
      })
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** The mounts are those of this process and its children alone, and go with them. */
const ENTER = `
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount --rbind /proc "$0/proc"
mount --rbind /dev "$0/dev"
identity=$1
shift
root=$0
chroot=$(command -v chroot)
PATH=/nonexistent
exec "$chroot" --userspec="$identity" "$root" "$@"
`

async function furnish(root: string): Promise<void> {
  for (const directory of ['usr/bin', 'usr/lib', 'usr/lib64', 'etc', 'proc', 'dev', 'var/cache', 'usr/lib/locale'])
    await mkdir(join(root, directory), { recursive: true })
  for (const name of ['bin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(root, name))
  await mkdir(join(root, 'tmp'))
  await chmod(join(root, 'tmp'), 0o1777)
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\n')
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
  for (const program of PROGRAMS) {
    const path = Bun.which(program)
    if (!path) throw new Error(`${program} is not on this machine`)
    await copyInto(root, path)
    for (const library of librariesOf(path)) await copyInto(root, library)
  }
  const known = Bun.spawnSync(['/sbin/ldconfig', '-p']).stdout.toString()
  for (const name of COMPANIONS) {
    const line = known.split('\n').find((one) => one.trim().startsWith(`lib${name} `))
    const path = line?.split('=> ')[1]
    if (path) await copyInto(root, path)
  }
  await Bun.$`cp -R /usr/lib/locale/C.utf8 ${join(root, 'usr/lib/locale/')}`.quiet()
}

const librariesOf = (program: string): string[] =>
  [
    ...Bun.spawnSync(['ldd', program])
      .stdout.toString()
      .matchAll(/(\/\S+) \(0x/g),
  ].map(([, path = '']) => path)

async function copyInto(root: string, path: string): Promise<void> {
  const place = join(root, path)
  await mkdir(dirname(place), { recursive: true })
  await copyFile(await realpath(path), place)
}
