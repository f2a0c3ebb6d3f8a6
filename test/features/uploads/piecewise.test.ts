import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { createHash } from 'node:crypto'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { Upload } from 'tus-js-client'
import { openStorage } from '../../../src/commands/parts.ts'
import { createPieces } from '../../../src/features/uploads/pieces.ts'
import { createLog } from '../../../src/observability/log.ts'
import { type Answer, request, type TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { bytesOf, leavesNothing, listFiles, openRaw, readAll } from './support.ts'

const MEBIBYTE = 1024 * 1024
let server: TestServer
let ann: TestUser
let ben: TestUser
let chatId: string
beforeAll(async () => {
  server = await startServer({}, { instances: 2 })
  ann = await server.addUser()
  ben = await server.addUser()
  chatId = await server.addGroup(ann, ben)
})
afterAll(() => server.stop())

const TYPE = { 'content-type': 'application/offset+octet-stream' }
const noise = (bytes: number) => {
  const block = crypto.getRandomValues(new Uint8Array(65_536))
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / block.length) }, () => block)).subarray(0, bytes)
}
const encode = (metadata: Record<string, string>) =>
  Object.entries(metadata)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',')
const begin = (user: TestUser, size: number, metadata: Record<string, string> = {}, headers = {}) =>
  request(`${user.serverUrl}/api/v1/uploads`, 'POST', user.token, undefined, {
    'upload-length': String(size),
    'upload-metadata': encode({ chat_id: chatId, ...metadata }),
    ...headers,
  })
const send = (user: TestUser, id: string, offset: number, bytes: Uint8Array, headers = {}): Promise<Answer> =>
  request(`${user.serverUrl}/api/v1/uploads/${id}`, 'PATCH', user.token, new Blob([bytes]), {
    ...TYPE,
    'upload-offset': String(offset),
    ...headers,
  })
const at = (user: TestUser, instance: number) => user.at(String(server.instanceUrls[instance]))
const stateOf = async (user: TestUser, id: string) => (await user.get(`/uploads/${id}`)).body
const readFile = (path: string) => Bun.file(join(server.config.DATA_DIR, 'media', path)).bytes()

describe('a client of the protocol', () => {
  it.each([Number.POSITIVE_INFINITY, 3 * MEBIBYTE, 100_000])('uploads in requests of %d bytes', async (chunkSize) => {
    const file = noise(9 * MEBIBYTE + 17)
    const socket = await ben.socket()
    const url = await new Promise<string>((resolve, reject) => {
      const upload = new Upload(file, {
        endpoint: `${server.url}/api/v1/uploads`,
        chunkSize,
        metadata: { chat_id: chatId, filename: 'Urlaub am Meer/ä.bin', content: 'Sieh mal: 漢字' },
        headers: { authorization: `Bearer ${ann.token}` },
        onError: reject,
        onSuccess: () => resolve(String(upload.url)),
      })
      upload.start()
    })
    const { message } = await socket.next('new_message')
    const { status, body } = await request(url, 'GET', ann.token)
    expect(status).toBe(200)
    expect(body).toEqual({
      id: message.id,
      chat_id: chatId,
      file_name: 'ä.bin',
      size: file.byteLength,
      offset: file.byteLength,
      expires_at: expect.any(String),
      message,
    })
    expect(message).toMatchObject({
      sender_id: ann.id,
      content: 'Sieh mal: 漢字',
      message_type: 'file',
      client_id: null,
    })
    expect(Buffer.from(await readFile(message.media_url)).equals(file)).toBe(true)
    const [row] = await server.database.sql`select sha256 from media where message_id = ${message.id}`
    expect(row?.sha256).toBe(createHash('sha256').update(file).digest('hex'))
    await until(async () => (await listFiles(server)).every((path) => path.startsWith('uploads/')), 'no pieces')
    await socket.close()
  })
})

