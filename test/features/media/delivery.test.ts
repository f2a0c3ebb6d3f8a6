/** How a file is given out, and to whom at this moment. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { users } from '../../../src/db/schema/index.ts'
import type { NewMediaRow } from '../../../src/features/media/store.ts'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { sendFile } from './support.ts'

let server: TestServer
let ann: TestUser
let ben: TestUser
let chatId: string
let file: NewMediaRow
beforeAll(async () => {
  server = await startServer()
  ann = await server.addUser()
  ben = await server.addUser()
  chatId = await server.addGroup(ann, ben)
  file = await sendFile(server, ann, chatId)
})
afterAll(() => server.stop())

const TEXT = '0123456789'
const urlOf = (path: string, base = server.url) => `${base}/api/v1/media/${path}`
/** As a user by their token. */
async function open(user: TestUser, path: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(urlOf(path), { method, headers: { authorization: `Bearer ${user.token}`, ...headers } })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
const errorOf = (text: string) => JSON.parse(text).error
async function linkOf(user: TestUser, path: string): Promise<string> {
  const { body } = await user.post('/media/links', { paths: [path] })
  return `${server.url}${body.links[0].url}`
}

describe('a file', () => {
  it('comes whole, with all that a browser must know of it', async () => {
    const { status, headers, text } = await open(ben, file.filePath)
    expect({ status, text }).toEqual({ status: 200, text: TEXT })
    expect(headers.get('content-type')).toBe('image/webp')
    expect(headers.get('content-length')).toBe('10')
    expect(headers.get('accept-ranges')).toBe('bytes')
    expect(headers.get('cache-control')).toBe('private, no-cache')
    expect(headers.get('etag')).toMatch(/^"[^"]+"$/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toStartWith("sandbox; default-src 'none'")
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
    expect(headers.get('content-disposition')).toBe(`inline; filename="holiday.webp"; filename*=UTF-8''holiday.webp`)
  })

  it('is found by its path with the slashes as they are and encoded', async () => {
    expect((await open(ben, encodeURIComponent(file.filePath))).text).toBe(TEXT)
    expect((await open(ben, file.filePath.replace('/', '%2F'))).status).toBe(404)
  })

  it('has a thumbnail, of another type and tag', async () => {
    const { headers, text } = await open(ben, file.thumbnailPath ?? '')
    expect(text).toBe('thumbnail')
    expect(headers.get('content-type')).toBe('image/jpeg')
    expect(headers.get('content-disposition')).toContain('holiday.jpg')
    expect(headers.get('etag')).not.toBe((await open(ben, file.filePath)).headers.get('etag'))
  })

  it('is told of by HEAD without being read', async () => {
    const big = await sendFile(server, ann, chatId, new Uint8Array(3_000_000))
    const { status, headers, text } = await open(ben, big.filePath, { range: 'bytes=0-3' }, 'HEAD')
    expect({ status, text }).toEqual({ status: 200, text: '' })
    expect(headers.get('content-length')).toBe('3000000')
    expect(headers.get('content-type')).toBe('image/webp')
    expect(headers.get('etag')).toBe((await open(ben, big.filePath)).headers.get('etag'))
    expect((await open(ben, `${big.filePath}x`, {}, 'HEAD')).status).toBe(404)
  })

  it('comes in parts', async () => {
    const parts: [string, string, string][] = [
      ['bytes=0-0', '0', 'bytes 0-0/10'],
      ['bytes=3-5', '345', 'bytes 3-5/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-2', '89', 'bytes 8-9/10'],
      ['bytes=8-1000', '89', 'bytes 8-9/10'],
    ]
    for (const [range, part, told] of parts) {
      const { status, headers, text } = await open(ben, file.filePath, { range })
      expect({ range, status, text }).toEqual({ range, status: 206, text: part })
      expect(headers.get('content-range')).toBe(told)
      expect(headers.get('content-length')).toBe(String(part.length))
      expect(headers.get('content-type')).toBe('image/webp')
      expect(headers.get('cache-control')).toBe('private, no-cache')
    }
    expect(await open(ben, file.filePath, { range: 'bytes=0-1,3-4' })).toMatchObject({ status: 200, text: TEXT })
  })

  it('has no part behind its end', async () => {
    const { status, headers, text } = await open(ben, file.filePath, { range: 'bytes=10-' })
    expect(status).toBe(416)
    expect(JSON.parse(text)).toEqual({ error: expect.any(String), details: { size: 10 } })
    expect(headers.get('content-range')).toBe('bytes */10')
    expect(headers.get('content-type')).toStartWith('application/json')
  })

  it('comes in parts only while it is the one that the client has', async () => {
    const { headers } = await open(ben, file.filePath)
    const etag = headers.get('etag') ?? ''
    const range = 'bytes=3-5'
    expect((await open(ben, file.filePath, { range, 'if-range': etag })).text).toBe('345')
    for (const other of ['"another"', `W/${etag}`, 'Thu, 01 Jan 2026 00:00:00 GMT']) {
      expect(await open(ben, file.filePath, { range, 'if-range': other })).toMatchObject({ status: 200, text: TEXT })
    }
  })

  it('is not sent again to whoever has it', async () => {
    const etag = (await open(ben, file.filePath)).headers.get('etag') ?? ''
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const { status, headers, text } = await open(ben, file.filePath, { 'if-none-match': known, range: 'bytes=0-1' })
      expect({ known, status, text }).toEqual({ known, status: 304, text: '' })
      expect(headers.get('etag')).toBe(etag)
      expect(headers.get('cache-control')).toBe('private, no-cache')
    }
    expect((await open(ben, file.filePath, { 'if-none-match': '"x"' })).status).toBe(200)
    // Nor is it told to whoever may not see it any more.
    const stranger = await server.addUser()
    expect((await open(stranger, file.filePath, { 'if-none-match': '*' })).status).toBe(404)
  })
})

