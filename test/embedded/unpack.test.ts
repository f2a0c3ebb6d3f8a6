import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from '../../deploy/binary/pack.ts'
import type { Carried } from '../../src/embedded/carried.ts'
import { findDamage, removeOtherVersions, unpackedName, unpackOnce } from '../../src/embedded/unpack.ts'

describe('what a binary carries', () => {
  let home: string
  let carried: Carried
  let counter = 0
  const parent = () => {
    const directory = join(home, `parent-${++counter}`)
    mkdirSync(directory)
    return directory
  }

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'unpack-test-'))
    mkdirSync(join(home, 'from/lib'), { recursive: true })
    writeFileSync(join(home, 'from/run'), '#!/bin/sh\necho works\n', { mode: 0o700 })
    writeFileSync(join(home, 'from/lib/empty'), '')
    writeFileSync(join(home, 'from/lib/large'), Buffer.alloc(3_000_000, 'messenger '))
    writeFileSync(join(home, 'from/unwanted.a'), 'x')
    const from = { from: join(home, 'from'), to: 'it/', isWanted: (path: string) => !path.endsWith('.a') }
    carried = await pack(join(home, 'archive'), '1.2', [from])
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  it('is unpacked as it was, open to all, under its version, and used again', () => {
    const before = process.umask(0o077)
    const place = parent()
    const directory = unpackOnce('parts', carried, [place])
    process.umask(before)
    expect(directory).toBe(join(place, unpackedName('parts', carried.version)))
    expect(carried.version).toMatch(/^1\.2-[0-9a-f]{8}$/)
    expect(readdirSync(join(directory, 'it')).sort()).toEqual(['lib', 'run'])
    expect(readFileSync(join(directory, 'it/lib/large')).equals(readFileSync(join(home, 'from/lib/large')))).toBe(true)
    expect(Bun.spawnSync([join(directory, 'it/run')]).stdout.toString()).toBe('works\n')
    for (const path of ['', 'it', 'it/lib', 'it/run']) expect(statSync(join(directory, path)).mode & 0o777).toBe(0o755)
    const made = statSync(directory).ino
    expect(unpackOnce('parts', carried, [place])).toBe(directory)
    expect(statSync(directory).ino).toBe(made)
    expect(readdirSync(place)).toHaveLength(1)
  })

  it.each([
    ['cut off', (path: string) => truncateSync(path, 0)],
    ['changed', (path: string) => writeFileSync(path, Buffer.alloc(3_000_000, 'Messenger '))],
    ['missing', (path: string) => rmSync(path)],
  ])('is made anew when a file is %s', (_, damage) => {
    const place = parent()
    const directory = unpackOnce('parts', carried, [place])
    damage(join(directory, 'it/lib/large'))
    expect(findDamage(directory, carried)).toBe('it/lib/large')
    expect(unpackOnce('parts', carried, [place])).toBe(directory)
    expect(findDamage(directory, carried)).toBeUndefined()
  })

  it('is refused where it is damaged itself', () => {
    const [first, ...rest] = carried.files
    const wrong = { ...carried, files: [{ ...first, sha256: '0'.repeat(64) }, ...rest] } as Carried
    const place = parent()
    expect(() => unpackOnce('parts', wrong, [place])).toThrow('damaged')
    expect(readdirSync(place)).toEqual([])
  })

  it('goes to the next place when one is closed, or when it does not work there', () => {
    const [taken, unfit, fine] = [parent(), parent(), parent()]
    writeFileSync(join(taken, unpackedName('parts', carried.version)), 'a file of someone')
    const works = (directory: string) => {
      if (directory.startsWith(unfit)) throw new Error('not here')
    }
    expect(unpackOnce('parts', carried, [taken, unfit, fine], works)).toStartWith(fine)
    expect(() => unpackOnce('parts', carried, [taken, unfit], works)).toThrow(/belongs to someone else; not here/)
  })

  it('never trusts a directory that others may write', () => {
    const place = parent()
    chmodSync(unpackOnce('parts', carried, [place]), 0o777)
    expect(() => unpackOnce('parts', carried, [place])).toThrow('belongs to someone else')
  })

  it('is whole for all of several starts at once', async () => {
    const place = parent()
    const program = `
      const { unpackOnce } = await import(${JSON.stringify(join(import.meta.dir, '../../src/embedded/unpack.ts'))})
      process.stdout.write(unpackOnce('parts', ${JSON.stringify(carried)}, [${JSON.stringify(place)}]))`
    const starts = Array.from({ length: 6 }, () => Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' }))
    const said = await Promise.all(starts.map(({ stdout }) => new Response(stdout).text()))
    expect(new Set(said)).toEqual(new Set([join(place, unpackedName('parts', carried.version))]))
    expect(findDamage(String(said[0]), carried)).toBeUndefined()
    expect(readdirSync(place)).toHaveLength(1)
  })

  it('leaves neither old drafts nor other versions behind, but what is not its own', () => {
    const place = parent()
    const name = unpackedName('parts', carried.version)
    const mine = [`${name}.draft-old`, `${name}.draft-new`, unpackedName('parts', '1.1-00000000')]
    for (const one of [...mine, 'parts-1.1-other', 'postgres']) mkdirSync(join(place, one))
    const hourAgo = new Date(Date.now() - 3_600_000)
    utimesSync(join(place, `${name}.draft-old`), hourAgo, hourAgo)
    removeOtherVersions('parts', unpackOnce('parts', carried, [place]))
    expect(readdirSync(place).sort()).toEqual([name, `${name}.draft-new`, 'parts-1.1-other', 'postgres'].sort())
    expect(existsSync(join(place, name, 'it/run'))).toBe(true)
  })
})
