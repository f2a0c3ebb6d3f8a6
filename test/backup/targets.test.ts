import { describe, expect, it } from 'bun:test'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalTarget } from '../../src/backup/local-target.ts'
import { createS3Target } from '../../src/backup/s3-target.ts'
import { TargetFull } from '../../src/backup/target.ts'
import { s3Failure, startS3, type TestS3 } from '../support/s3-server.ts'
import { targetContract } from './target-contract.ts'

const makeFolder = () => mkdtemp(join(tmpdir(), 'messenger-target-'))

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('some bytes')
}

describe('a folder', () => {
  targetContract(async () => {
    const folder = await makeFolder()
    return { target: createLocalTarget(join(folder, 'deep/er')), stop: () => rm(folder, { recursive: true }) }
  })

  it('is for its owner alone', async () => {
    const folder = await makeFolder()
    await chmod(folder, 0o755)
    // What a crash left is not trusted.
    await writeFile(join(folder, 'plain.part'), 'x', { mode: 0o666 })
    const target = createLocalTarget(folder)
    await target.write('a/b/c', bytes())
    await target.write('plain', bytes())
    const modeOf = async (path: string) => (await stat(join(folder, path))).mode & 0o777
    expect([await modeOf('a'), await modeOf('a/b')]).toEqual([0o700, 0o700])
    expect([await modeOf('a/b/c'), await modeOf('plain')]).toEqual([0o600, 0o600])
    await rm(folder, { recursive: true })
  })
})

function openS3(s3: TestS3, workFolder: string, folder = '/back/ups') {
  const { endpoint, credentials } = s3
  return createS3Target({ url: `s3://${s3.bucket}${folder}`, endpoint, ...credentials, workFolder })
}

describe('a bucket', () => {
  targetContract(async () => {
    const [s3, workFolder] = [startS3({ bucket: 'keep' }), await makeFolder()]
    return {
      target: openS3(s3, workFolder),
      async stop() {
        expect(await readdir(workFolder)).toEqual([])
        await s3.stop()
        await rm(workFolder, { recursive: true })
      },
    }
  })

  it('may be used without a folder, and keeps to its own with one', async () => {
    const [s3, workFolder] = [startS3({ bucket: 'keep' }), await makeFolder()]
    await openS3(s3, workFolder, '').write('a/b', bytes())
    await openS3(s3, workFolder, '/x/').write('a/b', bytes())
    expect([...s3.objects.keys()].sort()).toEqual(['a/b', 'x/a/b'])
    expect(await openS3(s3, workFolder, '').listFolders()).toEqual(['a', 'x'])
    expect(await openS3(s3, workFolder, '/x').listFolders()).toEqual(['a'])
    await s3.stop()
    await rm(workFolder, { recursive: true })
  })

  it('says that it is full, and does not hide what else is wrong', async () => {
    const [s3, workFolder] = [startS3({ bucket: 'keep' }), await makeFolder()]
    const target = openS3(s3, workFolder)
    s3.intercept = () => s3Failure('InsufficientStorage')
    await expect(target.write('a', bytes())).rejects.toThrow(TargetFull)
    s3.intercept = () => s3Failure('AccessDenied')
    await expect(target.write('a', bytes())).rejects.toThrow('AccessDenied')
    await expect(target.sizeOf('a')).rejects.toThrow()
    await expect(target.listFolders()).rejects.toThrow()
    s3.intercept = undefined
    expect(await readdir(workFolder)).toEqual([])
    await s3.stop()
    await rm(workFolder, { recursive: true })
  })

  it('has an address', () => {
    for (const url of ['s3://', 's3:/bucket', 's3://UPPER', 'bucket'])
      expect(() =>
        createS3Target({
          url,
          endpoint: undefined,
          region: 'x',
          accessKeyId: 'x',
          secretAccessKey: 'x',
          workFolder: '/',
        }),
      ).toThrow('s3://bucket/folder')
  })
})
