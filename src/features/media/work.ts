/** Files on their way in: each piece of work has a folder of its own, which goes with all that is in it when it ends. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../observability/log.ts'

/** Nothing is worked on so long without anything of it being written. */
const LEFT_AFTER_MS = 3 * 3600 * 1000

export interface Work {
  /** Runs with a new, empty folder. */
  within<T>(run: (folder: string) => Promise<T>): Promise<T>
  /** What a crash has left: folders by their path, with the bytes in them. Others may be working in the same root. */
  listLeft(now?: Date): Promise<{ path: string; size: number }[]>
  /** Removes that. */
  sweep(now?: Date): Promise<void>
}

/** @param root on the disk of the storage, when that is a folder: files are moved there */
export function createWork(root: string, log: Log): Work {
  const remove = (path: string) => rm(path, { recursive: true, force: true })

  return {
    async within(run) {
      const folder = join(root, Bun.randomUUIDv7())
      await mkdir(folder, { recursive: true, mode: 0o700 })
      try {
        return await run(folder)
      } finally {
        await remove(folder).catch((error) => log.warn('A file of work could not be removed', { error }))
      }
    },

    listLeft,

    async sweep(now) {
      for (const { path } of await listLeft(now)) await remove(path)
    },
  }

  async function listLeft(now = new Date()) {
    const left = []
    for (const name of await listNames(root, { isDeep: false })) {
      const path = join(root, name)
      const { changedAt, size } = await measure(path)
      if (now.getTime() - changedAt > LEFT_AFTER_MS) left.push({ path, size })
    }
    return left
  }
}

/** The latest change of a file or a folder, or of anything in it, in milliseconds, and all its bytes. */
async function measure(path: string): Promise<{ changedAt: number; size: number }> {
  try {
    const names = await listNames(path, { isDeep: true })
    const all = await Promise.all([path, ...names.map((name) => join(path, name))].map((one) => stat(one)))
    const sizes = all.map((one) => (one.isFile() ? one.size : 0))
    return {
      changedAt: Math.max(...all.map(({ mtimeMs }) => mtimeMs)),
      size: sizes.reduce((sum, size) => sum + size, 0),
    }
  } catch {
    // It has just been removed, by whoever worked on it.
    return { changedAt: Number.POSITIVE_INFINITY, size: 0 }
  }
}

/** Of all that is in a folder, if it is one. */
async function listNames(path: string, { isDeep }: { isDeep: boolean }): Promise<string[]> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false
  return isFolder ? readdir(path, { recursive: isDeep }) : []
}
