/** `messenger version --verbose`: what this program consists of. It uses its parts, so it tells whether they work here. */
import { arch, release } from 'node:os'
import { version } from '../../package.json'
import { carriedPostgres } from '../embedded/carried.ts'
import { messageOf } from '../embedded/errors.ts'
import { nativeSource } from '../embedded/native.ts'

/** One line a part; `isFine` unless one of them does not work. */
export async function listVersions(): Promise<{ text: string; isFine: boolean }> {
  let isFine = true
  const images = await import('../features/media/image.ts')
    .then(({ tryOut }) => tryOut())
    .catch((error) => {
      isFine = false
      return `does not work: ${messageOf(error)}`
    })
  const parts = {
    messenger: `${version} (${carriedPostgres ? 'binary' : 'from source'})`,
    Bun: Bun.version,
    PostgreSQL: `${(await nativeSource()).version} (embedded)`,
    sharp: images,
    system: `${process.platform} ${release()} ${arch()}`,
  }
  const lines = Object.entries(parts).map(([name, value]) => `${name.padEnd(11)} ${value}\n`)
  return { text: lines.join(''), isFine }
}
