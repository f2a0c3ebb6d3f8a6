import { describe, expect, it } from 'bun:test'
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalStorage } from '../../src/storage/local.ts'
import { StorageFull } from '../../src/storage/storage.ts'
import { listKeys, readAll, storageContract } from './contract.ts'

async function start() {
  const root = await mkdtemp(join(tmpdir(), 'messenger-media-'))
  const workFolder = join(root, 'work')
  await mkdir(workFolder)
  const storage = await createLocalStorage(root)
  return { root, storage, workFolder, stop: () => rm(root, { recursive: true, force: true }) }
}

describe('files on the disk', () => {
  storageContract(start)

  it('are for the server alone', async () => {
    const { root, storage, workFolder, stop } = await start()
    await writeFile(join(workFolder, 'a'), 'x')
    await storage.put('uploads/2026/01/15/a', join(workFolder, 'a'), 'text/plain')
    for (const folder of ['uploads', 'uploads/2026', 'uploads/2026/01/15']) {
      expect((await Bun.file(join(root, folder)).stat()).mode & 0o777).toBe(0o700)
    }
    await stop()
  })

  it('are reached by no link, whichever part of the path it is', async () => {
    const { root, storage, workFolder, stop } = await start()
    const outside = await mkdtemp(join(tmpdir(), 'messenger-outside-'))
    await writeFile(join(outside, 'secret'), 'secret')
    await mkdir(join(root, 'uploads/real'), { recursive: true })
    await symlink(join(outside, 'secret'), join(root, 'uploads/file'))
    await symlink(outside, join(root, 'uploads/folder'))
    await symlink(outside, join(root, 'avatars'))
    await symlink('loop', join(root, 'uploads/loop'))
    await symlink('../real', join(root, 'uploads/real/inside'))
    const path = join(workFolder, 'a')
    await writeFile(path, 'x')
    for (const key of [
      'uploads/file',
      'uploads/folder/secret',
      'avatars/secret',
      'uploads/loop',
      'uploads/loop/x',
      'uploads/real/inside/x',
    ]) {
      expect(await storage.open(key)).toBeUndefined()
      expect(await storage.fetch(key, join(workFolder, 'fetched'))).toBe(false)
      await storage.delete([key])
    }
    for (const key of ['uploads/folder/made/new', 'avatars/new', 'uploads/loop/new', 'uploads/real/inside/new']) {
      await expect(storage.put(key, path, 'text/plain')).rejects.toThrow('something else')
    }
    expect(await listKeys(storage, 'uploads/')).toEqual([])
    expect(await listKeys(storage, 'avatars/')).toEqual([])
    expect(await listKeys(storage, 'uploads/folder/')).toEqual([])
    expect(await readdir(outside)).toEqual(['secret'])
    expect(await Bun.file(join(outside, 'secret')).text()).toBe('secret')
    await stop()
    await rm(outside, { recursive: true })
  })

  it('may lie behind a link to another disk: the root itself', async () => {
    const { root, workFolder, stop } = await start()
    await symlink(root, `${root}-link`)
    const storage = await createLocalStorage(`${root}-link`)
    await writeFile(join(workFolder, 'a'), 'x')
    await storage.put('uploads/a', join(workFolder, 'a'), 'text/plain')
    expect(String(await readAll(await storage.open('uploads/a')))).toBe('x')
    await rm(`${root}-link`)
    await stop()
  })

  it('are not listed for what is none of ours, half-written names above all', async () => {
    const { root, storage, stop } = await start()
    await mkdir(join(root, 'uploads/2026'), { recursive: true })
    for (const name of ['good.jpg', '.hidden', 'a.tmp.part', 'with space'])
      await writeFile(join(root, 'uploads/2026', name), 'x')
    await writeFile(join(root, 'elsewhere'), 'x')
    expect(await listKeys(storage, 'uploads/')).toEqual(['uploads/2026/good.jpg'])
    await stop()
  })

  it('name a full disk, and leave what was to be copied away', async () => {
    const { storage, workFolder, stop } = await start()
    await writeFile(join(workFolder, 'a'), 'x'.repeat(100_000))
    await storage.put('uploads/a', join(workFolder, 'a'), 'text/plain')
    await symlink('/dev/full', join(workFolder, 'full'))
    await expect(storage.fetch('uploads/a', join(workFolder, 'full'))).rejects.toThrow(StorageFull)
    expect(await readdir(workFolder)).toEqual([])
    await stop()
  })

  it('stay where they were when they cannot be stored', async () => {
    const { root, storage, workFolder, stop } = await start()
    const path = join(workFolder, 'a')
    await writeFile(path, 'x')
    await writeFile(join(root, 'uploads'), 'a file in the place of the folder')
    await expect(storage.put('uploads/a', path, 'text/plain')).rejects.toThrow('something else')
    expect(await Bun.file(path).text()).toBe('x')
    await chmod(root, 0o700)
    await stop()
  })
})
