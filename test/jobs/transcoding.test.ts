/** Videos from the upload to the finished file, and all that may come between. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'bun:test'
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import type { BusMessage } from '../../src/bus/bus.ts'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { openStorage } from '../../src/commands/parts.ts'
import { loadConfig } from '../../src/config.ts'
import { media } from '../../src/db/schema/index.ts'
import { locateFfmpeg } from '../../src/features/media/ffmpeg.ts'
import type { Films } from '../../src/features/media/films.ts'
import { newName } from '../../src/features/media/names.ts'
import { findMedia } from '../../src/features/media/store.ts'
import { createUnmade } from '../../src/features/media/unmade.ts'
import { createWork } from '../../src/features/media/work.ts'
import { createWorkshop, type Workshop } from '../../src/features/media/workshop.ts'
import { createMessages } from '../../src/features/messages/service.ts'
import { createTranscoding } from '../../src/jobs/transcoding.ts'
import { createLog } from '../../src/observability/log.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { run } from '../commands/process.ts'
import { hasPlace, makeCorpus } from '../features/media/film-corpus.ts'
import { addMedia } from '../features/media/support.ts'
import { startAppServer } from '../realtime/app-server.ts'
import type { Json, TestUser } from '../support/client.ts'
import { createDatabase } from '../support/postgres.ts'
import { startServer, TEST_SECRET, type TestServer } from '../support/server.ts'

let server: TestServer
let [ann, ben]: TestUser[] = []
let chatId: string
let folder: string
let corpus: Record<'mp4' | 'large' | 'webm' | 'voice', string>
let storage: Storage
let workshop: Workshop
beforeAll(async () => {
  server = await startServer()
  folder = await mkdtemp(join(tmpdir(), 'messenger-transcoding-'))
  corpus = await makeCorpus(folder, ['mp4', 'large', 'webm', 'voice'])
  storage = await openStorage(server.config, createLog('error'))
  workshop = createWorkshop({ ffmpeg: await locateFfmpeg(undefined), config: loadConfig({}) })
}, 60_000)
afterAll(async () => {
  await workshop.images.close()
  await server.stop()
  await rm(folder, { recursive: true })
})
beforeEach(async () => {
  await server.database.db.delete(media)
  ann = await server.addUser()
  ben = await server.addUser()
  chatId = await server.addDm(ann, ben)
})

const user = (one: TestUser | undefined): TestUser => {
  if (!one) throw new Error('No user yet')
  return one
}

async function upload(path: string, name = 'film.mp4'): Promise<Json> {
  const form = new FormData()
  form.set('chat_id', chatId)
  form.set('file', new File([await Bun.file(path).bytes()], name))
  const headers = { authorization: `Bearer ${user(ann).token}` }
  const response = await fetch(`${server.url}/api/v1/messages/upload`, { method: 'POST', headers, body: form })
  expect(response.status).toBe(201)
  return response.json()
}
const open = (one: TestUser | undefined, path: string) =>
  fetch(`${server.url}/api/v1/media/${path}`, { headers: { authorization: `Bearer ${user(one).token}` } })

describe('a video that is sent', () => {
  it('is told of at once, made, and then there for everybody', async () => {
    const [annSocket, benSocket] = [await user(ann).socket(), await user(ben).socket()]
    const { message } = await upload(corpus.large)
    expect(message).toMatchObject({ message_type: 'video', media: { status: 'processing', mime_type: 'video/mp4' } })
    expect(message.media).toMatchObject({ width: 1920, height: 1080, waveform: null })
    expect((await open(ben, message.media.thumbnail)).status).toBe(200)

    const updated = await benSocket.next('message_updated', () => true, 30_000)
    expect(updated).toMatchObject({ message_id: message.id, rev: 1 })
    const made = updated.message.media
    expect(made).toMatchObject({ status: 'ready', width: 1280, height: 720, compressed: true, file_name: 'film.mp4' })
    expect(updated.message.media_url).toBe(made.file_path)
    expect(made.thumbnail).toBe(message.media.thumbnail)
    const answer = await open(ben, made.file_path)
    const bytes = await answer.bytes()
    expect([answer.status, answer.headers.get('content-type'), bytes.length]).toEqual([
      200,
      'video/mp4',
      made.file_size,
    ])
    expect(hasPlace(bytes)).toBe(false)

    expect(await annSocket.next('media_progress')).toMatchObject({ chat_id: chatId, message_id: message.id })
    await annSocket.next('message_updated')
    expect(benSocket.frames.filter(({ type }) => type === 'media_progress')).toEqual([])
    const [row] = await server.database.db.select().from(media)
    expect(row).toMatchObject({
      originalPath: null,
      claimedUntil: null,
      filePath: made.file_path,
      fileSize: made.file_size,
    })
    const names = await readdir(join(server.config.DATA_DIR, 'media', 'uploads'), { recursive: true })
    expect(names.filter((name) => name.includes('_original'))).toEqual([])
    for (const socket of [annSocket, benSocket]) socket.ws.close()
  })

  it('is a sound that is there at once, when it is short', async () => {
    const { message } = await upload(corpus.voice, 'voice.ogg')
    expect(message).toMatchObject({ message_type: 'audio', media: { status: 'ready', mime_type: 'audio/mp4' } })
    expect(message.media.waveform).toHaveLength(64)
    const answer = await open(ben, message.media.file_path)
    expect([answer.status, hasPlace(await answer.bytes())]).toEqual([200, false])
  })
})

describe('a server without ffmpeg', () => {
  it('serves what was sent at once, and says what it lacks', async () => {
    const bare = await startAppServer(server)
    const form = new FormData()
    form.set('chat_id', chatId)
    form.set('file', new File([await Bun.file(corpus.mp4).bytes()], 'film.mp4'))
    const here = bare.here(user(ann))
    const headers = { authorization: `Bearer ${here.token}` }
    const response = await fetch(`${here.serverUrl}/api/v1/messages/upload`, { method: 'POST', headers, body: form })
    const { message }: Json = await response.json()
    expect(message).toMatchObject({ message_type: 'video', media: { status: 'ready', mime_type: 'video/mp4' } })
    expect((await open(ben, message.media_url)).headers.get('content-type')).toBe('video/mp4')
    const health: Json = await (await fetch(`${here.serverUrl}/health/ready`)).json()
    expect(health).toMatchObject({ status: 'ready', parts: { ffmpeg: 'missing' } })
    await bare.stop()
  })

  it('does not start when it is told of one that is none', async () => {
    const { code, out } = await run(['serve'], {
      FFMPEG_PATH: '/nowhere/ffmpeg',
      DATABASE_URL: await createDatabase(),
      DATA_DIR: folder,
      JWT_SECRET: TEST_SECRET,
      REDIS_URL: '',
    })
    expect([code, out]).toEqual([1, expect.stringContaining('FFMPEG_PATH')])
  })
})

/** A job of its own, on the database and the storage of the server, whose own job knows nothing of what is put there. */
function startJob({ films = workshop.films, holdEveryMs = 5000 }: { films?: Films | null; holdEveryMs?: number } = {}) {
  const { db } = server.database
  const log = createLog('error')
  const bus = createMemoryBus(log)
  const published: BusMessage[] = []
  const work = createWork(join(folder, 'work'), log)
  const never = () => Promise.reject(new Error('not in this test'))
  const messages = createMessages({
    db,
    bus: { ...bus, publish: (batch: readonly BusMessage[]) => void published.push(...batch) },
    cache: { get: never, set: never, forget: never },
    writer: { send: never, drained: never },
    limiter: { hit: () => 0 },
    sendLimit: undefined,
    onChanged: () => undefined,
    releaseMedia: never,
  } as unknown as Parameters<typeof createMessages>[0])
  const unmade = createUnmade({ db, storage, work, films: films ?? undefined })
  const told: string[] = []
  const job = createTranscoding({
    unmade,
    messages,
    maxHeightOf: async () => 720,
    bus: { ...bus, publish: (batch) => told.push(...batch.map(({ payload }) => payload)) },
    log,
    holdEveryMs,
  })
  return { job, unmade, published, told }
}

