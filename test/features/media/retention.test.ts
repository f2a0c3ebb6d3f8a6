/** What is cleared away and what is not: after crashes, beside others, and when somebody copies the files. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'bun:test'
import { mkdir, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { eq, sql } from 'drizzle-orm'
import { chats, media, users } from '../../../src/db/schema/index.ts'
import { newName } from '../../../src/features/media/names.ts'
import { createRetention, holdFiles, type Removal } from '../../../src/features/media/retention.ts'
import type { NewMediaRow } from '../../../src/features/media/store.ts'
import { createWork } from '../../../src/features/media/work.ts'
import { createLog } from '../../../src/observability/log.ts'
import { createLocalStorage } from '../../../src/storage/local.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { sendFile, writeStored } from './support.ts'

const DAY_MS = 24 * 3600 * 1000
const log = createLog('error')

let server: TestServer
let root: string
let ann: TestUser
let chatId: string
let storage: Storage
beforeAll(async () => {
  server = await startServer()
  root = join(server.config.DATA_DIR, 'media')
  storage = await createLocalStorage(root)
  ann = await server.addUser()
  chatId = await server.addGroup(ann)
})
afterAll(() => server.stop())
beforeEach(async () => {
  await server.database.db.delete(media)
  for (const folder of ['uploads', 'avatars', 'work']) await rm(join(root, folder), { recursive: true, force: true })
})

const db = () => server.database.db
const retentionOn = (on: Storage = storage) =>
  createRetention({ db: db(), storage: on, work: createWork(join(root, 'work'), log) })
const isThere = (path: string) => stat(join(root, path)).then(Boolean, () => false)
const age = async (path: string, days: number) => {
  const at = new Date(Date.now() - days * DAY_MS)
  await utimes(join(root, path), at, at)
}
const keysOf = ({ filePath, thumbnailPath, originalPath }: NewMediaRow) =>
  [filePath, thumbnailPath, originalPath].filter((key) => key !== null)
const ageRow = async (row: NewMediaRow, days: number) => {
  await db()
    .update(media)
    .set({ createdAt: sql`now() - make_interval(days => ${days})` })
    .where(eq(media.id, row.id))
  for (const key of keysOf(row)) await age(key, days)
}
const releasedFor = async (row: NewMediaRow, days: number) => {
  await ann.delete(`/chats/${chatId}/messages/${row.messageId}`)
  await db()
    .update(media)
    .set({ releasedAt: sql`now() - make_interval(days => ${days})` })
    .where(eq(media.id, row.id))
}
const writeOld = async (path: string, days: number) => {
  await writeStored(server, path, 'old')
  await age(path, days)
}

/** Every kind of file, needed and not. */
async function createWorld() {
  const living = await sendFile(server, ann, chatId)
  await ageRow(living, 400)
  const fresh = await sendFile(server, ann, chatId)
  const deletedLately = await sendFile(server, ann, chatId)
  await ageRow(deletedLately, 400)
  await releasedFor(deletedLately, 29)
  const deletedLongAgo = await sendFile(server, ann, chatId)
  await ageRow(deletedLongAgo, 400)
  await releasedFor(deletedLongAgo, 31)
  // As when the server was killed between the file and its message.
  const abandoned = await sendFile(server, ann, chatId, 'abandoned', { messageId: Bun.randomUUIDv7() })
  await ageRow(abandoned, 2)
  const underWay = await sendFile(server, ann, chatId, 'under way', { messageId: Bun.randomUUIDv7() })
  const closed = await server.addGroup(ann)
  const ofClosedChat = await sendFile(server, ann, closed)
  await ageRow(ofClosedChat, 2)
  await ann.delete(`/chats/${closed}`)
  // An original that was made into something else, and could not be deleted then.
  const leftOriginal = `${living.name}_original.mov`
  await writeOld(leftOriginal, 3)

  const [rowless, freshRowless] = [`${newName()}.webp`, `${newName()}.webp`]
  await writeOld(rowless, 2)
  await writeStored(server, freshRowless, 'fresh')
  await writeOld('uploads/not-ours.txt', 99)
  const worn = ['avatars/ann1.webp', 'avatars/group1.webp', 'avatars/url1.webp']
  for (const path of [...worn, 'avatars/nobody1.webp']) await writeOld(path, 2)
  await writeStored(server, 'avatars/new1.webp', 'new')
  await db().update(users).set({ avatarUrl: worn[0] }).where(eq(users.id, ann.id))
  await db().update(chats).set({ avatarUrl: worn[1] }).where(eq(chats.id, chatId))
  const other = await server.addUser()
  await db()
    .update(users)
    .set({ avatarUrl: `https://chat.example.org/api/v1/${worn[2]}` })
    .where(eq(users.id, other.id))
  await mkdir(join(root, 'work/left'), { recursive: true })
  await writeOld('work/left/file', 2)
  await age('work/left', 2)
  await writeStored(server, 'work/busy/file', 'busy')

  return {
    needed: [
      ...[living, fresh, deletedLately, underWay].flatMap(keysOf),
      ...[freshRowless, 'uploads/not-ours.txt', ...worn, 'avatars/new1.webp', 'work/busy/file'],
    ],
    unneeded: new Map<string, Removal['why']>([
      ...keysOf(deletedLongAgo).map((key) => [key, 'message deleted'] as const),
      ...[abandoned, ofClosedChat].flatMap(keysOf).map((key) => [key, 'no message'] as const),
      [leftOriginal, 'no row'],
      [rowless, 'no row'],
      ['avatars/nobody1.webp', 'avatar of nobody'],
    ]),
    rowsLeft: [living, fresh, deletedLately, underWay].map(({ id }) => id).toSorted(),
  }
}

