/** What is no whole backup is never taken for one, and what goes wrong leaves nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { appendFile, cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createLocalTarget } from '../../src/backup/local-target.ts'
import { forgetOldSets } from '../../src/backup/retention.ts'
import { listSets, setNameOf } from '../../src/backup/set.ts'
import { holdBackups } from '../../src/db/backup-lock.ts'
import { hashFiles } from './hashes.ts'
import { createPlace, nextSecond, setIn, startWorld, type World } from './world.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')
let world: World
let set: string
beforeAll(async () => {
  world = await startWorld()
  await world.addFiles(3)
  set = setIn(await world.messenger(['backup', world.backups]))
})
afterAll(() => world.stop())

/** A copy of the backups, to spoil. */
async function copyBackups(): Promise<string> {
  const copy = join(world.folder, `copy-${Bun.randomUUIDv7()}`)
  await cp(world.backups, copy, { recursive: true })
  return copy
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path)
  const at = Math.floor(bytes.length / 2)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}

async function cutOff(path: string): Promise<void> {
  await truncate(path, (await readFile(path)).length - 1)
}

/** Another text, packed as it should be. */
async function rewriteRows(path: string): Promise<void> {
  await writeFile(path, gzipSync(String(gunzipSync(await readFile(path))).replace('user_', 'usar_')))
}

const users = () => `${set}/tables/users.copy.gz`
const media = async (copy: string) => {
  const [path = ''] = Object.keys(await hashFiles(join(copy, 'media')))
  return `media/${path}`
}
const spoilings: [string, (copy: string) => Promise<unknown>][] = [
  ['a table with one byte changed', (copy) => flipByte(join(copy, users()))],
  ['a table that is cut off', (copy) => cutOff(join(copy, users()))],
  ['a table with other rows', (copy) => rewriteRows(join(copy, users()))],
  ['an empty table', (copy) => writeFile(join(copy, users()), '')],
  ['a table that is missing', (copy) => rm(join(copy, users()))],
  ['a table that has grown', (copy) => appendFile(join(copy, users()), 'x')],
  ['a changed manifest', (copy) => flipByte(join(copy, set, 'manifest.json'))],
  ['a missing manifest', (copy) => rm(join(copy, set, 'manifest.json'))],
  ['a file of a message with one byte changed', async (copy) => flipByte(join(copy, await media(copy)))],
  ['a file of a message that is missing', async (copy) => rm(join(copy, await media(copy)))],
  ['a changed list of files', (copy) => flipByte(join(copy, set, 'media.sha256'))],
  [
    'hashes that are cut off',
    (copy) => cutOff(join(copy, set, 'SHA256SUMS')).then(() => cutOff(join(copy, set, 'SHA256SUMS'))),
  ],
  ['no hashes: a set that was not finished', (copy) => rm(join(copy, set, 'SHA256SUMS'))],
  [
    'no hash of a table',
    async (copy) => {
      const path = join(copy, set, 'SHA256SUMS')
      const text = await readFile(path, 'utf8')
      await writeFile(path, text.replace(/^.*users\.copy\.gz\n/m, ''))
    },
  ],
  ['nothing at all', (copy) => rm(copy, { recursive: true })],
]

describe('a restore is refused, before anything is written,', () => {
  it.each(spoilings)('of %s', async (_, spoil) => {
    const copy = await copyBackups()
    await spoil(copy)
    const place = await createPlace(world)
    const { code, err } = await world.messenger(['restore', copy], place.settings)
    expect(code).toBe(1)
    expect(err).toContain('"name":"BackupBroken"')
    expect(await place.sql`select from pg_class where relnamespace = current_schema()::regnamespace`).toHaveLength(0)
    expect(await readdir(place.dataDir)).toEqual([])
    await place.close()
  })

  it('into a database that is not empty, and the files stay out too', async () => {
    const place = await createPlace(world)
    await place.sql`create table mine (id int)`
    const { code, err } = await world.messenger(['restore', world.backups], place.settings)
    expect(code).toBe(1)
    expect(err).toContain('The database is not empty (mine)')
    expect(await hashFiles(place.dataDir)).toEqual({})
    expect((await world.messenger(['restore', world.backups], place.settings)).code).toBe(1)
    await place.close()
  })

  it('into the database of a running server', async () => {
    const { code, err } = await world.messenger(['restore', world.backups])
    expect(code).toBe(1)
    expect(err).toContain('Another messenger runs on this database')
  })

  it('of a newer version', async () => {
    const copy = await copyBackups()
    const path = join(copy, set, 'manifest.json')
    const manifest = JSON.parse(await readFile(path, 'utf8'))
    manifest.migrations.push({ id: manifest.migrations.length, tag: '9999_future' })
    await writeFile(path, JSON.stringify(manifest))
    const sums = join(copy, set, 'SHA256SUMS')
    const hash = new Bun.CryptoHasher('sha256').update(await readFile(path)).digest('hex')
    await writeFile(sums, (await readFile(sums, 'utf8')).replace(/^\w{64}(?= {2}manifest)/m, hash))
    const place = await createPlace(world)
    const { code, err } = await world.messenger(['restore', copy], place.settings)
    expect({ code, isTold: err.includes('9999_future') }).toEqual({ code: 1, isTold: true })
    await place.close()
  })
})

