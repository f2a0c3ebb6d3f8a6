/** The restore drill: back up under load, lose everything, restore, and compare every row and every byte. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { migrations } from '../../src/db/migrations.ts'
import { createLog } from '../../src/observability/log.ts'
import { run, start } from '../commands/process.ts'
import { request } from '../support/client.ts'
import { createDatabase } from '../support/postgres.ts'
import { startS3 } from '../support/s3-server.ts'
import { startServer, TEST_SECRET } from '../support/server.ts'
import { describeSchema, hashFiles, hashTables } from './hashes.ts'
import { createPlace, nextSecond, setIn, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
  await world.addFiles(20)
})
afterAll(() => world.stop())

/** Sends as fast as it is answered until it is told to stop. @returns how many were acknowledged */
async function talk(until: () => boolean): Promise<number> {
  let acknowledged = 0
  await Promise.all(
    world.users.map(async (user, index) => {
      const socket = await user.socket()
      while (!until()) {
        const { type } = await socket.ask({
          type: 'message',
          chat_id: world.chatIds[index],
          content: `${Math.random()}`,
        })
        if (type === 'ack') acknowledged++
      }
      await socket.close()
    }),
  )
  return acknowledged
}

it('under load: what is restored is one moment, with all that was acknowledged before', async () => {
  const { sql } = world.server.database
  const [before] = await sql<{ count: number }[]>`select count(*)::int as count from messages`
  let isOver = false
  const talking = talk(() => isOver)
  const upload = (async () => {
    while (!isOver) await world.addFiles(1, 200_000)
  })()
  await Bun.sleep(300)
  const [during] = await sql<{ count: number }[]>`select count(*)::int as count from messages`
  const made = await world.messenger(['backup', world.backups])
  isOver = true
  const acknowledged = await talking
  await upload
  expect(made).toMatchObject({ code: 0, err: '' })

  const place = await createPlace(world)
  expect(await world.messenger(['restore', world.backups], place.settings)).toMatchObject({ code: 0 })
  const [after] = await place.sql<{ count: number }[]>`select count(*)::int as count from messages`
  expect(during?.count).toBeGreaterThan(before?.count ?? 0)
  expect(after?.count).toBeGreaterThanOrEqual(during?.count ?? 0)
  expect(after?.count).toBeLessThan((before?.count ?? 0) + acknowledged)
  // Of one moment: each chat counts exactly the messages that are there.
  expect(
    await place.sql`
      select c.id from chats c
      where c.last_seq <> (select count(*) from messages m where m.chat_id = c.id)
        or c.last_seq <> (select max(seq) from messages m where m.chat_id = c.id)`,
  ).toHaveLength(0)
  const [source, restored] = [
    await hashFiles(join(world.dataDir, 'media/uploads')),
    await hashFiles(join(place.media, 'uploads')),
  ]
  expect(Object.keys(restored).length).toBeGreaterThanOrEqual(20)
  expect(source).toMatchObject(restored)
  await place.close()
})

/** A backup while nothing is written: what is seen last, for one, is stored a little later. @returns the set, and what it is of */
async function backUpAtRest(): Promise<{ set: string; tables: Awaited<ReturnType<typeof hashTables>> }> {
  const { sql } = world.server.database
  for (;;) {
    await nextSecond()
    const before = await hashTables(sql)
    const made = await world.messenger(['backup', world.backups])
    expect(made).toMatchObject({ code: 0, err: '' })
    if (Bun.deepEquals(before, await hashTables(sql))) return { set: setIn(made), tables: before }
  }
}