async function expectCleared({ needed, unneeded, rowsLeft }: Awaited<ReturnType<typeof createWorld>>) {
  const lost = []
  for (const path of needed) if (!(await isThere(path))) lost.push(path)
  expect(lost).toEqual([])
  const left = []
  for (const path of unneeded.keys()) if (await isThere(path)) left.push(path)
  expect(left).toEqual([])
  const rows = await db().select({ id: media.id }).from(media)
  expect(rows.map(({ id }) => id).toSorted()).toEqual(rowsLeft)
  expect(await isThere('work/left/file')).toBe(false)
}

describe('clearing away', () => {
  it('takes what nobody needs, says why, and leaves all else', async () => {
    const world = await createWorld()
    const removals: Removal[] = []
    expect(await retentionOn().clear({ onFile: (one) => removals.push(one) })).toBe(true)
    await expectCleared(world)
    const told = new Map(removals.map(({ file, why }) => [file, why]))
    expect(told.get(join(root, 'work/left'))).toBe('unfinished work')
    told.delete(join(root, 'work/left'))
    expect([...told].toSorted()).toEqual([...world.unneeded].toSorted())
    for (const { size } of removals) expect(size).toBeGreaterThan(0)
    expect(await retentionOn().clear({ onFile: () => expect.unreachable() })).toBe(true)
  })

  it('removes nothing in a dry run, and lists the same', async () => {
    const world = await createWorld()
    const list = async (isDryRun: boolean) => {
      const removals: Removal[] = []
      await retentionOn().clear({ isDryRun, onFile: (one) => removals.push(one) })
      return removals.toSorted((a, b) => (a.file < b.file ? -1 : 1))
    }
    const before = await db().select().from(media).orderBy(media.id)
    const listed = await list(true)
    expect(await db().select().from(media).orderBy(media.id)).toEqual(before)
    for (const path of [...world.needed, ...world.unneeded.keys()]) expect(await isThere(path)).toBe(true)
    expect(await list(false)).toEqual(listed)
    await expectCleared(world)
  })

  it('ends what a crash at any point has left undone', async () => {
    for (let crashAt = 1, hasEnded = false; !hasEnded; crashAt++) {
      const world = await createWorld()
      let deletions = 0
      const crashing: Storage = {
        ...storage,
        async delete(keys) {
          for (const key of keys) {
            if (++deletions === crashAt) throw new Error('Killed')
            await storage.delete([key])
          }
        },
      }
      hasEnded = await retentionOn(crashing)
        .clear()
        .catch((error) => {
          expect(error.message).toBe('Killed')
          return false
        })
      for (const path of world.needed) expect(await isThere(path)).toBe(true)
      await retentionOn().clear()
      await expectCleared(world)
      await db().delete(media)
      expect(crashAt).toBeLessThan(50)
    }
  })

  it('ends what a crash between the files and the row has left', async () => {
    const world = await createWorld()
    for (const path of world.unneeded.keys()) await rm(join(root, path))
    await retentionOn().clear()
    await expectCleared(world)
  })

  it('bears several at once', async () => {
    const world = await createWorld()
    const results = await Promise.all(Array.from({ length: 4 }, () => retentionOn().clear()))
    expect(results).toContain(true)
    await retentionOn().clear()
    await expectCleared(world)
  })

  it('goes through many rows and files', async () => {
    const name = newName(new Date('2020-01-01'))
    const rows = Array.from({ length: 4500 }, (_, n) => `${name.slice(0, -5)}${String(n).padStart(5, '0')}`)
    await server.database.sql`
      insert into media (id, chat_id, message_id, owner_id, kind, name, file_path, file_name, mime_type, file_size, sha256, created_at)
      select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), ${ann.id}, 'file', name, name || '.bin', 'x', 'x', 1, 'x',
        now() - interval '2 days'
      from unnest(${rows}::text[]) name`
    const living = await sendFile(server, ann, chatId)
    await ageRow(living, 5)
    await mkdir(dirname(join(root, name)), { recursive: true })
    for (let n = 0; n < 450; n++) await writeOld(`uploads/2020/01/02/${String(n).padStart(22, 'A')}.bin`, 2)
    expect(await retentionOn().clear()).toBe(true)
    const left = await db().select({ id: media.id }).from(media)
    expect(left).toEqual([{ id: living.id }])
    const files = (await Array.fromAsync(storage.list('uploads/'))).map(({ key }) => key)
    expect(files.toSorted()).toEqual(keysOf(living).toSorted())
  })
})