describe('an upload', () => {
  it('goes on at another instance, and counts its last byte when the message is there', async () => {
    const file = noise(200_000)
    const { status, body, headers } = await begin(at(ann, 0), file.byteLength, { client_id: 'both' })
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`/api/v1/uploads/${body.id}`)
    expect(headers.get('tus-resumable')).toBe('1.0.0')
    expect(new Date(String(headers.get('upload-expires'))).getTime()).toBeGreaterThan(Date.now() + 23 * 3600 * 1000)
    const first = await send(at(ann, 0), body.id, 0, file.subarray(0, 100_000))
    expect(first).toMatchObject({ status: 204, body: '' })
    expect(first.headers.get('upload-offset')).toBe('100000')
    const head = await request(`${server.instanceUrls[1]}/api/v1/uploads/${body.id}`, 'HEAD', ann.token)
    expect(head.status).toBe(200)
    expect(head.headers.get('upload-offset')).toBe('100000')
    expect(head.headers.get('upload-length')).toBe('200000')
    expect(head.headers.get('cache-control')).toBe('no-store')
    expect((await stateOf(ann, body.id)).message).toBeNull()
    const last = await send(at(ann, 1), body.id, 100_000, file.subarray(100_000))
    expect(last.headers.get('upload-offset')).toBe('200000')
    const { message } = await stateOf(at(ann, 0), body.id)
    expect(message).toMatchObject({ id: body.id, client_id: 'both' })
    expect(Buffer.from(await readFile(message.media_url)).equals(file)).toBe(true)
    // A repeat of the last request is nothing new.
    expect((await send(ann, body.id, 200_000, new Uint8Array(0))).status).toBe(204)
    expect((await send(ann, body.id, 100_000, file.subarray(100_000))).status).toBe(409)
  })

  it('keeps what came before the connection broke', async () => {
    const file = noise(6 * MEBIBYTE)
    const { body } = await begin(ann, file.byteLength)
    const headers = { ...TYPE, 'upload-offset': '0', 'content-length': String(file.byteLength) }
    const raw = await openRaw(ann, `/uploads/${body.id}`, headers, 'PATCH')
    await raw.write(file.subarray(0, 5 * MEBIBYTE))
    await until(async () => (await stateOf(ann, body.id)).offset > 4 * MEBIBYTE - 1, 'a whole piece')
    raw.cut()
    await until(async () => (await stateOf(ann, body.id)).offset === 5 * MEBIBYTE, 'what came after it')
    expect((await send(ann, body.id, 5 * MEBIBYTE, file.subarray(5 * MEBIBYTE))).status).toBe(204)
    const { message } = await stateOf(ann, body.id)
    expect(Buffer.from(await readFile(message.media_url)).equals(file)).toBe(true)
  })

  it('is not mixed up by two requests at once, on one instance or two', async () => {
    const file = noise(5 * MEBIBYTE)
    const { body } = await begin(ann, file.byteLength)
    const racers = [0, 1, 0, 1].map((instance) => send(at(ann, instance), body.id, 0, file.subarray(0, 3 * MEBIBYTE)))
    const statuses = (await Promise.all(racers)).map(({ status }) => status).sort()
    expect(statuses).toEqual([204, 409, 409, 409])
    const before = await listFiles(server)
    expect(before.filter((path) => path.startsWith(`pieces/${body.id}`))).toHaveLength(1)
    const { messages } = await readAll(server)
    const ends = [0, 1, 0, 1].map((instance) =>
      send(at(ann, instance), body.id, 3 * MEBIBYTE, file.subarray(3 * MEBIBYTE)),
    )
    const ended = (await Promise.all(ends)).map(({ status }) => status)
    expect(ended.filter((status) => status === 204).length).toBeGreaterThan(0)
    expect(ended.filter((status) => status !== 204 && status !== 409)).toEqual([])
    expect((await readAll(server)).messages).toHaveLength(messages.length + 1)
    const { message } = await stateOf(ann, body.id)
    expect(Buffer.from(await readFile(message.media_url)).equals(file)).toBe(true)
    await until(async () => (await listFiles(server)).every((path) => !path.startsWith('pieces/')), 'no pieces')
  })

  it('is one message when its last byte comes to two instances, again and again', async () => {
    const { body } = await begin(ann, 11)
    // As if the server had died after the last byte, and before the message.
    const key = `pieces/${body.id}_x`
    await Bun.write(join(server.config.DATA_DIR, 'media', key), 'hello world')
    await server.database.sql`insert into upload_pieces (upload_id, start, key) values (${body.id}, 0, ${key})`
    await server.database.sql`update uploads set received = 11 where id = ${body.id}`
    expect(await stateOf(ann, body.id)).toMatchObject({ offset: 10, message: null })
    expect((await send(ann, body.id, 10, new Uint8Array(0))).headers.get('upload-offset')).toBe('10')
    const before = await readAll(server)
    const answers = await Promise.all([0, 1, 0, 1].map((n) => send(at(ann, n), body.id, 10, bytesOf('d'))))
    expect(answers.filter(({ status }) => status === 204).length).toBeGreaterThan(0)
    const after = await readAll(server)
    expect(after.messages).toHaveLength(before.messages.length + 1)
    expect(after.media).toHaveLength(before.media.length + 1)
    const { message } = await stateOf(ann, body.id)
    expect(Buffer.from(await readFile(message.media_url)).toString()).toBe('hello world')
    expect(after.files.filter((path) => path.startsWith('uploads/'))).toHaveLength(
      before.files.filter((path) => path.startsWith('uploads/')).length + 1,
    )
  })

  it('of a key that was used becomes the first message, and keeps no second file', async () => {
    const { body: first } = await begin(ann, 5, { client_id: 'twice' })
    await send(ann, first.id, 0, bytesOf('first'))
    const { message } = await stateOf(ann, first.id)
    const before = (await listFiles(server)).length
    const { body: second } = await begin(ann, 6, { client_id: 'twice' })
    expect((await send(ann, second.id, 0, bytesOf('second'))).status).toBe(204)
    expect((await stateOf(ann, second.id)).message).toEqual(message)
    expect(await listFiles(server)).toHaveLength(before)
  })

  it('that cannot be made is given up', async () => {
    const broken = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), noise(1000)])
    await leavesNothing(server, async () => {
      const { body } = await begin(ann, broken.byteLength)
      const { status, body: told } = await send(ann, body.id, 0, broken)
      expect(status).toBe(400)
      expect(Object.keys(told.details)).toEqual(['file'])
      expect((await ann.get(`/uploads/${body.id}`)).status).toBe(404)
    })
  })

  it('of somebody who was removed meanwhile becomes nothing', async () => {
    const dan = await server.addUser()
    await ann.post(`/chats/${chatId}/members`, { user_ids: [dan.id] })
    await leavesNothing(server, async () => {
      const file = noise(200_000)
      const { body } = await begin(dan, file.byteLength)
      expect((await send(dan, body.id, 0, file.subarray(0, 100_000))).status).toBe(204)
      await ann.delete(`/chats/${chatId}/members/${dan.id}`)
      expect((await send(dan, body.id, 100_000, file.subarray(100_000))).status).toBe(404)
      expect((await dan.delete(`/uploads/${body.id}`)).status).toBe(204)
    })
  })

  it('is given up by DELETE', async () => {
    await leavesNothing(server, async () => {
      const { body } = await begin(ann, 200_000)
      await send(ann, body.id, 0, noise(100_000))
      expect((await ann.delete(`/uploads/${body.id}`)).status).toBe(204)
      expect((await ann.get(`/uploads/${body.id}`)).status).toBe(404)
      expect((await ann.delete(`/uploads/${body.id}`)).status).toBe(404)
    })
  })
})

