import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRoot, nobody } from '../../src/embedded/identity.ts'
import { copyFiles, type NativeSource, nativeFiles, nativeSource } from '../../src/embedded/native.ts'
import { createLog } from '../../src/observability/log.ts'

describe('the files of PostgreSQL', () => {
  const identity = isRoot() ? nobody : undefined
  const log = createLog('error', () => {})
  let home: string
  let source: NativeSource & { directory: string }

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'embedded-native-'))
    chmodSync(home, 0o755)
    const installed = await nativeSource()
    const directory = join(home, 'closed/native')
    cpSync(String(installed.directory), directory, { recursive: true, filter: (path) => !path.endsWith('.a') })
    for (const { name } of installed.links) rmSync(join(directory, 'lib', name), { force: true })
    source = { ...installed, directory, version: 'test', fill: (copy) => copyFiles(directory, copy) }
  })

  afterAll(() => {
    chmodSync(join(source.directory, 'lib'), 0o755)
    rmSync(home, { recursive: true, force: true })
  })

  it('are used where they lie, with the links made that packages cannot carry', async () => {
    expect(await nativeFiles(home, identity, log, source)).toBe(source.directory)
    const lib = readdirSync(join(source.directory, 'lib'))
    expect(source.links.filter(({ name }) => !lib.includes(name))).toEqual([])
  })

  it('are copied once when the installed ones may not be changed or reached', async () => {
    for (const { name } of source.links) rmSync(join(source.directory, 'lib', name))
    chmodSync(join(source.directory, 'lib'), 0o555)
    // Root may write anywhere, but its child can't enter.
    chmodSync(join(home, 'closed'), 0o700)
    const dataDir = join(home, 'data')
    mkdirSync(dataDir)

    const copy = await nativeFiles(dataDir, identity, log, source)
    expect(copy).toStartWith(`${dataDir}/`)
    const made = statSync(copy).ino
    expect(await nativeFiles(dataDir, identity, log, source)).toBe(copy)
    expect(statSync(copy).ino).toBe(made)

    // A damaged copy is replaced.
    rmSync(join(copy, 'lib/libssl.so.1.1'))
    expect(await nativeFiles(dataDir, identity, log, source)).toBe(copy)
    expect(statSync(join(copy, 'lib/libssl.so.1.1')).isFile()).toBe(true)
    expect(readdirSync(dataDir)).toHaveLength(1)
  })

  it('end in one clear error where they cannot run', async () => {
    const nothing = join(home, 'nothing')
    const fill = (copy: string) => copyFiles(nothing, copy)
    const broken = { ...source, directory: nothing, version: 'broken', fill }
    await expect(nativeFiles(join(home, 'data'), identity, log, broken)).rejects.toThrow(
      /^the embedded PostgreSQL cannot run on this machine \(.*\); set DATABASE_URL$/,
    )
  })
})