describe('while somebody copies the files', () => {
  it('nothing is cleared away, and it goes on afterwards', async () => {
    const world = await createWorld()
    const letGo = await holdFiles(server.database.sql)
    const letGoToo = await holdFiles(server.database.sql)
    expect(await retentionOn().clear()).toBe(false)
    await letGo()
    expect(await retentionOn().clear()).toBe(false)
    for (const path of world.unneeded.keys()) expect(await isThere(path)).toBe(true)
    // What would be cleared may still be asked.
    const removals: Removal[] = []
    expect(await retentionOn().clear({ isDryRun: true, onFile: (one) => removals.push(one) })).toBe(true)
    expect(removals.length).toBeGreaterThan(5)
    await letGoToo()
    expect(await retentionOn().clear()).toBe(true)
    await expectCleared(world)
  })

  it('a step that is under way ends first', async () => {
    const world = await createWorld()
    const begun = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const slow: Storage = {
      ...storage,
      async delete(keys) {
        begun.resolve()
        await goOn.promise
        await storage.delete(keys)
      },
    }
    const clearing = retentionOn(slow).clear()
    await begun.promise
    let isHeld = false
    const holding = holdFiles(server.database.sql).then((letGo) => {
      isHeld = true
      return letGo
    })
    await Bun.sleep(100)
    expect(isHeld).toBe(false)
    goOn.resolve()
    const letGo = await holding
    // What is left now stays until it is let go.
    await clearing
    const left = await Array.fromAsync(storage.list('avatars/'))
    expect(left.map(({ key }) => key)).toContain('avatars/nobody1.webp')
    await letGo()
    await retentionOn().clear()
    await expectCleared(world)
  })
})

describe('deleting a message', () => {
  it('gives up its file in the same moment, once, and no other', async () => {
    const [row, other] = [await sendFile(server, ann, chatId), await sendFile(server, ann, chatId)]
    const releasedAt = async ({ id }: NewMediaRow) =>
      (await db().select({ at: media.releasedAt }).from(media).where(eq(media.id, id)))[0]?.at
    const path = `/chats/${chatId}/messages/${row.messageId}`
    expect((await ann.delete(path)).body).toMatchObject({ media: null, media_url: null })
    const at = await releasedAt(row)
    expect(at).toBeInstanceOf(Date)
    await ann.delete(path)
    expect(await releasedAt(row)).toEqual(at ?? null)
    expect(await releasedAt(other)).toBeNull()
    for (const key of keysOf(row)) expect(await isThere(key)).toBe(true)
  })
})