/** A message whose video is still to be made from `source`. */
async function addUnmade(source: string, claim: { attempts?: number; claimedUntil?: Date | null } = {}) {
  const { body: message } = await user(ann).post('/messages', { chat_id: chatId, content: 'Look' })
  const name = newName()
  const [filePath, originalPath] = [`${name}.mp4`, `${name}_original.mov`]
  const copy = join(folder, Bun.randomUUIDv7())
  await copyFile(source, copy)
  const fileSize = Bun.file(copy).size
  await storage.put(originalPath, copy, 'video/mp4')
  const row = {
    chatId,
    messageId: message.id,
    name,
    filePath,
    originalPath,
    fileSize,
    kind: 'video',
    mimeType: 'video/mp4',
  } as const
  const { id } = await addMedia(server.database.db, user(ann).id, row)
  await server.database.db
    .update(media)
    .set({ claimedUntil: null, ...claim })
    .where(eq(media.id, id))
  const json = {
    file_path: filePath,
    thumbnail: null,
    file_name: 'film.mov',
    file_size: fileSize,
    mime_type: 'video/mp4',
    width: 1,
    height: 1,
    duration: 1,
    preview: null,
    waveform: null,
    compressed: true,
    status: 'processing',
  }
  await server.database.sql`update messages set message_type = 'video', media_url = ${filePath},
    media = ${JSON.stringify(json)}::jsonb where id = ${message.id}`
  return { id, messageId: String(message.id), filePath, originalPath }
}
async function messageOf(id: string): Promise<Json> {
  const { body } = await user(ben).get(`/chats/${chatId}/messages`)
  return body.messages.find((one: Json) => one.id === id)
}
const isThere = async (key: string) => (await storage.open(key)) !== undefined
const rowOf = (id: string) => findMedia(server.database.db, id)