describe('what is not known to be harmless', () => {
  const active = [
    'text/html',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/javascript',
    'application/xml',
    'text/css',
  ]
  const odd = ['', 'x', 'text/html\r\nx-evil: 1', 'TEXT/HTML', '*/*', 'image/webp; charset=x']
  it.each([...active, ...odd])('is saved, not shown, and called nothing: %j', async (mimeType) => {
    const evil = await sendFile(server, ann, chatId, '<script>alert(1)</script>', {
      mimeType,
      kind: 'image',
      fileName: 'evil.html',
    })
    const { headers } = await open(ben, evil.filePath)
    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('content-disposition')).toStartWith('attachment; filename="evil.html"')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain('sandbox')
    expect(headers.get('x-evil')).toBeNull()
  })

  it.each(['application/pdf', 'application/zip', 'text/plain', 'image/tiff', 'video/quicktime'])(
    'is saved under its type: %s',
    async (mimeType) => {
      const { filePath } = await sendFile(server, ann, chatId, 'x', { mimeType, kind: 'file', fileName: 'a.b' })
      const { headers } = await open(ben, filePath)
      expect(headers.get('content-type')).toBe(mimeType)
      expect(headers.get('content-disposition')).toStartWith('attachment; filename="a.b"')
    },
  )

  it('is saved too when it says it is an image but was kept as it came', async () => {
    const { filePath } = await sendFile(server, ann, chatId, 'x', { mimeType: 'image/png', kind: 'file' })
    expect((await open(ben, filePath)).headers.get('content-disposition')).toStartWith('attachment')
  })

  it('has a name that ends no header', async () => {
    const fileName = 'a"\r\nset-cookie: x=y; filename="b.exe'
    const { filePath } = await sendFile(server, ann, chatId, 'x', {
      kind: 'file',
      mimeType: 'application/pdf',
      fileName,
    })
    const { headers } = await open(ben, filePath)
    expect(headers.get('set-cookie')).toBeNull()
    expect(headers.get('content-disposition')?.match(/filename=/g)).toHaveLength(1 + 1)
  })
})

