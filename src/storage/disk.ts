/** What files on this machine's disk are handled with. */
import { open } from 'node:fs/promises'

/** Writes to the disk what the system still holds of a file or a folder. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')

/** What is not there, goes meanwhile or is a loop of links is no fault. */
export async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(codeOf(error))) return undefined
    throw error
  }
}
