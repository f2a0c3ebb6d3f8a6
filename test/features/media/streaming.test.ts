/** Files on their way out: what slow, vanished and many readers cost. */

import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { readdir, readlink } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import type { NewMediaRow } from '../../../src/features/media/store.ts'
import type { TestUser } from '../../support/client.ts'
import { s3Failure, startS3, type TestS3 } from '../../support/s3-server.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { sendFile } from './support.ts'

const BYTES = 48 * 1024 * 1024

interface SlowReader {
  socket: Socket
  /** Of the answer, so far. */
  received(): number
}

/** Asks for a file, reads the first bytes of the answer and then nothing more, until it is resumed. */
async function openSlowly({ url }: TestServer, { token }: TestUser, path: string): Promise<SlowReader> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.write(`GET /api/v1/media/${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\n\r\n`)
  let bytes = 0
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      if (bytes === 0) socket.pause()
      bytes += chunk.length
      resolve()
    })
  })
  return { socket, received: () => bytes }
}

/** How often this process has the file open. */
async function countOpen(path: string): Promise<number> {
  const names = await readdir('/proc/self/fd')
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return targets.filter((target) => target.endsWith(path)).length
}

describe('from the disk', () => {
  let server: TestServer
  let ann: TestUser
  let file: NewMediaRow
  beforeAll(async () => {
    server = await startServer()
    ann = await server.addUser()
    file = await sendFile(server, ann, await server.addDm(ann, await server.addUser()), new Uint8Array(BYTES).fill(7))
  })
  afterAll(() => server.stop())

  it('a file is not in memory, however many do not read it', async () => {
    Bun.gc(true)
    const before = process.memoryUsage.rss()
    const readers = await Promise.all(Array.from({ length: 20 }, () => openSlowly(server, ann, file.filePath)))
    await Bun.sleep(300)
    const grown = process.memoryUsage.rss() - before
    // All of it for each would be 960 MB.
    expect(grown).toBeLessThan(100 * 1024 * 1024)
    expect(await countOpen(file.filePath)).toBeGreaterThan(0)
    for (const { socket } of readers) socket.destroy()
    await until(async () => (await countOpen(file.filePath)) === 0)
  })

  it('a slow reader gets all of it in the end', async () => {
    const { socket, received } = await openSlowly(server, ann, file.filePath)
    await Bun.sleep(200)
    expect(received()).toBeLessThan(BYTES / 2)
    socket.resume()
    await until(() => received() > BYTES)
    socket.destroy()
  })
})

describe('from a service', () => {
  let s3: TestS3
  let server: TestServer
  let ann: TestUser
  let chatId: string
  let file: NewMediaRow
  beforeAll(async () => {
    s3 = startS3()
    const { accessKeyId, secretAccessKey, region } = s3.credentials
    server = await startServer({
      MEDIA_STORAGE: 's3',
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: s3.bucket,
      S3_REGION: region,
      S3_ACCESS_KEY_ID: accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
    })
    ann = await server.addUser()
    chatId = await server.addDm(ann, await server.addUser())
    file = await sendFile(server, ann, chatId)
    await putObject(file.filePath, new Uint8Array(BYTES).fill(7))
  })
  afterAll(async () => {
    await server.stop()
    await s3.stop()
  })
  const putObject = (key: string, bytes: Uint8Array) =>
    new Bun.S3Client({ ...s3.credentials, endpoint: s3.endpoint, bucket: s3.bucket }).write(key, bytes)
  const open = (headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${server.url}/api/v1/media/${file.filePath}`, {
      method,
      headers: { authorization: `Bearer ${ann.token}`, ...headers },
    })
  const countReads = () => s3.requests.filter(({ operation }) => operation === 'GetObject').length

  it('a file comes through this server, whole and in parts', async () => {
    const whole = await open()
    expect(whole.status).toBe(200)
    expect((await whole.arrayBuffer()).byteLength).toBe(BYTES)
    const part = await open({ range: 'bytes=1000000-2000000' })
    expect(part.status).toBe(206)
    expect((await part.arrayBuffer()).byteLength).toBe(1_000_001)
    s3.requests.length = 0
    const head = await open({}, 'HEAD')
    expect(head.headers.get('content-length')).toBe(String(BYTES))
    expect((await open({ 'if-none-match': '*' })).status).toBe(304)
    expect(countReads()).toBe(0)
  })

  it('no more is fetched than its reader takes, and nothing for one that has gone', async () => {
    s3.requests.length = 0
    const { socket } = await openSlowly(server, ann, file.filePath)
    let reads = 0
    const isAtRest = async () => {
      const before = reads
      reads = countReads()
      if (reads === before) await Bun.sleep(300)
      return reads > 0 && reads === before && reads === countReads()
    }
    await until(isAtRest)
    // What fits the sockets' buffers has been sent: not all 96 parts.
    expect(reads).toBeLessThan(40)
    socket.destroy()
    await Bun.sleep(300)
    expect(countReads()).toBeLessThanOrEqual(reads + 1)
  })

  it('is a clear 503 while it does not answer, and the chat goes on', async () => {
    s3.intercept = () => s3Failure('SlowDown')
    const { status, body } = await ann.get(`/media/${file.filePath}`)
    expect({ status, body }).toEqual({
      status: 503,
      body: { error: 'The storage of files is away; try again', details: { retry_after: 1 } },
    })
    expect((await ann.post('/messages', { chat_id: chatId, content: 'still here' })).status).toBe(201)
    s3.intercept = undefined
    expect((await open({ range: 'bytes=0-1' })).status).toBe(206)
  })

  it('ends an answer that it cannot go on with, so that nobody takes a part for the whole', async () => {
    let reads = 0
    s3.intercept = ({ operation }) =>
      operation === 'GetObject' && ++reads > 3 ? s3Failure('InternalError') : undefined
    const response = await open()
    const received = await response.arrayBuffer().then(
      ({ byteLength }) => byteLength,
      () => -1,
    )
    expect(received).not.toBe(BYTES)
    s3.intercept = undefined
    expect((await (await open()).arrayBuffer()).byteLength).toBe(BYTES)
  })

  it('tells the health of the server, which serves all the same', async () => {
    const ready = async () => (await fetch(`${server.url}/health/ready`)).json()
    expect(await ready()).toMatchObject({ status: 'ready', parts: { storage: 'ok' } })
  })
})