it('at rest: every row and every byte is the same, and a server runs on it', async () => {
  const { set, tables } = await backUpAtRest()
  const place = await createPlace(world)
  const restored = await world.messenger(['restore', join(world.backups, set)], place.settings)
  expect(restored).toMatchObject({ code: 0 })
  expect(await hashTables(place.sql)).toEqual(tables)
  expect(await describeSchema(place.sql)).toEqual(await describeSchema(world.server.database.sql))
  expect(await hashFiles(place.media)).toEqual(await hashFiles(join(world.dataDir, 'media')))

  const again = await startServer({ DATABASE_URL: place.url, DATA_DIR: place.dataDir }, { instances: 1 })
  const [user] = world.users
  const history = await user?.at(again.url).get(`/chats/${world.chatIds[0]}/messages`)
  expect(history?.status).toBe(200)
  expect(history?.body).toEqual((await user?.get(`/chats/${world.chatIds[0]}/messages`))?.body)
  const sent = await user?.at(again.url).post('/messages', { chat_id: world.chatIds[0], content: 'on' })
  expect(sent?.body.seq).toBe(history?.body.total + 1)
  await again.stop()
  await place.close()
})

it('keeps files once for all sets, for its owner alone, as sha256sum knows them', async () => {
  await nextSecond()
  const [key] = await world.addFiles(1)
  const made = await world.messenger(['backup', world.backups, '--only', 'media'])
  expect(made.out).toContain(', 1 of them new\n')
  const paths = await readdir(world.backups, { recursive: true, withFileTypes: true })
  for (const entry of paths) {
    const { mode } = await stat(join(entry.parentPath, entry.name))
    expect({ name: entry.name, mode: mode & 0o777 }).toEqual({ name: entry.name, mode: entry.isFile() ? 0o600 : 0o700 })
  }
  expect(await Bun.file(join(world.backups, 'media', key ?? '')).exists()).toBe(true)
  for (const list of ['SHA256SUMS', 'media.sha256']) {
    const check = Bun.spawnSync(['sha256sum', '--check', '--quiet', '--strict', list], {
      cwd: join(world.backups, setIn(made)),
    })
    expect({ list, out: String(check.stdout), code: check.exitCode }).toEqual({ list, out: '', code: 0 })
  }
})

it('restores the files alone, and goes on where a try before ended', async () => {
  const place = await createPlace(world)
  const only = ['restore', world.backups, '--only', 'media']
  const files = Object.keys(await hashFiles(join(world.dataDir, 'media'))).length
  expect((await world.messenger(only, place.settings)).out).toContain(`Restored ${files} files\n`)
  const [gone] = await readdir(join(place.media, 'uploads/2026/01/15'))
  await rm(join(place.media, 'uploads/2026/01/15', gone ?? ''))
  expect((await world.messenger(only, place.settings)).out).toContain('Restored 1 files\n')
  expect(await hashFiles(place.media)).toEqual(await hashFiles(join(world.dataDir, 'media')))
  expect(await hashTables(place.sql)).toEqual({})
  await place.close()
})

it('in a bucket, and from it', async () => {
  const s3 = startS3({ bucket: 'keep' })
  const settings = {
    BACKUP_S3_ENDPOINT: s3.endpoint,
    BACKUP_S3_REGION: s3.credentials.region,
    BACKUP_S3_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    BACKUP_S3_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
  }
  const before = await hashTables(world.server.database.sql)
  const made = await world.messenger(['backup', 's3://keep/messenger'], settings)
  expect(made).toMatchObject({ code: 0, err: '' })
  const place = await createPlace(world)
  expect(await world.messenger(['restore', 's3://keep/messenger'], { ...settings, ...place.settings })).toMatchObject({
    code: 0,
  })
  expect(await hashTables(place.sql)).toEqual(before)
  expect(await hashFiles(place.media)).toEqual(await hashFiles(join(world.dataDir, 'media')))
  expect((await world.messenger(['backup', 's3://keep/messenger'])).err).toContain('BACKUP_S3_ACCESS_KEY_ID')
  await s3.stop()
  await place.close()
})

