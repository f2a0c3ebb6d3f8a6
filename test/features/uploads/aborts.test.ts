import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { request, type TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { mountSmallDisk, type SmallDisk } from '../../support/small-disk.ts'
import { until } from '../../support/until.ts'
import { FORM_TYPE, formOf, leavesNothing, listFiles, openRaw, type Part, readAll, upload } from './support.ts'

const MEBIBYTE = 1024 * 1024

describe('a connection that ends', () => {
  let server: TestServer
  let ann: TestUser
  let body: Buffer
  let picture: Buffer
  beforeAll(async () => {
    server = await startServer()
    ann = await server.addUser()
    const chat: Part = ['chat_id', await server.addGroup(ann)]
    const noise = crypto.getRandomValues(new Uint8Array(60_000))
    picture = await sharp({ create: { width: 3000, height: 3000, channels: 3, background: 'navy' } })
      .png()
      .toBuffer()
    body = formOf(chat, ['file', noise, 'a.bin'], ['file', picture, 'b.png'], ['content', 'Two files'])
  })
  afterAll(() => server.stop())

  const begin = () =>
    openRaw(ann, '/messages/upload', { 'content-type': FORM_TYPE, 'content-length': String(body.byteLength) })

  it.each([0, 10, 150, 300, 5000, 60_500, 61_000, -1000, -150, -60, -1])(
    'after so many bytes leaves nothing: %d',
    async (bytes) => {
      await leavesNothing(server, async () => {
        const request = await begin()
        await request.write(body.subarray(0, bytes))
        // What was written may be on its way to the disk.
        await Bun.sleep(20)
        request.cut()
      })
      await until(async () => (await listFiles(server)).every((path) => !path.startsWith('work/')), 'no work')
    },
  )

  it('when all of it has come is too late: the messages are there, each with its file', async () => {
    const before = await readAll(server)
    const request = await begin()
    await request.write(body)
    // It has come when it lies there whole, or is done with.
    const hasCome = async () => (await readAll(server)).media.length > before.media.length
    await until(hasCome, 'being kept')
    request.cut()
    await until(async () => (await readAll(server)).messages.length === before.messages.length + 2, 'two messages')
    const after = await readAll(server)
    for (const path of after.media) expect(after.files).toContain(path)
    await until(async () => (await listFiles(server)).every((path) => !path.startsWith('work/')), 'no work')
  })

  it('is no fault in the log', () => {
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})

describe('a disk that is full', () => {
  let disk: SmallDisk
  let server: TestServer
  let ann: TestUser
  let chat: Part
  beforeAll(async () => {
    disk = await mountSmallDisk(6 * MEBIBYTE)
    server = await startServer({ DATA_DIR: disk.path })
    ann = await server.addUser()
    chat = ['chat_id', await server.addGroup(ann)]
  })
  afterAll(async () => {
    await server.stop()
    await disk.stop()
  })
  const fileOf = (bytes: number): Part => ['file', new Uint8Array(bytes), 'zeros']
  const full = { status: 507, body: { error: 'There is no room for files on this server', details: {} } }

  it('says so, keeps nothing of the upload, and takes the next one that fits', async () => {
    await leavesNothing(server, async () => expect(await upload(ann, chat, fileOf(20 * MEBIBYTE))).toMatchObject(full))
    await leavesNothing(server, async () =>
      expect(await upload(ann, chat, fileOf(MEBIBYTE), fileOf(MEBIBYTE), fileOf(8 * MEBIBYTE))).toMatchObject(full),
    )
    expect((await upload(ann, chat, fileOf(MEBIBYTE))).status).toBe(201)
  })

  it('says so when the file has come, but what is made of it finds no room', async () => {
    const noise = crypto.getRandomValues(new Uint8Array(900 * 900 * 3))
    const picture = await sharp(noise, { raw: { width: 900, height: 900, channels: 3 } })
      .png()
      .toBuffer()
    const room = 6 * MEBIBYTE - MEBIBYTE - picture.byteLength
    await mkdir(join(disk.path, 'other'))
    await Bun.write(join(disk.path, 'other', 'filling'), new Uint8Array(room - 40_000))
    await leavesNothing(server, async () => {
      const { status } = await upload(ann, chat, ['file', picture, 'noise.png'])
      expect([503, 507]).toContain(status)
    })
  })

  it('says so while some of it is free: the database needs that', async () => {
    await Bun.write(join(disk.path, 'other', 'filling'), '')
    const { bavail, bsize } = await statfs(disk.path)
    const free = bavail * bsize
    await Bun.write(join(disk.path, 'other', 'filling'), new Uint8Array(free - 0.04 * 6 * MEBIBYTE))
    await leavesNothing(server, async () => expect(await upload(ann, chat, fileOf(1000))).toMatchObject(full))
    await Bun.write(join(disk.path, 'other', 'filling'), new Uint8Array(free - 0.1 * 6 * MEBIBYTE))
    expect((await upload(ann, chat, fileOf(1000))).status).toBe(201)
  })

  it('ends an upload in pieces no more than for now', async () => {
    await Bun.write(join(disk.path, 'other', 'filling'), '')
    const url = `${server.url}/api/v1/uploads`
    const [, chatId] = chat
    const metadata = { 'upload-length': String(8 * MEBIBYTE), 'upload-metadata': `chat_id ${btoa(String(chatId))}` }
    const { body: begun } = await request(url, 'POST', ann.token, undefined, metadata)
    const send = (offset: number, bytes: number) =>
      request(`${url}/${begun.id}`, 'PATCH', ann.token, new Blob([new Uint8Array(bytes)]), {
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(offset),
      })
    const offset = async () => (await ann.get(`/uploads/${begun.id}`)).body.offset
    expect((await send(0, 8 * MEBIBYTE)).status).toBe(507)
    // What was safe before the disk was full stays so, and the rest may come when there is room.
    const kept = await offset()
    expect(kept).toBeLessThan(8 * MEBIBYTE)
    expect((await listFiles(server)).every((path) => !path.startsWith('work/'))).toBe(true)
    expect((await ann.delete(`/uploads/${begun.id}`)).status).toBe(204)
    expect((await listFiles(server)).filter((path) => path.startsWith('pieces/'))).toEqual([])
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})