describe('what is wrong', () => {
  const faults: [string, Record<string, string>, status: number, details: object][] = [
    ['no length', { 'upload-length': '' }, 400, { 'upload-length': 'must be a whole number of bytes' }],
    ['a length that is none', { 'upload-length': '-1' }, 400, { 'upload-length': 'must be a whole number of bytes' }],
    ['a length of 0', { 'upload-length': '0' }, 400, { 'upload-length': 'must not be 0' }],
    ['a length above the limit', { 'upload-length': '52428801' }, 413, { max_bytes: 52_428_800 }],
    ['metadata that are none', { 'upload-metadata': 'chat_id ???' }, 400, { 'upload-metadata': expect.any(String) }],
    ['a key twice', { 'upload-metadata': 'a YQ==,a YQ==' }, 400, { 'upload-metadata': expect.any(String) }],
    ['no chat', { 'upload-metadata': 'filename YQ==' }, 400, { chat_id: 'must be a UUID in lower case' }],
    ['another version', { 'tus-resumable': '0.2.2' }, 412, { 'tus-resumable': 'must be 1.0.0' }],
  ]
  it.each(faults)('is told at the beginning: %s', async (_, headers, status, details) => {
    await leavesNothing(server, async () => {
      expect(await begin(ann, 10, {}, headers)).toMatchObject({ status, body: { details } })
    })
  })

  it('is told of a piece, and changes nothing', async () => {
    const { body } = await begin(ann, 300_000)
    await send(ann, body.id, 0, noise(100_000))
    const bytes = noise(100_000)
    await leavesNothing(server, async () => {
      const answers: [Answer, number, object][] = [
        [await send(ann, body.id, 0, bytes), 409, { offset: 100_000 }],
        [await send(ann, body.id, 100_001, bytes), 409, { offset: 100_000 }],
        [
          await send(ann, body.id, 100_000, bytes, { 'upload-offset': 'x' }),
          400,
          { 'upload-offset': expect.any(String) },
        ],
        [await send(ann, body.id, 100_000, bytes, { 'content-type': 'text/plain' }), 415, {}],
        [await send(ann, body.id, 100_000, bytes, { 'tus-resumable': '2' }), 412, { 'tus-resumable': 'must be 1.0.0' }],
        [await send(ann, body.id, 100_000, noise(200_001)), 413, {}],
        [await send(ann, body.id, 100_000, noise(65_535)), 400, { min_bytes: 65_536 }],
        [await send(ben, body.id, 100_000, bytes), 404, {}],
        [await send(ann, 'x', 100_000, bytes), 400, { id: 'must be a UUID in lower case' }],
      ]
      for (const [answer, status, details] of answers) expect(answer).toMatchObject({ status, body: { details } })
    })
    await ann.delete(`/uploads/${body.id}`)
  })

  it('is a body without a length that brings more than there is', async () => {
    const { body } = await begin(ann, 100_000)
    const headers = { ...TYPE, 'upload-offset': '0', 'transfer-encoding': 'chunked' }
    const raw = await openRaw(ann, `/uploads/${body.id}`, headers, 'PATCH')
    const chunk = noise(150_000)
    await raw.write(Buffer.concat([bytesOf(`${chunk.byteLength.toString(16)}\r\n`), chunk, bytesOf('\r\n0\r\n\r\n')]))
    expect(await raw.status()).toBe(413)
    raw.cut()
    expect(await stateOf(ann, body.id)).toMatchObject({ offset: 0, message: null })
    await ann.delete(`/uploads/${body.id}`)
  })

  it('is to begin more than 20', async () => {
    const cat = await server.addUser()
    const own = await server.addGroup(cat)
    const all = await Promise.all(Array.from({ length: 20 }, () => begin(cat, 10, { chat_id: own })))
    expect(all.every(({ status }) => status === 201)).toBe(true)
    expect(await begin(cat, 10, { chat_id: own })).toMatchObject({ status: 409, body: { details: { limit: 20 } } })
    await send(cat, all[0]?.body.id, 0, bytesOf('0123456789'))
    expect((await begin(cat, 10, { chat_id: own })).status).toBe(201)
  })
})

