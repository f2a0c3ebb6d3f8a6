/**
 * Stands in for sharp's own loader in the compiled binary: unpacks the native half that the binary carries, and loads
 * it. The library beside it is found by the layout of the packages (RPATH), which the unpacked files keep.
 */
import { join, resolve } from 'node:path'
import { carriedSharp } from '../../src/embedded/carried.ts'
import { unpackOnce, unpackParents } from '../../src/embedded/unpack.ts'

const native: { exports: unknown } = { exports: {} }

function load(directory: string): void {
  const addon = carriedSharp?.files.find(({ path }) => path.endsWith('.node'))
  if (addon === undefined) throw new Error('this build carries no sharp')
  process.dlopen(native, join(directory, addon.path))
}

if (carriedSharp === undefined) throw new Error('this build carries no sharp')
unpackOnce('sharp-files', carriedSharp, unpackParents(resolve(process.env.DATA_DIR || 'data')), load)

export default native.exports
