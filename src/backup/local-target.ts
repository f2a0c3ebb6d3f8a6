/** Backups in a folder of this machine, or of a disk that is mounted there. */
import { createReadStream } from 'node:fs'
import { mkdir, open, opendir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { codeOf, orUndefined, sync } from '../storage/disk.ts'
import { BackupBroken, type BackupTarget, requireName, TargetFull } from './target.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const DRAFT = '.part'

export function createLocalTarget(directory: string): BackupTarget {
  const root = resolve(directory)
  const pathOf = (name: string) => {
    requireName(name)
    return join(root, name)
  }

  return {
    address: root,

    async write(name, body) {
      const path = pathOf(name)
      const draft = `${path}${DRAFT}`
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
        await writeDraft(draft, body)
        await rename(draft, path)
        await sync(dirname(path))
      } catch (error) {
        await rm(draft, { force: true })
        throw FULL.has(codeOf(error)) ? new TargetFull(root, error) : error
      }
    },

    read(name) {
      const path = pathOf(name)
      return Readable.from(readFile(path, name), { objectMode: false })
    },

    async sizeOf(name) {
      const found = await orUndefined(stat(pathOf(name)))
      return found?.isFile() ? found.size : undefined
    },

    async *list(folder) {
      requireName(folder)
      yield* walk(root, folder)
    },

    async listFolders() {
      const entries = (await orUndefined(readdir(root, { withFileTypes: true }))) ?? []
      return entries
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort()
    },

    removeFolder: (folder) => rm(pathOf(folder), { recursive: true, force: true }),

    remove: (name) => rm(pathOf(name), { force: true }),
  }
}

/** Safe on the disk when it returns. */
async function writeDraft(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    // One that a crash left may have other rights.
    await file.chmod(0o600)
    for await (const chunk of body) await file.writeFile(chunk)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function* readFile(path: string, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw codeOf(error) === 'ENOENT' ? new BackupBroken(`${name} is missing`) : error
  }
}

async function* walk(root: string, folder: string): AsyncGenerator<string> {
  const entries = await orUndefined(opendir(join(root, folder)))
  if (!entries) return
  for await (const entry of entries) {
    const name = `${folder}${entry.name}`
    if (entry.isDirectory()) yield* walk(root, `${name}/`)
    else if (entry.isFile()) yield name
  }
}