describe('a video that was left', () => {
  it('by one who died over it, is made by the next', async () => {
    const { id, messageId, filePath, originalPath } = await addUnmade(corpus.mp4, {
      attempts: 1,
      claimedUntil: new Date(Date.now() - 1000),
    })
    await startJob().job.run()
    expect(await messageOf(messageId)).toMatchObject({ message_type: 'video', media: { status: 'ready', width: 320 } })
    expect(await rowOf(id)).toMatchObject({ originalPath: null, attempts: 2 })
    expect([await isThere(filePath), await isThere(originalPath)]).toEqual([true, false])
  })

  it('is not touched while somebody is at it', async () => {
    const { id } = await addUnmade(corpus.mp4, { attempts: 1, claimedUntil: new Date(Date.now() + 60_000) })
    await startJob().job.run()
    expect(await rowOf(id)).toMatchObject({ attempts: 1, originalPath: expect.any(String) })
  })

  it('by one who died with the file stored but not told of, is made again', async () => {
    const { id, messageId, filePath } = await addUnmade(corpus.mp4)
    const dying = startJob()
    const claim = await dying.unmade.claim()
    if (!claim) throw new Error('Nothing to claim')
    await dying.unmade.make(claim, { videoMaxHeight: 720 })
    expect((await open(ben, filePath)).status).toBe(404)
    await server.database.db.update(media).set({ claimedUntil: new Date(0) })
    await startJob().job.run()
    expect(await rowOf(id)).toMatchObject({ originalPath: null, attempts: 2 })
    expect(await messageOf(messageId)).toMatchObject({ media: { status: 'ready' } })
    expect((await open(ben, filePath)).status).toBe(200)
  })

  it('by one who lost it to another, is told of by the other alone', async () => {
    const { id, filePath } = await addUnmade(corpus.mp4)
    let other: ReturnType<typeof startJob> | undefined
    const films = {
      ...workshop.films,
      async transcode(path, options) {
        const made = await workshop.films?.transcode(path, options)
        await server.database.db.update(media).set({ claimedUntil: new Date(0) })
        other = startJob()
        await other.job.run()
        return made
      },
    } as Films
    const late = startJob({ films })
    await late.job.run()
    expect([late.published.length, other?.published.length]).toEqual([0, 1])
    expect(await rowOf(id)).toMatchObject({ originalPath: null, attempts: 2 })
    expect(await isThere(filePath)).toBe(true)
  })

  it('is made once, whoever asks for it at the same time', async () => {
    const ids = [await addUnmade(corpus.mp4), await addUnmade(corpus.webm)]
    const jobs = [startJob(), startJob(), startJob()]
    await Promise.all(jobs.flatMap(({ job }) => [job.run(), job.run()]))
    for (const { id } of ids) expect(await rowOf(id)).toMatchObject({ originalPath: null, attempts: 1 })
    expect(jobs.flatMap(({ published }) => published)).toHaveLength(2)
  })
})