describe('the sweep', () => {
  it('removes uploads whose day is over, and pieces that belong to none, and no others', async () => {
    const [{ body: late }, { body: young }] = [await begin(ann, 300_000), await begin(ann, 300_000)]
    for (const { id } of [late, young]) await send(ann, id, 0, noise(100_000))
    const { sql, db } = server.database
    await sql`update uploads set expires_at = now() - interval '1 second' where id = ${late.id}`
    expect((await ann.get(`/uploads/${late.id}`)).status).toBe(404)
    expect((await send(ann, late.id, 100_000, noise(200_000))).status).toBe(404)
    const stray = (name: string) => join(server.config.DATA_DIR, 'media/pieces', name)
    for (const name of ['old', 'new']) await Bun.write(stray(name), 'x')
    const dayAgo = new Date(Date.now() - 26 * 3600 * 1000)
    await utimes(stray('old'), dayAgo, dayAgo)

    const log = createLog('error')
    const pieces = createPieces({ db, storage: await openStorage(server.config, log), log })
    await Promise.all([pieces.sweep(24 * 3600), pieces.sweep(24 * 3600)])
    const left = (await listFiles(server)).filter((path) => path.startsWith('pieces/'))
    expect(left).toEqual([expect.stringMatching(new RegExp(`^pieces/${young.id}_`)), 'pieces/new'])
    expect((await sql`select id from uploads where id in (${late.id}, ${young.id})`).map(({ id }) => id)).toEqual([
      young.id,
    ])
    expect((await send(ann, young.id, 100_000, noise(200_000))).status).toBe(204)
    expect((await stateOf(ann, young.id)).message).toMatchObject({ id: young.id })
  })
})