describe('a restore', () => {
  it('takes the newest whole set, not the newest', async () => {
    const copy = await copyBackups()
    await cp(join(copy, set), join(copy, '2099-01-01T00-00-00Z'), { recursive: true })
    await rm(join(copy, '2099-01-01T00-00-00Z/SHA256SUMS'))
    const { code, out } = await world.messenger(['restore', copy, '--check'])
    expect({ code, out }).toEqual({
      code: 0,
      out: `${set}: database is as it was written\n${set}: media is as it was written\n`,
    })
    const named = await world.messenger(['restore', join(copy, '2099-01-01T00-00-00Z'), '--check'])
    expect({ code: named.code, isTold: named.err.includes('is not whole') }).toEqual({ code: 1, isTold: true })
  })
})

describe('a backup that fails', () => {
  const setsIn = async (folder: string) =>
    (await readdir(folder).catch(() => [])).filter((name) => /^\d{4}-/.test(name)).sort()

  it('leaves nothing of its set where there is no room', async () => {
    await nextSecond()
    // Random, so that packing does not help: some 3 MB.
    await world.server.database.sql`
      insert into audit_logs (id, action, user_agent)
      select gen_random_uuid(), 'login', md5(random()::text) || md5(random()::text) from generate_series(1, 60000)`
    const before = await hashFiles(world.backups)
    // A write beyond the limit fails in the middle of a file, as on a full disk.
    const child = Bun.spawn(
      ['sh', '-c', `trap '' XFSZ; ulimit -f 1000; exec "$@"`, 'sh', process.execPath, MAIN, 'backup', world.backups],
      {
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          DATABASE_URL: world.server.config.DATABASE_URL,
          DATA_DIR: world.dataDir,
          JWT_SECRET: world.server.config.JWT_SECRET,
        },
        stdout: 'pipe',
        stderr: 'pipe',
      },
    )
    const [err, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
    expect(code).toBe(1)
    expect(err).toContain(`There is no room in ${world.backups}`)
    expect(await hashFiles(world.backups)).toEqual(before)
  })

  it('is none when it was killed: the next one is made, and later clears up after it', async () => {
    await nextSecond()
    const before = await setsIn(world.backups)
    const child = Bun.spawn([process.execPath, MAIN, 'backup', world.backups], {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        DATABASE_URL: world.server.config.DATABASE_URL,
        DATA_DIR: world.dataDir,
        JWT_SECRET: world.server.config.JWT_SECRET,
      },
      stdout: 'ignore',
      stderr: 'ignore',
    })
    while ((await setsIn(world.backups)).length === before.length) await Bun.sleep(1)
    child.kill('SIGKILL')
    await child.exited
    const [begun = ''] = (await setsIn(world.backups)).filter((name) => !before.includes(name))
    const target = createLocalTarget(world.backups)
    expect(await listSets(target)).not.toContain(begun)
    await nextSecond()
    const next = await world.messenger(['backup', world.backups])
    expect(next.code).toBe(0)
    expect(await listSets(target)).toContain(setIn(next))
    const twoDays = new Date(Date.now() + 2 * 86_400_000)
    await forgetOldSets({ target, keepDays: 30, parts: ['database', 'media'], now: twoDays })
    expect(await setsIn(world.backups)).not.toContain(begun)
  })

  it('says that there is nothing to back up', async () => {
    const place = await createPlace(world)
    const { code, err } = await world.messenger(['backup', join(world.folder, 'none')], place.settings)
    expect({ code, isTold: err.includes('no messenger in this database') }).toEqual({ code: 1, isTold: true })
    await place.close()
  })

  it('says what it does not understand', async () => {
    for (const args of [
      ['backup'],
      ['backup', 'a', 'b'],
      ['backup', 'a', '--only', 'x'],
      ['backup', 'a', '--check'],
      ['backup', `a/${set}`],
      ['restore'],
      ['restore', 'a', '--nope'],
    ]) {
      const { code, err } = await world.messenger(args)
      expect({ args, code }).toEqual({ args, code: 2 })
      expect(err).toContain('Usage: messenger ')
    }
    expect(await world.messenger(['backup', '--help'])).toMatchObject({ code: 0, err: '' })
  })
})

