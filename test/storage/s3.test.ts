import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../src/observability/log.ts'
import { createS3Storage } from '../../src/storage/s3.ts'
import { type Storage, StorageFull, StorageUnavailable } from '../../src/storage/storage.ts'
import { s3Failure, startS3, type TestS3 } from '../support/s3-server.ts'
import { readAll, storageContract } from './contract.ts'

async function start() {
  const s3 = startS3()
  const workFolder = await mkdtemp(join(tmpdir(), 'messenger-work-'))
  const lines: string[] = []
  const log = createLog('warn', (line) => lines.push(line))
  const open = (changes = {}) =>
    createS3Storage({ ...s3, ...s3.credentials, log, timeoutMs: 5000, retryAfterMs: 1, ...changes })
  const stop = async () => {
    await s3.stop()
    await rm(workFolder, { recursive: true })
  }
  return { s3, storage: open(), open, workFolder, lines, stop }
}

describe('files with a service that speaks S3', () => {
  storageContract(start)
})

describe('the service', () => {
  let s3: TestS3
  let storage: Storage
  let world: Awaited<ReturnType<typeof start>>
  beforeEach(async () => {
    world = await start()
    ;({ s3, storage } = world)
  })
  afterEach(() => world.stop())

  const make = async (bytes: Buffer | string) => {
    const path = join(world.workFolder, `arrived-${Bun.randomUUIDv7()}`)
    await writeFile(path, bytes)
    return path
  }
  const put = async (bytes: Buffer | string, key = 'uploads/a') => storage.put(key, await make(bytes), 'image/webp')
  const operations = () => s3.requests.map(({ operation }) => operation)
  const failing = (code: string, times: number) => {
    let left = times
    s3.intercept = () => (left-- > 0 ? s3Failure(code) : undefined)
  }

  it('checks signatures, or these tests would show little', async () => {
    await put('x')
    for (const changes of [{ secretAccessKey: 'wrong' }, { accessKeyId: 'wrong' }, { region: 'elsewhere' }]) {
      const other = world.open(changes)
      await expect(other.check()).rejects.toThrow(StorageUnavailable)
      await expect(other.open('uploads/a')).rejects.toThrow(StorageUnavailable)
      await expect(other.put('uploads/b', await make('y'), 'text/plain')).rejects.toThrow(StorageUnavailable)
      await expect(other.delete(['uploads/a'])).rejects.toThrow(StorageUnavailable)
    }
    expect([...s3.objects.keys()]).toEqual(['uploads/a'])
    await expect(world.open({ bucket: 'none' }).check()).rejects.toThrow(StorageUnavailable)
    const bare = await fetch(`${s3.endpoint}/${s3.bucket}/uploads/a`)
    expect(bare.status).toBe(403)
    await storage.check()
  })

  it('is told the type, and gets big files in parts', async () => {
    const bytes = randomBytes(20 * 1024 * 1024 + 3)
    await put(bytes)
    expect(s3.objects.get('uploads/a')?.type).toBe('image/webp')
    expect(s3.objects.get('uploads/a')?.bytes.equals(bytes)).toBe(true)
    expect(operations().filter((one) => one === 'UploadPart').length).toBe(5)
    expect(s3.openUploads()).toBe(0)
    await put('small', 'uploads/b')
    expect(operations().at(-1)).toBe('PutObject')
  })

  it('is tried again after a fault, for everything that is asked of it', async () => {
    for (const code of ['SlowDown', 'InternalError']) {
      failing(code, 2)
      await put('text')
      failing(code, 2)
      const file = await storage.open('uploads/a')
      failing(code, 2)
      expect(String(await readAll(file))).toBe('text')
      failing(code, 2)
      expect((await Array.fromAsync(storage.list('uploads/'))).length).toBe(1)
      failing(code, 2)
      await storage.delete(['uploads/a'])
      expect(s3.objects.size).toBe(0)
    }
  })

  it('is given up after some tries, with nothing half done', async () => {
    await put('text')
    const file = await storage.open('uploads/a')
    s3.intercept = () => s3Failure('SlowDown')
    const path = await make('kept')
    const bigPath = await make(randomBytes(9 * 1024 * 1024))
    const target = join(world.workFolder, 'target')
    await expect(storage.put('uploads/b', path, 'text/plain')).rejects.toThrow(StorageUnavailable)
    await expect(storage.put('uploads/b', bigPath, 'text/plain')).rejects.toThrow(StorageUnavailable)
    await expect(storage.open('uploads/a')).rejects.toThrow(StorageUnavailable)
    await expect(storage.fetch('uploads/a', target)).rejects.toThrow(StorageUnavailable)
    await expect(storage.delete(['uploads/a'])).rejects.toThrow(StorageUnavailable)
    await expect(Array.fromAsync(storage.list('uploads/'))).rejects.toThrow(StorageUnavailable)
    await expect(readAll(file)).rejects.toThrow(StorageUnavailable)
    expect(await Bun.file(path).text()).toBe('kept')
    expect((await readdir(world.workFolder)).length).toBe(2)
    expect(world.lines.length).toBeGreaterThan(0)
    expect(world.lines.join()).toContain('SlowDown')
    expect(world.lines.join()).not.toContain(s3.credentials.secretAccessKey)
    s3.intercept = undefined
    expect([...s3.objects.keys()]).toEqual(['uploads/a'])
  })

  it('takes back the parts of an upload that failed', async () => {
    s3.intercept = ({ operation, query }) =>
      operation === 'UploadPart' && query.get('partNumber') === '2' ? s3Failure('InternalError') : undefined
    await expect(storage.put('uploads/a', await make(randomBytes(20 * 1024 * 1024)), 'x/y')).rejects.toThrow(
      StorageUnavailable,
    )
    expect(s3.objects.size).toBe(0)
    for (let tries = 0; s3.openUploads() > 0 && tries < 100; tries++) await Bun.sleep(20)
    expect(s3.openUploads()).toBe(0)
  })

  it('is not tried again when it refuses', async () => {
    await put('text')
    s3.intercept = () => s3Failure('AccessDenied')
    s3.requests.length = 0
    await expect(storage.delete(['uploads/a'])).rejects.toThrow(StorageUnavailable)
    expect(operations()).toEqual(['DeleteObject'])
  })

  it('may be full', async () => {
    s3.intercept = () => s3Failure('InsufficientStorage')
    const path = await make('kept')
    await expect(storage.put('uploads/a', path, 'text/plain')).rejects.toThrow(StorageFull)
    expect(await Bun.file(path).text()).toBe('kept')
  })

  it('is given up when it does not answer, and when it is gone', async () => {
    await put('text')
    const impatient = world.open({ timeoutMs: 50 })
    const file = await storage.open('uploads/a')
    s3.intercept = () => new Promise<Response>(() => {})
    await expect(impatient.open('uploads/a')).rejects.toThrow(StorageUnavailable)
    await expect(impatient.put('uploads/b', await make('x'), 'text/plain')).rejects.toThrow(StorageUnavailable)
    await expect(impatient.check()).rejects.toThrow(StorageUnavailable)
    await s3.stop()
    await expect(storage.open('uploads/a')).rejects.toThrow(StorageUnavailable)
    await expect(readAll(file)).rejects.toThrow(StorageUnavailable)
  })

  it('is asked again for what was cut short', async () => {
    await put('0123456789')
    const file = await storage.open('uploads/a')
    let cuts = 1
    s3.intercept = ({ operation }) =>
      operation === 'GetObject' && cuts-- > 0
        ? new Response('0123', { status: 206, headers: { 'content-range': 'bytes 0-3/10' } })
        : undefined
    expect(String(await readAll(file))).toBe('0123456789')
  })

  it('is asked for no more than the reader takes', async () => {
    await put(randomBytes(8 * 1024 * 1024))
    const body = (await storage.open('uploads/a'))?.read()
    if (!(body instanceof ReadableStream)) throw new Error('Not a stream')
    s3.requests.length = 0
    await Bun.sleep(20)
    expect(operations()).toEqual([])
    const reader = body.getReader()
    const { value } = await reader.read()
    await Bun.sleep(20)
    expect(operations().length).toBe(1)
    expect(value?.length).toBeLessThan(1024 * 1024)
    await reader.cancel()
    await Bun.sleep(20)
    expect(operations().length).toBe(1)
  })
})
