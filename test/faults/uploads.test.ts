/** The server is killed while files come in: what was acknowledged is whole, and what is left over is cleared away. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { Upload } from 'tus-js-client'
import { connectDatabase } from '../../src/db/client.ts'
import { findRunningPostgres } from '../../src/embedded/running.ts'
import { createRetention } from '../../src/features/media/retention.ts'
import { createWork } from '../../src/features/media/work.ts'
import { createLog } from '../../src/observability/log.ts'
import { createLocalStorage } from '../../src/storage/local.ts'
import { openRaw } from '../features/uploads/support.ts'
import { request, TestUser } from '../support/client.ts'
import { freePort } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { type ServerProcess, startProcess } from './server-process.ts'

const DAY_MS = 24 * 3600 * 1000
let dataDir: string
let settings: Record<string, string>
let server: ServerProcess
let ann: TestUser
let chatId: string
let picture: Buffer

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'messenger-faults-'))
  settings = { PORT: String(freePort()), PASSWORD_HASH: 'argon2id' }
  server = await startProcess(dataDir, settings)
  const account = { phone: '+4915112345678', username: 'ann', password: 'Password123' }
  const { body } = await request(`${server.url}/api/v1/auth/register`, 'POST', undefined, account)
  ann = new TestUser(server.url, body.user_id, '', body.token, body.refresh_token)
  chatId = (await ann.post('/chats', { name: 'Group', type: 'group', member_ids: [] })).body.id
  picture = await sharp({ create: { width: 1500, height: 1500, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
}, 60_000)
afterAll(async () => {
  await server.terminate()
  await rm(dataDir, { recursive: true, force: true })
})

async function listFiles(folder: string): Promise<string[]> {
  const root = join(dataDir, 'media')
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}

/** The database of the server that runs. */
async function withDatabase<T>(run: (database: ReturnType<typeof connectDatabase>) => Promise<T>): Promise<T> {
  const socket = await findRunningPostgres(dataDir)
  if (!socket) throw new Error('No PostgreSQL')
  const database = connectDatabase({ socket, poolMax: 2, name: 'tests' })
  return run(database).finally(database.close)
}

let acknowledgements = 0

/** Sends files, one after the other, until the server is gone. @returns what was acknowledged: message id -> path */
async function sendUntilTheEnd(flow: string): Promise<Map<string, string>> {
  const acknowledged = new Map<string, string>()
  for (let n = 0; ; n++) {
    const form = new FormData()
    form.set('chat_id', chatId)
    form.set('client_id', `${flow} ${n}`)
    form.set('file', new File([n % 2 ? picture : 'some text '.repeat(20_000)], 'file'))
    const answer = await request(`${server.url}/api/v1/messages/upload`, 'POST', ann.token, form).catch(() => undefined)
    if (answer?.status !== 201) return acknowledged
    acknowledgements++
    acknowledged.set(answer.body.message.id, answer.body.media.file_path)
  }
}

const readMedia = () =>
  withDatabase(
    ({ sql }) => sql<{ id: string; path: string; thumbnail: string | null; has_row: boolean }[]>`
      select m.id, m.media_url as path, m.media->>'thumbnail' as thumbnail,
        exists (select 1 from media x where x.message_id = m.id and x.file_path = m.media_url) as has_row
      from messages m where m.media_url is not null`,
  )

