/** A real disk of a few megabytes: a file system in memory, mounted on a folder. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  path: string
  stop(): Promise<void>
}

export async function mountSmallDisk(bytes: number): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'messenger-disk-'))
  const own = `uid=${process.getuid?.() ?? 0},gid=${process.getgid?.() ?? 0},mode=700`
  await asRoot('mount', '-t', 'tmpfs', '-o', `size=${bytes},${own}`, 'tmpfs', path)
  return {
    path,
    async stop() {
      await asRoot('umount', path)
      await rm(path, { recursive: true })
    },
  }
}

async function asRoot(...command: string[]): Promise<void> {
  const whole = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command]
  const child = Bun.spawn(whole, { stdout: 'ignore', stderr: 'pipe' })
  const [errors, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (code !== 0) throw new Error(`${whole.join(' ')} failed, which needs root: ${errors}`)
}
