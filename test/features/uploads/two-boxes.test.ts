/** Two instances on machines of their own, which share a service for files and no disk. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'bun:test'
import { type Answer, request, type TestUser } from '../../support/client.ts'
import { createDatabase } from '../../support/postgres.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { s3Failure, startS3, type TestS3 } from '../../support/s3-server.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { bytesOf, listFiles, type Part, upload } from './support.ts'

let redis: TestRedis
let s3: TestS3
let here: TestServer
let there: TestServer
let ann: TestUser
let annThere: TestUser
let chatId: string
beforeAll(async () => {
  redis = await startRedis()
  s3 = startS3()
  const settings = {
    DATABASE_URL: await createDatabase(),
    REDIS_URL: redis.url,
    MEDIA_STORAGE: 's3',
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: s3.bucket,
    S3_REGION: s3.credentials.region,
    S3_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
  }
  here = await startServer(settings, { instances: 1 })
  there = await startServer(settings, { instances: 1 })
  ann = await here.addUser()
  annThere = ann.at(there.url)
  chatId = await here.addGroup(ann)
})
afterEach(() => {
  s3.intercept = undefined
})
afterAll(async () => {
  await here.stop()
  await there.stop()
  await s3.stop()
  await redis.stop()
})

const noise = crypto.getRandomValues(new Uint8Array(65_536))
const file = Buffer.concat(Array.from({ length: 96 }, () => noise))
const begin = async (user: TestUser): Promise<string> => {
  const headers = { 'upload-length': String(file.byteLength), 'upload-metadata': `chat_id ${btoa(chatId)}` }
  return (await request(`${user.serverUrl}/api/v1/uploads`, 'POST', user.token, undefined, headers)).body.id
}
const send = (user: TestUser, id: string, start: number, end: number): Promise<Answer> =>
  request(`${user.serverUrl}/api/v1/uploads/${id}`, 'PATCH', user.token, new Blob([file.subarray(start, end)]), {
    'content-type': 'application/offset+octet-stream',
    'upload-offset': String(start),
  })
const half = 5_000_000
/** What is there but the files of messages: in the service, and on the disks. */
const leftOver = async () => [
  ...[...s3.objects.keys()].filter((key) => !key.startsWith('uploads/')),
  ...(await listFiles(here)),
  ...(await listFiles(there)),
]
const isOut = () => {
  s3.intercept = ({ operation }) =>
    operation === 'DeleteObjects' || operation === 'DeleteObject' ? undefined : s3Failure('InternalError')
}

describe('with files in a service', () => {
  it('an upload in pieces goes on at the other machine', async () => {
    const id = await begin(ann)
    expect((await send(ann, id, 0, half)).status).toBe(204)
    expect([...s3.objects.keys()].filter((key) => key.startsWith(`pieces/${id}`))).toHaveLength(2)
    expect((await annThere.get(`/uploads/${id}`)).body.offset).toBe(half)
    expect((await send(annThere, id, half, file.byteLength)).status).toBe(204)
    const { message } = (await ann.get(`/uploads/${id}`)).body
    expect(message.id).toBe(id)
    expect(s3.objects.get(message.media_url)?.bytes.equals(file)).toBe(true)
    expect(await leftOver()).toEqual([])
  })

  it('a repeat at the other machine keeps no second file', async () => {
    const parts: Part[] = [
      ['chat_id', chatId],
      ['file', bytesOf('hello'), 'a.txt'],
      ['client_id', 'key'],
    ]
    const first = await upload(ann, ...parts)
    expect(first.status).toBe(201)
    const count = s3.objects.size
    expect((await upload(annThere, ...parts)).body).toEqual(first.body)
    expect(s3.objects.size).toBe(count)
    expect(await leftOver()).toEqual([])
  })

  it('a form is refused while the service is away, and leaves nothing', async () => {
    const before = [...s3.objects.keys()]
    isOut()
    const { status, headers } = await upload(ann, ['chat_id', chatId], ['file', bytesOf('hello'), 'a.txt'])
    expect(status).toBe(503)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    s3.intercept = undefined
    expect([...s3.objects.keys()]).toEqual(before)
    expect(await leftOver()).toEqual([])
  })

  it('the last byte of an upload in pieces may come again when the service was away', async () => {
    const id = await begin(ann)
    await send(ann, id, 0, half)
    // The pieces are read, and the whole finds no place.
    s3.intercept = ({ operation, key }) =>
      key.startsWith('uploads/') && operation !== 'DeleteObject' ? s3Failure('InternalError') : undefined
    expect((await send(ann, id, half, file.byteLength)).status).toBe(503)
    const { body } = await ann.get(`/uploads/${id}`)
    expect(body).toMatchObject({ offset: file.byteLength - 1, message: null })
    s3.intercept = undefined
    expect((await send(annThere, id, file.byteLength - 1, file.byteLength)).status).toBe(204)
    const { message } = (await ann.get(`/uploads/${id}`)).body
    expect(s3.objects.get(message.media_url)?.bytes.equals(file)).toBe(true)
    expect(await leftOver()).toEqual([])
  })
})
