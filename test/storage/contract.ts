/** What every storage of files guarantees: one suite for all. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidKey, type OpenFile, type Span, type Storage } from '../../src/storage/storage.ts'
import { badKeys } from './bad-keys.ts'

export interface StorageWorld {
  storage: Storage
  /** Files that are put are made here. */
  workFolder: string
  stop(): Promise<void>
}

let counter = 0
export const newKey = (folder = 'uploads/2026/01/15', extension = '.bin') => `${folder}/file${++counter}${extension}`

export const readAll = async (file: OpenFile | undefined, span?: Span) =>
  file && Buffer.from(await new Response(file.read(span)).arrayBuffer())

export async function listKeys(storage: Storage, folder: string): Promise<string[]> {
  return (await Array.fromAsync(storage.list(folder))).map(({ key }) => key).sort()
}

export function storageContract(start: () => Promise<StorageWorld>): void {
  let world: StorageWorld
  let outside: string
  beforeAll(async () => {
    world = await start()
    outside = await mkdtemp(join(tmpdir(), 'messenger-outside-'))
  })
  afterAll(async () => {
    await world.stop()
    await rm(outside, { recursive: true, force: true })
  })

  const make = async (bytes: Buffer | string) => {
    const path = join(world.workFolder, `arrived${++counter}`)
    await writeFile(path, bytes)
    return path
  }
  const put = async (bytes: Buffer | string, key = newKey()) => {
    await world.storage.put(key, await make(bytes), 'application/octet-stream')
    return key
  }
  const isThere = (path: string) => stat(path).then(Boolean, () => false)

  it('gives back what was put, whole and in parts', async () => {
    const { storage } = world
    const bytes = randomBytes(300_001)
    const key = await put(bytes)
    const file = await storage.open(key)
    expect(file?.size).toBe(300_001)
    expect((await readAll(file))?.equals(bytes)).toBe(true)
    const spans: Span[] = [
      { start: 0, end: 1 },
      { start: 300_000, end: 300_001 },
      { start: 1, end: 300_001 },
      { start: 123, end: 65_536 },
      { start: 65_535, end: 131_073 },
      { start: 5, end: 5 },
    ]
    for (const span of spans) {
      expect((await readAll(file, span))?.equals(bytes.subarray(span.start, span.end))).toBe(true)
    }
  })

  it('holds files of no byte, of one and of many', async () => {
    for (const size of [0, 1, 5 * 1024 * 1024 - 1, 5 * 1024 * 1024, 21 * 1024 * 1024 + 7]) {
      const bytes = randomBytes(size)
      const key = await put(bytes)
      const file = await world.storage.open(key)
      expect(file?.size).toBe(size)
      expect(Bun.hash(await new Response(file?.read()).arrayBuffer())).toBe(Bun.hash(bytes))
      await world.storage.delete([key])
    }
  })

  it('takes the file that is put', async () => {
    const path = await make('moved')
    await world.storage.put(newKey(), path, 'text/plain')
    expect(await isThere(path)).toBe(false)
  })

  it('bears it when a file is put again after a crash', async () => {
    const key = await put('the same')
    await put('the same', key)
    expect(String(await readAll(await world.storage.open(key)))).toBe('the same')
  })

  it('stores nothing when there is no file to put', async () => {
    const key = newKey()
    await expect(world.storage.put(key, join(world.workFolder, 'none'), 'text/plain')).rejects.toThrow()
    expect(await world.storage.open(key)).toBeUndefined()
  })

  it('knows nothing of keys that were never given', async () => {
    const { storage, workFolder } = world
    for (const key of ['uploads/2026/01/15/nothing.bin', 'uploads/9/none', 'avatars/none.webp', 'uploads/2026']) {
      expect(await storage.open(key)).toBeUndefined()
      expect(await storage.fetch(key, join(workFolder, 'fetched-nothing'))).toBe(false)
      expect(await isThere(join(workFolder, 'fetched-nothing'))).toBe(false)
    }
    expect(await listKeys(storage, 'avatars/none/')).toEqual([])
  })

  it('copies a file to this machine', async () => {
    const { storage, workFolder } = world
    const bytes = randomBytes(6 * 1024 * 1024)
    const key = await put(bytes)
    const path = join(workFolder, 'fetched')
    expect(await storage.fetch(key, path)).toBe(true)
    expect(Buffer.from(await Bun.file(path).arrayBuffer()).equals(bytes)).toBe(true)
    expect(await storage.open(key)).toBeDefined()
    await rm(path)
  })

  it('deletes many, and those that are gone without a word', async () => {
    const { storage } = world
    const keys = [await put('one'), await put('two'), newKey()]
    const kept = await put('three')
    await storage.delete(keys)
    await storage.delete(keys)
    await storage.delete([])
    for (const key of keys) expect(await storage.open(key)).toBeUndefined()
    expect(String(await readAll(await storage.open(kept)))).toBe('three')
  })

  it('lists a folder and all within, with sizes and times', async () => {
    const { storage } = world
    const before = Date.now()
    const keys = [
      await put('12345', newKey('uploads/2031/05/06')),
      await put('1', newKey('uploads/2031/05/07', '')),
      await put('', newKey('uploads/2031/11/01')),
    ]
    const avatar = await put('a', newKey('avatars', '.webp'))
    expect(await listKeys(storage, 'uploads/2031/')).toEqual(keys.toSorted())
    expect(await listKeys(storage, 'uploads/2031/05/')).toEqual(keys.slice(0, 2).toSorted())
    expect(await listKeys(storage, 'uploads/203/')).toEqual([])
    expect(await listKeys(storage, 'avatars/')).toContain(avatar)
    expect(await listKeys(storage, 'uploads/')).not.toContain(avatar)
    for await (const { key, size, modifiedAt } of storage.list('uploads/2031/')) {
      expect(size).toBe(key === keys[0] ? 5 : key === keys[1] ? 1 : 0)
      // Services tell times in whole seconds.
      expect(modifiedAt.getTime()).toBeGreaterThan(before - 2000)
      expect(modifiedAt.getTime()).toBeLessThan(Date.now() + 2000)
    }
  })

  it('lists more than fit a page of any service', async () => {
    const keys = Array.from({ length: 1005 }, (_, n) => `uploads/2032/01/01/n${n}`)
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => put('x', key)))
    }
    expect(await listKeys(world.storage, 'uploads/2032/')).toEqual(keys.toSorted())
    await world.storage.delete(keys)
    expect(await listKeys(world.storage, 'uploads/2032/')).toEqual([])
  })

  it('takes many at once', async () => {
    const keys = await Promise.all(
      Array.from({ length: 40 }, (_, n) => put(`file ${n}`, `uploads/2033/1/1/at-once${n}`)),
    )
    const texts = await Promise.all(keys.map(async (key) => String(await readAll(await world.storage.open(key)))))
    expect(texts).toEqual(keys.map((_, n) => `file ${n}`))
  })

  describe('a name that is no key', () => {
    it('is refused before anything is touched', async () => {
      const { storage, workFolder } = world
      const names = badKeys(outside)
      expect(names.length).toBeGreaterThan(500)
      expect(new Set(names).size).toBe(names.length)
      const path = await make('evil')
      const target = join(workFolder, 'fetched-evil')
      for (const name of names) {
        await expect(storage.put(name, path, 'text/plain')).rejects.toThrow(InvalidKey)
        await expect(storage.open(name)).rejects.toThrow(InvalidKey)
        await expect(storage.fetch(name, target)).rejects.toThrow(InvalidKey)
        await expect(storage.delete([name])).rejects.toThrow(InvalidKey)
        const isFolder = ['uploads/', 'avatars/', 'uploads/x/'].includes(name)
        if (!isFolder) {
          await expect(Array.fromAsync(storage.list(name))).rejects.toThrow(InvalidKey)
        }
      }
      expect(await isThere(path)).toBe(true)
      expect(await isThere(target)).toBe(false)
      expect(await readdir(outside)).toEqual([])
      await rm(path)
    })
  })
}
