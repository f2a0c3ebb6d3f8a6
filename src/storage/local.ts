/** Files on the disk of this machine: a key is a path below the root. */
import { constants } from 'node:fs'
import { access, copyFile, lstat, mkdir, opendir, realpath, rename, rm, unlink, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf, orUndefined, sync } from './disk.ts'
import { isDiskFull, isKey, requireFolder, requireKey, type Storage, StorageFull, type StoredFile } from './storage.ts'

/**
 * @param root a folder, made when it is missing. What is put must lie on the same file system.
 *
 * Keys cannot name anything outside, and links within the root lead nowhere: whoever made one is not followed.
 */
export async function createLocalStorage(root: string): Promise<Storage> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const realRoot = await realpath(root)

  /** @returns the path of a file that is there */
  async function find(key: string): Promise<{ path: string; size: number } | undefined> {
    requireKey(key)
    const path = join(realRoot, key)
    const found = await orUndefined(lstat(path))
    if (!found?.isFile() || !(await isPlain(dirname(path)))) return undefined
    return { path, size: found.size }
  }

  return {
    async put(key, path) {
      requireKey(key)
      const target = join(realRoot, key)
      try {
        // It is as old as its place here: what has lain for a day without a row is cleared away.
        const now = new Date()
        await utimes(path, now, now)
        await sync(path)
        const folders = await makeFolders(key)
        await rename(path, target)
        // A name is safe when its folder is, and a folder when the one above it is: another upload may have just made it.
        for (const folder of folders.reverse()) await sync(folder)
      } catch (error) {
        throw isDiskFull(error) ? new StorageFull(error) : error
      }
    },

    async open(key) {
      const found = await find(key)
      if (!found) return undefined
      const { path, size } = found
      return { size, read: ({ start, end } = { start: 0, end: size }) => Bun.file(path).slice(start, end) }
    },

    async fetch(key, path) {
      const found = await find(key)
      if (!found) return false
      try {
        await copyFile(found.path, path, constants.COPYFILE_FICLONE)
        return true
      } catch (error) {
        await rm(path, { force: true })
        throw isDiskFull(error) ? new StorageFull(error) : error
      }
    },

    async delete(keys) {
      for (const key of keys) {
        const found = await find(key)
        if (found) await orUndefined(unlink(found.path))
      }
    },

    async *list(folder) {
      requireFolder(folder)
      if (await isPlain(join(realRoot, folder.slice(0, -1)))) yield* walk(folder)
    },

    check: () => access(realRoot, constants.R_OK | constants.W_OK | constants.X_OK),
  }

  /** @returns the folders that lead to the file of a key, from the root on; they are there, and none is a link */
  async function makeFolders(key: string): Promise<string[]> {
    const folders = [realRoot]
    for (const segment of key.split('/').slice(0, -1)) {
      const folder = join(folders.at(-1) ?? realRoot, segment)
      await mkdir(folder, { mode: 0o700 }).catch((error) => {
        if (codeOf(error) !== 'EEXIST') throw error
      })
      if (!(await lstat(folder)).isDirectory())
        throw new Error(`In the place of a folder of files there is something else: ${folder}`)
      folders.push(folder)
    }
    return folders
  }

  /** Whether a folder is there, and none of the names that lead to it from the root is a link. */
  async function isPlain(folder: string): Promise<boolean> {
    return (await orUndefined(realpath(folder))) === folder
  }

  /** What is no file of ours is left out. */
  async function* walk(folder: string): AsyncGenerator<StoredFile> {
    const entries = await orUndefined(opendir(join(realRoot, folder)))
    if (!entries) return
    for await (const entry of entries) {
      const key = `${folder}${entry.name}`
      if (entry.isDirectory()) yield* walk(`${key}/`)
      if (!entry.isFile() || !isKey(key)) continue
      const found = await orUndefined(lstat(join(realRoot, key)))
      if (found) yield { key, size: found.size, modifiedAt: found.mtime }
    }
  }
}