describe('a video that cannot be made', () => {
  it('is a file to be saved after three tries, as it was sent', async () => {
    const broken = join(folder, 'broken')
    await Bun.write(broken, (await Bun.file(corpus.large).bytes()).slice(0, 2000))
    const { id, messageId, originalPath } = await addUnmade(broken)
    const { job, published } = startJob()
    await job.run()
    const message = await messageOf(messageId)
    expect(message).toMatchObject({ message_type: 'file', media_url: originalPath })
    expect(message.media).toMatchObject({ status: 'ready', mime_type: 'application/octet-stream', file_size: 2000 })
    expect(published).toHaveLength(1)
    expect(await rowOf(id)).toMatchObject({ kind: 'file', attempts: 3, originalPath: null, filePath: originalPath })
    const answer = await open(ben, originalPath)
    expect([answer.status, (await answer.bytes()).length]).toEqual([200, 2000])
    expect(answer.headers.get('content-disposition')).toStartWith('attachment')
  })

  it('is one that took three servers with it, too', async () => {
    const { messageId } = await addUnmade(corpus.mp4, { attempts: 3, claimedUntil: new Date(0) })
    const films = { ...workshop.films, transcode: () => Promise.reject(new Error('It was tried again')) } as Films
    await startJob({ films }).job.run()
    expect(await messageOf(messageId)).toMatchObject({ message_type: 'file', media: { status: 'ready' } })
  })

  it('is every one where ffmpeg is gone', async () => {
    const { messageId } = await addUnmade(corpus.mp4)
    await startJob({ films: null }).job.run()
    expect(await messageOf(messageId)).toMatchObject({ message_type: 'file', media: { status: 'ready' } })
  })

  it('is tried again later when that was not its fault', async () => {
    const { id, originalPath } = await addUnmade(corpus.mp4)
    const films = { ...workshop.films, transcode: () => Promise.reject(new Error('the disk is full')) } as Films
    await startJob({ films }).job.run()
    const row = await rowOf(id)
    expect(row).toMatchObject({ attempts: 1, originalPath })
    expect(row?.claimedUntil?.getTime()).toBeGreaterThan(Date.now())
  })
})

describe('work on a video', () => {
  /** Films that take until they are ended. */
  const endless = () => {
    const started = Promise.withResolvers<void>()
    const films = {
      ...workshop.films,
      transcode: (path, options) => {
        started.resolve()
        const looping = { ...options, onProgress: undefined }
        return new Promise((_, reject) => {
          looping.signal?.addEventListener('abort', () => workshop.films?.transcode(path, looping).catch(reject))
        })
      },
    } as Films
    return { films, started: started.promise }
  }

  it('ends when its message is deleted, and leaves nothing', async () => {
    const { id, messageId, filePath } = await addUnmade(corpus.mp4)
    const { films, started } = endless()
    const running = startJob({ films, holdEveryMs: 20 }).job.run()
    await started
    expect((await user(ann).delete(`/chats/${chatId}/messages/${messageId}`)).status).toBe(200)
    await running
    expect(await rowOf(id)).toMatchObject({ releasedAt: expect.any(Date) })
    expect(await isThere(filePath)).toBe(false)
    expect(await readdir(join(folder, 'work'))).toEqual([])
  })

  it('is in vain when its message is deleted at its end', async () => {
    const { messageId, filePath } = await addUnmade(corpus.mp4)
    const films = {
      ...workshop.films,
      async transcode(path, options) {
        const made = await workshop.films?.transcode(path, options)
        await user(ann).delete(`/chats/${chatId}/messages/${messageId}`)
        return made
      },
    } as Films
    const { job, published } = startJob({ films })
    await job.run()
    expect(published).toEqual([])
    expect(await isThere(filePath)).toBe(false)
    expect(await messageOf(messageId)).toMatchObject({ media: null, deleted_at: expect.any(String) })
  })

  it('is given back when the server stops, and counts for nothing', async () => {
    const { id, originalPath } = await addUnmade(corpus.mp4)
    const { films, started } = endless()
    const { job } = startJob({ films })
    const running = job.run()
    await started
    await job.stop()
    await running
    expect(await rowOf(id)).toMatchObject({ attempts: 0, claimedUntil: null, originalPath })
    await job.run()
    expect(await rowOf(id)).toMatchObject({ attempts: 0 })
    await startJob().job.run()
    expect(await rowOf(id)).toMatchObject({ attempts: 1, originalPath: null })
  })

  it('tells its sender at most once a second', async () => {
    await addUnmade(corpus.mp4)
    const films = {
      ...workshop.films,
      transcode: (path, options) => {
        for (let percent = 0; percent < 100; percent++) options.onProgress?.(percent)
        return workshop.films?.transcode(path, { ...options, onProgress: undefined })
      },
    } as Films
    const { job, told } = startJob({ films })
    await job.run()
    expect(told.map((payload) => JSON.parse(payload).percent)).toEqual([0])
  })
})