describe('links', () => {
  it('are signed for what the caller may open, and name the rest', async () => {
    const stranger = await server.addUser()
    const paths = [
      file.filePath,
      'uploads/2026/01/15/none.webp',
      '../../etc/passwd',
      file.thumbnailPath ?? '',
      file.filePath,
    ]
    const { status, body } = await ben.post('/media/links', { paths })
    expect(status).toBe(200)
    expect(body.links.map(({ path }: { path: string }) => path)).toEqual([file.filePath, file.thumbnailPath])
    expect(body.not_found).toEqual(['uploads/2026/01/15/none.webp', '../../etc/passwd'])
    for (const { url, expires_at } of body.links) {
      expect(Date.parse(expires_at)).toBeGreaterThan(Date.now() + 3599_000)
      const response = await fetch(`${server.url}${url}`)
      expect(response.status).toBe(200)
      expect(response.headers.get('cache-control')).toBe('private, no-cache')
    }
    const { body: none } = await stranger.post('/media/links', { paths })
    expect(none).toEqual({ links: [], not_found: [...new Set(paths)] })
  })

  it('are up to a hundred', async () => {
    const files = await Promise.all(Array.from({ length: 100 }, () => sendFile(server, ann, chatId)))
    const { body } = await ben.post('/media/links', { paths: files.map(({ filePath }) => filePath) })
    expect(body.links).toHaveLength(100)
    for (const paths of [[], Array.from({ length: 101 }, (_, n) => `${n}`), 'x', undefined]) {
      expect(await ben.post('/media/links', { paths })).toMatchObject({
        status: 400,
        body: { details: { paths: expect.any(String) } },
      })
    }
  })

  it('are counted, as the views are not', async () => {
    const limited = await startServer({ RATE_LIMITS: 'on', RATE_LIMIT_API_FREE: '5', RATE_LIMIT_ANONYMOUS: '5' })
    const [user, peer] = [await limited.addUser(), await limited.addUser()]
    const chat = await limited.addDm(user, peer)
    const { filePath } = await sendFile(limited, user, chat)
    const { body } = await user.post('/media/links', { paths: [filePath] })
    for (let n = 0; n < 20; n++) {
      const byLink = await fetch(`${limited.url}${body.links[0].url}`)
      const byToken = await fetch(urlOf(filePath, limited.url), { headers: { authorization: `Bearer ${user.token}` } })
      expect([byLink.status, byToken.status]).toEqual([200, 200])
    }
    let last = 200
    for (let n = 0; n < 6; n++) last = (await user.post('/media/links', { paths: [filePath] })).status
    expect(last).toBe(429)
    await limited.stop()
  })

  it('outlive the session, but not the account', async () => {
    const cleo = await server.addUser()
    await ann.post(`/chats/${chatId}/members`, { user_ids: [cleo.id] })
    const link = await linkOf(cleo, file.filePath)
    await cleo.post('/auth/logout')
    expect((await fetch(link)).status).toBe(200)
    expect((await open(cleo, file.filePath)).status).toBe(401)
    await server.database.db.update(users).set({ disabledAt: new Date() }).where(eq(users.id, cleo.id))
    expect((await fetch(link)).status).toBe(404)
    await server.database.db.update(users).set({ disabledAt: null }).where(eq(users.id, cleo.id))
    expect((await fetch(link)).status).toBe(200)
    const again = await server.addSession(cleo.id)
    expect((await again.delete('/users/me')).status).toBe(200)
    expect((await fetch(link)).status).toBe(404)
  })

  it('leave no signature in the log', async () => {
    const link = await linkOf(ben, file.filePath)
    await fetch(link)
    const signature = new URL(link).searchParams.get('s') ?? 'none'
    expect(JSON.stringify(server.logs)).not.toContain(signature)
  })
})