describe('a server that is killed while files come in', () => {
  it('has every file that it acknowledged, and no message without its file', async () => {
    for (let round = 0; round < 3; round++) {
      acknowledgements = 0
      const flows = [0, 1, 2].map((n) => sendUntilTheEnd(`${round} ${n}`))
      await until(async () => acknowledgements > 3, 'some acknowledgements')
      await Bun.sleep(Math.random() * 100)
      await server.killAll()
      const acknowledged = (await Promise.all(flows)).flatMap((one) => [...one])
      expect(acknowledged.length).toBeGreaterThan(0)
      server = await startProcess(dataDir, settings)
      const messages = await readMedia()
      const files = await listFiles('uploads')
      expect(messages.filter(({ has_row }) => !has_row)).toEqual([])
      const wanted = messages.flatMap(({ path, thumbnail }) => (thumbnail ? [path, thumbnail] : [path]))
      expect(wanted.filter((path) => !files.includes(path))).toEqual([])
      const stored = new Map(messages.map(({ id, path }) => [id, path]))
      expect(acknowledged.filter(([id, path]) => stored.get(id) !== path)).toEqual([])
    }
  }, 120_000)

  it('leaves only what the clean-up finds: after it there is what messages show, and nothing else', async () => {
    // What a crash between each two steps leaves, if the rounds above did not.
    await Bun.write(join(dataDir, 'media/work/0190f6a2-7c1e-7000-8000-000000000001/0'), 'half a file')
    const storage = await createLocalStorage(join(dataDir, 'media'))
    const stray = `uploads/2026/01/15/${'a'.repeat(22)}.bin`
    await Bun.write(join(dataDir, 'media', stray), 'a file without a row')
    await withDatabase(async ({ db, sql }) => {
      await sql`
        insert into media (id, chat_id, message_id, owner_id, kind, name, file_path, file_name, mime_type, file_size, sha256)
        select gen_random_uuid(), ${chatId}, gen_random_uuid(), ${ann.id}, 'file', ${`uploads/2026/01/15/${'b'.repeat(22)}`},
          ${`uploads/2026/01/15/${'b'.repeat(22)}.bin`}, 'f', 'application/octet-stream', 1, 'x'`
      await Bun.write(join(dataDir, `media/uploads/2026/01/15/${'b'.repeat(22)}.bin`), 'x')
      await sql`update media set created_at = created_at - interval '2 days'`
      const log = createLog('error')
      const work = createWork(join(dataDir, 'media/work'), log)
      const retention = createRetention({ db, storage, work })
      expect(await retention.clear({ now: new Date(Date.now() + 2 * DAY_MS) })).toBe(true)
    })
    const messages = await readMedia()
    const wanted = messages.flatMap(({ path, thumbnail }) => (thumbnail ? [path, thumbnail] : [path]))
    expect(messages.length).toBeGreaterThan(3)
    expect(await listFiles('uploads')).toEqual(wanted.sort())
    expect(await listFiles('work')).toEqual([])
    const rows = await withDatabase(({ sql }) => sql`select file_path from media`)
    expect(rows.map(({ file_path }) => file_path).sort()).toEqual(messages.map(({ path }) => path).sort())
  }, 60_000)
})

describe('an upload in pieces', () => {
  it('goes on where it was when the server is back, by a client that only tries again', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(65_536))
    const file = Buffer.concat(Array.from({ length: 320 }, () => bytes))
    const begin = { 'upload-length': String(file.byteLength), 'upload-metadata': `chat_id ${btoa(chatId)}` }
    const { body: begun } = await request(`${server.url}/api/v1/uploads`, 'POST', ann.token, undefined, begin)
    const headers = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' }
    const length = { 'content-length': String(file.byteLength) }
    const half = await openRaw(ann, `/uploads/${begun.id}`, { ...headers, ...length }, 'PATCH')
    await half.write(file.subarray(0, 10_000_000))
    await until(async () => (await ann.get(`/uploads/${begun.id}`)).body.offset >= 8 * 1024 * 1024, 'two pieces')
    await server.killAll()

    const sentFrom: number[] = []
    const isDone = new Promise<void>((resolve, reject) => {
      const upload = new Upload(file, {
        uploadUrl: `${server.url}/api/v1/uploads/${begun.id}`,
        headers: { authorization: `Bearer ${ann.token}` },
        retryDelays: Array.from({ length: 200 }, () => 200),
        onBeforeRequest: (one) => {
          if (one.getMethod() === 'PATCH') sentFrom.push(Number(one.getHeader('Upload-Offset')))
        },
        onError: reject,
        onSuccess: () => resolve(),
      })
      upload.start()
    })
    server = await startProcess(dataDir, settings)
    await isDone
    expect(sentFrom[0]).toBeGreaterThanOrEqual(8 * 1024 * 1024)
    const { body } = await ann.get(`/uploads/${begun.id}`)
    expect(body).toMatchObject({ offset: file.byteLength, message: { id: begun.id, media: { file_name: 'file' } } })
    expect(Buffer.from(await Bun.file(join(dataDir, 'media', body.message.media_url)).bytes()).equals(file)).toBe(true)
    await until(async () => (await listFiles('pieces')).length === 0, 'no pieces')
  }, 60_000)
})
