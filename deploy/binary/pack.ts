/** Turns directories into what a compiled binary carries: one compressed file and a list of what is in it. */
import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Carried, CarriedFile } from '../../src/embedded/carried.ts'

/** Where the files of one directory go: `bin/postgres` of it becomes `<to>bin/postgres`. */
export interface Packing {
  readonly from: string
  readonly to: string
  readonly isWanted: (path: string) => boolean
}

/** @returns the manifest; the compressed file is written to `archive` */
export async function pack(archive: string, version: string, packings: readonly Packing[]): Promise<Carried> {
  const files: CarriedFile[] = []
  const parts: Buffer[] = []
  for (const { from, to, isWanted } of packings) {
    const found = await Array.fromAsync(new Bun.Glob('**').scan({ cwd: from, dot: true }))
    for (const path of found.filter(isWanted).sort()) {
      const { mode } = await lstat(join(from, path))
      const content = await readFile(join(from, path))
      const sha256 = new Bun.CryptoHasher('sha256').update(content).digest('hex')
      // What an installer's umask took away, all may have again: root's PostgreSQL runs as another user.
      files.push({ path: to + path, bytes: content.length, mode: mode & 0o111 ? 0o755 : 0o644, sha256 })
      parts.push(content)
    }
  }
  // Level 19 takes twenty times as long for 2 MB less.
  await Bun.write(archive, Bun.zstdCompressSync(Buffer.concat(parts), { level: 9 }))
  const digest = new Bun.CryptoHasher('sha256').update(JSON.stringify(files)).digest('hex')
  return { version: `${version}-${digest.slice(0, 8)}`, archive, files }
}