describe('who may see the message now', () => {
  const member = async () => {
    const user = await server.addUser()
    await ann.post(`/chats/${chatId}/members`, { user_ids: [user.id] })
    return user
  }

  it('sees its file, and nobody from the moment on at which they do not', async () => {
    const dora = await member()
    const link = await linkOf(dora, file.filePath)
    expect((await fetch(link)).status).toBe(200)
    await ann.delete(`/chats/${chatId}/members/${dora.id}`)
    expect((await fetch(link)).status).toBe(404)
    expect((await open(dora, file.filePath)).status).toBe(404)
    await ann.post(`/chats/${chatId}/members`, { user_ids: [dora.id] })
    expect((await fetch(link)).status).toBe(200)
  })

  it('is told of a deleted message what a stranger is told of one that never was', async () => {
    const gone = await sendFile(server, ann, chatId)
    const link = await linkOf(ben, gone.filePath)
    await ann.delete(`/chats/${chatId}/messages/${gone.messageId}`)
    const stranger = await server.addUser()
    const answers = [
      await open(ben, gone.filePath),
      await open(ann, gone.thumbnailPath ?? ''),
      await open(stranger, file.filePath),
      await open(stranger, 'uploads/2026/01/15/AAAAAAAAAAAAAAAAAAAAAA.webp'),
      await open(ben, 'nonsense'),
    ]
    const expected = { status: 404, text: JSON.stringify({ error: 'File not found', details: {} }) }
    for (const { status, text } of answers) expect({ status, text }).toEqual(expected)
    expect((await fetch(link)).status).toBe(404)
    expect((await ben.post('/media/links', { paths: [gone.filePath] })).body.links).toEqual([])
  })

  it('does not include those of a file whose message never came', async () => {
    const row = await sendFile(server, ann, chatId, 'x', { messageId: Bun.randomUUIDv7() })
    expect((await open(ann, row.filePath)).status).toBe(404)
  })

  it('waits for what is still being made, and never gets the original', async () => {
    const row = await sendFile(server, ann, chatId)
    const originalPath = `${row.name}_original.mov`
    await server.database.sql`update media set original_path = ${originalPath} where id = ${row.id}`
    await Bun.write(join(server.config.DATA_DIR, 'media', originalPath), 'with GPS')
    const waiting = await open(ben, row.filePath)
    expect(waiting.status).toBe(404)
    expect(errorOf(waiting.text)).toContain('still being made')
    expect((await open(ben, row.thumbnailPath ?? '')).status).toBe(200)
    expect(errorOf((await open(ben, originalPath)).text)).toBe('File not found')
    expect(errorOf((await open(await server.addUser(), row.filePath)).text)).toBe('File not found')
  })

  it('is told when the file is lost, and so is the log', async () => {
    const row = await sendFile(server, ann, chatId)
    await rm(join(server.config.DATA_DIR, 'media', row.filePath))
    expect((await open(ben, row.filePath)).status).toBe(404)
    expect(server.logs).toContainEqual(
      expect.objectContaining({ level: 'error', path: row.filePath, media_id: row.id }),
    )
  })

  it('is a subscriber, in a channel', async () => {
    const { body: channel } = await ann.post('/channels', { name: 'News' })
    const row = await sendFile(server, ann, channel.id)
    const reader = await server.addUser()
    expect((await open(reader, row.filePath)).status).toBe(404)
    await reader.post(`/channels/${channel.id}/subscribe`)
    expect((await open(reader, row.filePath)).status).toBe(200)
  })

  it('sees nothing of a chat that was deleted', async () => {
    const group = await server.addGroup(ann, ben)
    const row = await sendFile(server, ann, group)
    const link = await linkOf(ben, row.filePath)
    await ann.delete(`/chats/${group}`)
    expect((await fetch(link)).status).toBe(404)
    expect((await open(ann, row.filePath)).status).toBe(404)
  })
})

describe('pages of other origins', () => {
  it('may show files when they may call', async () => {
    const other = await startServer({ CORS_ORIGINS: 'https://web.example.org' })
    const user = await other.addUser()
    const chat = await other.addDm(user, await other.addUser())
    const { filePath } = await sendFile(other, user, chat)
    const headers = { authorization: `Bearer ${user.token}`, origin: 'https://web.example.org' }
    const response = await fetch(urlOf(filePath, other.url), { headers })
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    expect(response.headers.get('access-control-allow-origin')).toBe('https://web.example.org')
    expect(response.headers.get('access-control-expose-headers')).toContain('Content-Range')
    await other.stop()
  })
})