it('takes files from wherever they lie, and brings them to wherever they are to lie', async () => {
  const s3 = startS3({ bucket: 'files' })
  const { accessKeyId, secretAccessKey, region } = s3.credentials
  const settings = {
    MEDIA_STORAGE: 's3',
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: 'files',
    S3_REGION: region,
    S3_ACCESS_KEY_ID: accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey,
  }
  await world.addFiles(1, 2_000_000)
  const backups = [join(world.folder, 'from-disk'), join(world.folder, 'from-s3')]
  const only = ['--only', 'media']
  expect((await world.messenger(['backup', backups[0] ?? '', ...only])).code).toBe(0)
  expect(await world.messenger(['restore', backups[0] ?? '', ...only], settings)).toMatchObject({ code: 0 })
  const files = await hashFiles(join(world.dataDir, 'media'))
  expect([...s3.objects.keys()].sort()).toEqual(Object.keys(files))
  expect((await world.messenger(['backup', backups[1] ?? '', ...only], settings)).code).toBe(0)
  expect(await hashFiles(join(backups[1] ?? '', 'media'))).toEqual(files)
  await s3.stop()
})

describe('a backup of an older version', () => {
  it('is restored as that and then migrated', async () => {
    const old = connectDatabase({ url: await createDatabase(), poolMax: 1, name: 'tests' })
    await migrate(old.sql, createLog('error'), migrations.slice(0, 3))
    const [id, chatId] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
    await old.sql`insert into users (id, phone, username, password_hash) values (${id}, '+12025550101', 'ann', 'none')`
    await old.sql`insert into chats (id, type, owner_id, last_seq) values (${chatId}, 'group', ${id}, 1)`
    await old.sql`insert into messages (chat_id, id, seq, sender_id, client_id, content) values (${chatId}, ${id}, 1, ${id}, 'x', 'old')`
    const [{ name } = { name: '' }] = await old.sql<{ name: string }[]>`select current_database() as name`
    const url = world.server.config.DATABASE_URL?.replace(/\/test_\w+/, `/${name}`) ?? ''
    const backups = join(world.folder, 'old')
    expect(await world.messenger(['backup', backups], { DATABASE_URL: url })).toMatchObject({ code: 0 })

    const place = await createPlace(world)
    expect(await world.messenger(['restore', backups], place.settings)).toMatchObject({ code: 0 })
    const [message] = await place.sql`select content, seq::int, call from messages`
    expect(message).toEqual({ content: 'old', seq: 1, call: null })
    expect(await describeSchema(place.sql)).toEqual(await describeSchema(world.server.database.sql))
    expect((await world.messenger(['migrate'], place.settings)).out).toContain('up to date')
    await Promise.all([old.close(), place.close()])
  })
})

describe('the embedded database', () => {
  it('is backed up beside the running server, and restored into an empty folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'messenger-embedded-'))
    const settings = { DATA_DIR: join(folder, 'data'), JWT_SECRET: TEST_SECRET }
    const backups = join(folder, 'backups')
    const first = start(settings)
    const person = { phone: '+12025550109', username: 'ann', password: 'SecurePass123' }
    const registered = await request(`${await first.ready}/api/v1/auth/register`, 'POST', undefined, person)
    expect(registered.status).toBe(201)
    expect(await run(['backup', backups], settings)).toMatchObject({ code: 0 })
    const busy = await run(['restore', backups], settings)
    expect(busy.code).toBe(1)
    first.process.kill('SIGTERM')
    await first.finished
    const full = await run(['restore', backups], settings)
    expect(full).toMatchObject({ code: 1, err: expect.stringContaining('The database is not empty') })

    await rm(settings.DATA_DIR, { recursive: true })
    expect(await run(['restore', backups], settings)).toMatchObject({ code: 0 })
    const second = start(settings)
    const login = { phone_or_email: person.phone, password: person.password }
    expect((await request(`${await second.ready}/api/v1/auth/login`, 'POST', undefined, login)).status).toBe(200)
    const me = await request(`${await second.ready}/api/v1/users/me`, 'GET', registered.body.token)
    expect(me).toMatchObject({ status: 200, body: { username: 'ann' } })
    second.process.kill('SIGTERM')
    await second.finished
    // And the server at rest.
    await nextSecond()
    expect(await run(['backup', backups], settings)).toMatchObject({ code: 0 })
    await rm(folder, { recursive: true })
  }, 120_000)
})
