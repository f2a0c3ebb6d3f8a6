/** What every target of backups guarantees; see `src/backup/target.ts`. */
import { afterAll, beforeAll, expect, it } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { BackupBroken, type BackupTarget } from '../../src/backup/target.ts'

export interface TargetWorld {
  target: BackupTarget
  stop(): Promise<unknown>
}

async function* chunksOf(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function readAll(target: BackupTarget, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of target.read(name)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export function targetContract(start: () => Promise<TargetWorld>): void {
  let world: TargetWorld
  let target: BackupTarget
  beforeAll(async () => {
    world = await start()
    target = world.target
  })
  afterAll(() => world.stop())

  const write = (name: string, bytes: Uint8Array | string = 'x') => target.write(name, chunksOf(Buffer.from(bytes)))

  it('gives back what was written, large or empty', async () => {
    for (const size of [0, 1, 12_000_001]) {
      const bytes = randomBytes(size)
      await target.write('sizes/file', chunksOf(bytes, 65_536))
      expect(await target.sizeOf('sizes/file')).toBe(size)
      expect((await readAll(target, 'sizes/file')).equals(bytes)).toBe(true)
    }
  })

  it('has a file whole or not at all', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield randomBytes(100_000)
      throw new Error('the source broke')
    }
    await expect(target.write('whole/file', broken())).rejects.toThrow('the source broke')
    expect(await target.sizeOf('whole/file')).toBeUndefined()
    await write('whole/file', 'before')
    await expect(target.write('whole/file', broken())).rejects.toThrow('the source broke')
    expect(String(await readAll(target, 'whole/file'))).toBe('before')
    expect(await Array.fromAsync(target.list('whole/'))).toEqual(['whole/file'])
  })

  it('lists folders and what is in them', async () => {
    const names = ['list/a', 'list/b/c.txt', 'list/b/d/e', 'list-2/f', 'list.3/g', 'list0/h']
    for (const name of names) await write(name)
    const sorted = async (folder: string) => (await Array.fromAsync(target.list(folder))).sort()
    expect(await sorted('list/')).toEqual(['list/a', 'list/b/c.txt', 'list/b/d/e'])
    expect(await sorted('list/b/')).toEqual(['list/b/c.txt', 'list/b/d/e'])
    expect(await sorted('nothing/')).toEqual([])
    const folders = (await target.listFolders()).filter((name) => name.startsWith('list'))
    expect(folders).toEqual(['list', 'list-2', 'list.3', 'list0'])
  })

  it('removes a file or a folder, and nothing beside it', async () => {
    for (const name of ['gone/a', 'gone/b/c', 'gone-not/d', 'kept/e', 'kept/f']) await write(name)
    await target.removeFolder('gone/')
    await target.removeFolder('gone/')
    await target.remove('kept/e')
    await target.remove('kept/e')
    expect(await Array.fromAsync(target.list('gone/'))).toEqual([])
    expect(await Array.fromAsync(target.list('gone-not/'))).toEqual(['gone-not/d'])
    expect(await Array.fromAsync(target.list('kept/'))).toEqual(['kept/f'])
  })

  it('says that a file is missing', async () => {
    expect(await target.sizeOf('nothing/here')).toBeUndefined()
    await expect(readAll(target, 'nothing/here')).rejects.toThrow(BackupBroken)
  })

  it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', '', '.', 'a/./b', 'a\0b', 'a/.hidden', 'x'.repeat(301)])(
    'takes no name that leads elsewhere: %j',
    async (name) => {
      await expect(write(name)).rejects.toThrow(BackupBroken)
      await expect((async () => target.sizeOf(name))()).rejects.toThrow(BackupBroken)
      await expect((async () => target.remove(name))()).rejects.toThrow(BackupBroken)
      await expect((async () => readAll(target, name))()).rejects.toThrow(BackupBroken)
    },
  )
}
