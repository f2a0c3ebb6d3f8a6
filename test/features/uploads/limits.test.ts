import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { bytesOf, FORM_TYPE, formOf, leavesNothing, openRaw, type Part, partOf, upload } from './support.ts'

const FREE = 100_000
const PREMIUM = 200_000
let server: TestServer
let ann: TestUser
let pat: TestUser
let chatId: string
beforeAll(async () => {
  server = await startServer({ MEDIA_MAX_BYTES_FREE: String(FREE), MEDIA_MAX_BYTES_PREMIUM: String(PREMIUM) })
  ann = await server.addUser()
  pat = await server.addUser()
  await pat.post('/subscriptions/purchase', { subscription_type: 'premium_monthly' })
  chatId = await server.addGroup(ann, pat)
})
afterAll(() => server.stop())

const chat = (): Part => ['chat_id', chatId]
const fileOf = (bytes: number): Part => ['file', new Uint8Array(bytes), 'zeros']
const begin = (user: TestUser, bytes: number) =>
  openRaw(user, '/messages/upload', { 'content-type': FORM_TYPE, 'content-length': String(bytes) })

describe('a file', () => {
  it('may be as large as the tier allows, to the byte', async () => {
    expect((await upload(ann, chat(), fileOf(FREE))).status).toBe(201)
    expect((await upload(pat, chat(), fileOf(PREMIUM))).status).toBe(201)
    for (const [user, limit] of [
      [ann, FREE],
      [pat, PREMIUM],
    ] as const) {
      await leavesNothing(server, async () => {
        const { status, body } = await upload(user, chat(), fileOf(limit + 1))
        expect(status).toBe(413)
        expect(body).toEqual({ error: `A file may have at most ${limit} bytes`, details: { max_bytes: limit } })
      })
    }
  })

  it('may be as large as that each, in an album', async () => {
    const files = Array.from({ length: 10 }, () => fileOf(FREE))
    const { status, body } = await upload(ann, chat(), ...files)
    expect(status).toBe(201)
    expect(body.messages).toHaveLength(10)
  })

  it('is refused when it is too large, long before all of it has come', async () => {
    await leavesNothing(server, async () => {
      const request = await begin(ann, FREE * 10)
      await request.write(Buffer.concat([partOf(chat()), partOf(fileOf(FREE * 2))]))
      expect(await request.status()).toBe(413)
      request.cut()
    })
  })
})

describe('a body', () => {
  it('whose length is more than any form needs is not waited for', async () => {
    await leavesNothing(server, async () => {
      const request = await begin(ann, FREE * 10 + 1024 * 1024 + 1)
      expect(await request.status()).toBe(413)
      request.cut()
    })
  })

  it('of a stranger is not waited for', async () => {
    const nobody = Object.assign(await server.addUser(), { token: 'none' })
    const request = await begin(nobody, 1000)
    expect(await request.status()).toBe(401)
    request.cut()
  })

  it('for a chat one is not in is refused before its file comes', async () => {
    const stranger = await server.addUser()
    await leavesNothing(server, async () => {
      const request = await begin(stranger, FREE)
      await request.write(Buffer.concat([partOf(chat()), partOf(fileOf(1000)).subarray(0, -500)]))
      expect(await request.status()).toBe(404)
      request.cut()
    })
  })

  it('for a chat one is not in is refused, wherever the chat is named', async () => {
    const stranger = await server.addUser()
    await leavesNothing(server, async () => {
      expect(await upload(stranger, fileOf(1000), chat())).toMatchObject({
        status: 404,
        body: { error: 'Chat not found' },
      })
    })
  })
})

describe('uploads at once', () => {
  it('are four of a user; the fifth is told to wait, and taken when one has ended', async () => {
    const requests = await Promise.all(Array.from({ length: 4 }, () => begin(ann, FREE)))
    const start = Buffer.concat([partOf(chat()), partOf(fileOf(1000)).subarray(0, -500)])
    for (const request of requests) await request.write(start)
    let last = { status: 0, headers: new Headers() }
    await until(async () => {
      last = await upload(ann, chat(), fileOf(10))
      return last.status === 429
    }, 'a refusal')
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await upload(pat, chat(), fileOf(10))).status).toBe(201)
    requests[0]?.cut()
    await until(async () => (await upload(ann, chat(), fileOf(10))).status === 201, 'taking it')
    for (const request of requests) request.cut()
  })
})

describe('uploads an hour', () => {
  it('are counted by request, apart from all other limits, and refused before the body comes', async () => {
    const limited = await startServer({
      RATE_LIMITS: 'on',
      RATE_LIMIT_UPLOAD_FREE: '3',
      RATE_LIMIT_UPLOAD_PREMIUM: '5',
      RATE_LIMIT_MESSAGES: '1',
    })
    try {
      const cat = await limited.addUser()
      const own: Part = ['chat_id', await limited.addGroup(cat)]
      const album = Array.from({ length: 10 }, () => fileOf(10))
      for (let n = 0; n < 3; n++) expect((await upload(cat, own, ...album)).status).toBe(201)
      const request = await openRaw(cat, '/messages/upload', { 'content-type': FORM_TYPE, 'content-length': '1000' })
      expect(await request.status()).toBe(429)
      request.cut()
      const { status, body, headers } = await upload(cat, own, fileOf(10))
      expect(status).toBe(429)
      expect(Number(headers.get('retry-after'))).toBe(body.details.retry_after)
      expect(body.details.retry_after).toBeGreaterThan(60)
      expect(body.details.retry_after).toBeLessThanOrEqual(1200)
      // What came of a faulty one counts too: it cost as much.
      await cat.post('/subscriptions/purchase', { subscription_type: 'premium_monthly' })
      for (let n = 0; n < 5; n++) expect((await upload(cat, own)).status).toBe(400)
      expect((await upload(cat, own, fileOf(10))).status).toBe(429)
    } finally {
      await limited.stop()
    }
  })
})

describe('a member', () => {
  it('who was removed while their file came slips nothing in', async () => {
    const dan = await server.addUser()
    await ann.post(`/chats/${chatId}/members`, { user_ids: [dan.id] })
    await leavesNothing(server, async () => {
      const body = formOf(chat(), fileOf(1000))
      const request = await begin(dan, body.byteLength)
      await request.write(body.subarray(0, -100))
      await ann.delete(`/chats/${chatId}/members/${dan.id}`)
      await request.write(body.subarray(-100))
      expect(await request.status()).toBe(404)
      request.cut()
    })
  })

  it('who may not post any more still learns what became of an earlier upload', async () => {
    const [eve, fay] = [await server.addUser(), await server.addUser()]
    const dm: Part = ['chat_id', await server.addDm(eve, fay)]
    const key: Part = ['client_id', 'once']
    const first = await upload(eve, dm, key, fileOf(10))
    await fay.post(`/users/${eve.id}/block`)
    await leavesNothing(server, async () => {
      expect((await upload(eve, dm, key, fileOf(10))).body).toEqual(first.body)
      expect((await upload(eve, dm, fileOf(10))).status).toBe(403)
      expect((await upload(eve, dm, fileOf(10), ['client_id', 'another'])).status).toBe(403)
    })
  })
})

it('takes what follows on the same connection after a refusal', async () => {
  const request = await begin(ann, 1000)
  await request.write(bytesOf('x'.repeat(1000)))
  expect(await request.status()).toBe(400)
  await request.write(bytesOf('GET /health HTTP/1.1\r\nhost: x\r\n\r\n'))
  await until(async () => request.text().includes('HTTP/1.1 200'), 'another answer')
  request.cut()
})