describe('old sets', () => {
  const DAY = 86_400_000
  const now = new Date('2026-06-15T12:00:00Z')

  /** Backups with a set of each age in days, its parts as given. */
  async function aged(sets: [number, ...string[]][]) {
    const copy = await copyBackups()
    const others = (await listSets(createLocalTarget(copy))).filter((name) => name !== set)
    for (const other of others) await rm(join(copy, other), { recursive: true })
    const names: string[] = []
    for (const [days, ...parts] of sets) {
      const name = setNameOf(new Date(now.getTime() - days * DAY))
      await cp(join(copy, set), join(copy, name), { recursive: true })
      const path = join(copy, name, 'manifest.json')
      await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), parts }))
      names.push(name)
    }
    await rm(join(copy, set), { recursive: true })
    return { copy, target: createLocalTarget(copy), names }
  }

  it('go after their time, with the files that only they named', async () => {
    const { copy, target, names } = await aged([
      [40, 'database', 'media'],
      [31, 'database', 'media'],
      [29, 'database', 'media'],
      [0, 'database', 'media'],
    ])
    const kept = await readFile(join(copy, names[3] ?? '', 'media.sha256'), 'utf8')
    const [dropped = '', ...rest] = kept.trim().split('\n')
    for (const name of names.slice(2)) await writeFile(join(copy, name, 'media.sha256'), `${rest.join('\n')}\n`)
    const forgotten = await forgetOldSets({ target, keepDays: 30, parts: ['database', 'media'], now })
    expect(forgotten).toEqual(names.slice(0, 2))
    expect(await listSets(target)).toEqual(names.slice(2))
    const left = Object.keys(await hashFiles(join(copy, 'media')))
    expect(left).toHaveLength(rest.length)
    expect(left).not.toContain(dropped.split('../media/')[1])
  })

  it('stay while nothing newer has all that they have', async () => {
    const { target, names } = await aged([
      [50, 'media'],
      [40, 'database', 'media'],
      [35, 'database'],
      [0, 'database'],
    ])
    expect(await forgetOldSets({ target, keepDays: 30, parts: ['database'], now })).toEqual([names[2] ?? ''])
  })

  it('are removed by the command, by BACKUP_KEEP_DAYS', async () => {
    const copy = await copyBackups()
    const old = setNameOf(new Date(Date.now() - 3 * DAY))
    await rename(join(copy, set), join(copy, old))
    const keep = await world.messenger(['backup', copy], { BACKUP_KEEP_DAYS: '5' })
    expect(keep.out).not.toContain('Removed')
    await nextSecond()
    const forget = await world.messenger(['backup', copy], { BACKUP_KEEP_DAYS: '2' })
    expect(forget.out).toContain(`Removed ${old}: older than 2 days\n`)
    expect(await readdir(copy)).not.toContain(old)
    expect((await world.messenger(['restore', copy, '--check'])).code).toBe(0)
  })
})

describe('two backups', () => {
  it('are made one after the other', async () => {
    await nextSecond()
    const both = await Promise.all([1, 2].map(() => world.messenger(['backup', world.backups, '--only', 'database'])))
    // In the same second the second one says so, and leaves the first one whole.
    for (const { code, err } of both) expect(code === 0 || err.includes('There is a set of this second')).toBe(true)
    expect(both.some(({ code }) => code === 0)).toBe(true)
    expect((await world.messenger(['restore', world.backups, '--check'])).code).toBe(0)
  })

  it('wait for each other', async () => {
    const { sql } = world.server.database
    const letGo = await holdBackups(sql)
    const waiting = world.messenger(['backup', world.backups, '--only', 'database'])
    const isWaiting = async () =>
      (await sql`select from pg_locks where locktype = 'advisory' and not granted`).count > 0
    while (!(await isWaiting())) await Bun.sleep(20)
    await nextSecond()
    await letGo()
    expect((await waiting).code).toBe(0)
  })
})
