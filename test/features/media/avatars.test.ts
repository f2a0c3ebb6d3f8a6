/** Pictures of people, groups and channels, from every side. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { animated, HTML, halves, hasGps, heic, phonePhoto, pngBomb, SVG } from './corpus.ts'

const PUBLIC_URL = 'https://chat.example.org'
let server: TestServer
let ann: TestUser
let ben: TestUser
beforeAll(async () => {
  server = await startServer({ PUBLIC_URL })
})
afterAll(() => server.stop())
beforeEach(async () => {
  ann = await server.addUser()
  ben = await server.addUser()
})

const dataUrl = (bytes: Uint8Array, type = 'image/png') =>
  `data:${type};base64,${Buffer.from(bytes).toString('base64')}`
const picture = async () => dataUrl(await halves(700, 600).png().toBuffer())
const wear = (user: TestUser, avatar: string | null) => user.patch('/users/me', { avatar })
/** Where the server itself is: in place of the address that browsers know. */
const here = (url: string) => url.replace(PUBLIC_URL, server.url)
const listAvatars = (): Promise<string[]> => readdir(join(server.config.DATA_DIR, 'media', 'avatars')).catch(() => [])
const URL_OF = /^https:\/\/chat\.example\.org\/api\/v1\/avatars\/[A-Za-z0-9]{22}\.webp$/

async function sendImage(user: TestUser, chatId: string, bytes: Uint8Array, name = 'photo.jpg'): Promise<Json> {
  const form = new FormData()
  form.set('chat_id', chatId)
  form.set('file', new File([bytes], name))
  const headers = { authorization: `Bearer ${user.token}` }
  const sent = await fetch(`${server.url}/api/v1/messages/upload`, { method: 'POST', headers, body: form })
  const answer: Json = await sent.json()
  return answer.message
}

describe('an avatar', () => {
  it('is made small, told by its address, and open to everybody for ever', async () => {
    const { status, body } = await wear(ann, await picture())
    expect([status, body.avatar_url]).toEqual([200, expect.stringMatching(URL_OF)])
    expect((await ben.get(`/users/${ann.id}`)).body.avatar_url).toBe(body.avatar_url)
    const answer = await fetch(here(body.avatar_url))
    expect(await sharp(await answer.bytes()).metadata()).toMatchObject({ format: 'webp', width: 512, height: 439 })
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/webp',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    })
    const known = { 'if-none-match': answer.headers.get('etag') ?? '' }
    expect((await fetch(here(body.avatar_url), { headers: known })).status).toBe(304)
    expect((await fetch(here(body.avatar_url), { method: 'HEAD' })).status).toBe(200)
  })

  it('tells nobody where it was taken', async () => {
    const { body } = await wear(ann, dataUrl(await phonePhoto(), 'image/jpeg'))
    const bytes = await (await fetch(here(body.avatar_url))).bytes()
    expect([hasGps(bytes), (await sharp(bytes).metadata()).height]).toEqual([false, 512])
  })

  it('is what it is by its content, whatever its type says; and may come without one', async () => {
    const gif = await animated('gif', 4, 30)
    for (const given of [dataUrl(gif, 'text/html'), dataUrl(gif, ''), Buffer.from(gif).toString('base64')]) {
      const { status, body } = await wear(ann, given)
      expect(status).toBe(200)
      const bytes = await (await fetch(here(body.avatar_url))).bytes()
      expect((await sharp(bytes, { animated: true }).metadata()).pages ?? 1).toBe(1)
    }
  })

  it('goes when another one comes, when it is taken off, and with the account', async () => {
    const before = await listAvatars()
    const first = (await wear(ann, await picture())).body.avatar_url
    const second = (await wear(ann, await picture())).body.avatar_url
    expect(second).not.toBe(first)
    expect([(await fetch(here(first))).status, (await fetch(here(second))).status]).toEqual([404, 200])
    expect((await wear(ann, null)).body.avatar_url).toBeNull()
    expect((await fetch(here(second))).status).toBe(404)
    const third = (await wear(ann, await picture())).body.avatar_url
    expect((await ann.delete('/users/me')).status).toBe(200)
    expect((await fetch(here(third))).status).toBe(404)
    expect((await ben.get(`/users/${ann.id}`)).body.avatar_url).toBeNull()
    expect(await listAvatars()).toEqual(before)
  })

  it('stays when it is sent back as it is, and when something else changes', async () => {
    const { avatar_url } = (await wear(ann, await picture())).body
    expect((await wear(ann, avatar_url)).body.avatar_url).toBe(avatar_url)
    expect((await ann.patch('/users/me', { bio: 'Hello' })).body.avatar_url).toBe(avatar_url)
    expect((await fetch(here(avatar_url))).status).toBe(200)
    expect((await wear(ben, avatar_url)).status).toBe(400)
  })

  it('leaves no file when the change is refused, and none but the last of many at once', async () => {
    const before = await listAvatars()
    const taken = (await ben.get('/users/me')).body.username
    expect((await ann.patch('/users/me', { username: taken, avatar: await picture() })).status).toBe(409)
    expect(await listAvatars()).toEqual(before)
    const given = await picture()
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => wear(ann, given)))
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const left = (await listAvatars()).filter((name) => !before.includes(name))
    expect(left).toEqual([(await ann.get('/users/me')).body.avatar_url.split('/').at(-1)])
  })
})

describe('an avatar that is refused', () => {
  it.each([
    ['HEIC', heic()],
    ['SVG', Buffer.from(SVG)],
    ['a page', Buffer.from(`${HTML}${' '.repeat(40)}`)],
  ])('is no image: %s', async (_, bytes) => {
    expect((await wear(ann, dataUrl(bytes))).status).toBe(415)
  })

  it('is damaged, or a bomb', async () => {
    for (const bytes of [pngBomb(90_000, 90_000), (await halves(300, 300).png().toBuffer()).subarray(0, 300)]) {
      expect(await wear(ann, dataUrl(bytes))).toMatchObject({
        status: 400,
        body: { details: { avatar: expect.any(String) } },
      })
    }
  })

  it.each([
    'https://elsewhere.example.org/me.png',
    `${PUBLIC_URL}.evil.example/api/v1/media/uploads/2026/01/15/4pq9sGk2vB0n7XcR1mZyLw.webp`,
    'file:///etc/passwd',
    '/etc/passwd',
    'uploads/../../etc/passwd',
    'uploads/2026/01/15/4pq9sGk2vB0n7XcR1mZyLw.webp',
    `${PUBLIC_URL}/api/v1/avatars/4pq9sGk2vB0n7XcR1mZyLw.webp`,
    'data:image/png,notbase64',
    'data:image/png;base64,',
    'data:image/png;base64,iVBORw0KGgo',
    'data:image/png;base64,iVBO Rw0KGgo=',
    'data:image/png;base64,iVBORw0KG_-=',
    'javascript:alert(1)',
    '',
  ])('is neither an image nor an upload: %s', async (given) => {
    expect(await wear(ann, given)).toMatchObject({ status: 400, body: { details: { avatar: expect.any(String) } } })
  })

  it('is larger than 8 MB, or comes from nobody', async () => {
    const huge = { avatar: `data:image/png;base64,${'A'.repeat(8 * 1024 * 1024)}` }
    expect((await ann.patch('/users/me', huge)).status).toBe(413)
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${server.url}/api/v1/users/me`, {
      method: 'PATCH',
      headers,
      body: JSON.stringify(huge),
    })
    expect(response.status).toBe(401)
    expect((await ann.post('/chats', { name: 'x'.repeat(100_000), type: 'group' })).status).toBe(413)
  })
})

describe('an image that was sent before', () => {
  it('becomes an avatar by its path or any of its addresses, for whoever sent it', async () => {
    const chatId = await server.addDm(ann, ben)
    const { media_url } = await sendImage(ann, chatId, await phonePhoto())
    const { body } = await ann.post('/media/links', { paths: [media_url] })
    const ways = [media_url, `/${media_url}`, `media/${media_url}`, `${PUBLIC_URL}/api/v1/media/${media_url}`]
    const encoded = `/api/v1/media/${media_url.replaceAll('/', '%2F')}`
    for (const given of [...ways, encoded, body.links[0].url, PUBLIC_URL + body.links[0].url]) {
      const answer = await wear(ann, given)
      expect([given, answer.status]).toEqual([given, 200])
      expect((await fetch(here(answer.body.avatar_url))).status).toBe(200)
    }
    const refused = { status: 400, body: { details: { avatar: expect.any(String) } } }
    expect(await wear(ben, media_url)).toMatchObject(refused)
    expect(await wear(await server.addUser(), media_url)).toMatchObject(refused)
  })

  it('does not when it is deleted, or no image', async () => {
    const chatId = await server.addDm(ann, ben)
    const file = await sendImage(ann, chatId, heic(), 'photo.heic')
    expect((await wear(ann, file.media_url)).status).toBe(415)
    const image = await sendImage(ann, chatId, await phonePhoto())
    await ann.delete(`/chats/${chatId}/messages/${image.id}`)
    expect((await wear(ann, image.media_url)).status).toBe(400)
  })
})

describe('the picture of a group', () => {
  it('is shown by its staff, told to everybody, and goes with it', async () => {
    const chatId = await server.addGroup(ann, ben)
    const socket = await ben.socket()
    const changed = await ann.patch(`/chats/${chatId}`, { avatar: await picture() })
    const { avatar_url } = changed.body
    expect([changed.status, avatar_url]).toEqual([200, expect.stringMatching(URL_OF)])
    expect(await socket.next('chat_updated')).toEqual({ type: 'chat_updated', chat_id: chatId, avatar_url })
    expect((await ben.get(`/chats/${chatId}`)).body).toMatchObject({ avatar_url, name: 'Group' })
    expect((await ben.get('/chats')).body.chats).toMatchObject([{ avatar_url }])
    const { code } = (await ann.post(`/chats/${chatId}/invites`)).body
    expect((await ben.get(`/invites/${code}`)).body.chat).toMatchObject({ avatar_url })

    expect((await ann.patch(`/chats/${chatId}`, { name: 'Other' })).body).toMatchObject({ avatar_url, name: 'Other' })
    const next = (await ann.patch(`/chats/${chatId}`, { avatar: await picture() })).body.avatar_url
    expect([(await fetch(here(avatar_url))).status, (await fetch(here(next))).status]).toEqual([404, 200])
    await ann.delete(`/chats/${chatId}`)
    expect((await fetch(here(next))).status).toBe(404)
    socket.ws.close()
  })

  it('is not for members, strangers, or direct chats; and nothing is made for them', async () => {
    const chatId = await server.addGroup(ann, ben)
    const before = await listAvatars()
    const given = { avatar: await picture() }
    expect((await ben.patch(`/chats/${chatId}`, given)).status).toBe(403)
    expect((await (await server.addUser()).patch(`/chats/${chatId}`, given)).status).toBe(404)
    const dm = await server.addDm(ann, ben)
    expect((await ann.patch(`/chats/${dm}`, given)).status).toBe(400)
    expect((await ann.patch(`/chats/${chatId}`, {})).status).toBe(400)
    expect(await listAvatars()).toEqual(before)
  })

  it('is that of the other one in a direct chat', async () => {
    const dm = await server.addDm(ann, ben)
    const { avatar_url } = (await wear(ben, await picture())).body
    expect((await ann.get(`/chats/${dm}`)).body).toMatchObject({ avatar_url, peer: { avatar_url } })
  })
})

describe('the picture of a channel', () => {
  it('is shown by its staff, and told to subscribers', async () => {
    const { id } = (await ann.post('/channels', { name: 'News' })).body
    await ben.post(`/channels/${id}/subscribe`)
    const socket = await ben.socket()
    const { status, body } = await ann.patch(`/channels/${id}`, { avatar: await picture(), description: 'Daily' })
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ avatar_url: expect.stringMatching(URL_OF), description: 'Daily' }),
    ])
    expect(await socket.next('chat_updated')).toMatchObject({ avatar_url: body.avatar_url, description: 'Daily' })
    expect((await ben.get(`/channels/${id}`)).body.avatar_url).toBe(body.avatar_url)
    expect((await ben.patch(`/channels/${id}`, { avatar: null })).status).toBe(403)
    expect((await ann.patch(`/channels/${id}`, { avatar: null })).body.avatar_url).toBeNull()
    expect((await fetch(here(body.avatar_url))).status).toBe(404)
    socket.ws.close()
  })
})

describe('the address of avatars', () => {
  it('leads to nothing else', async () => {
    const base = `${server.url}/api/v1/avatars/`
    for (const name of [
      'x',
      '..%2f..%2fjwt-secret',
      '%00',
      `${'a'.repeat(22)}.webp`,
      `${'a'.repeat(22)}.svg`,
      'a/b.webp',
    ]) {
      expect([name, (await fetch(base + name)).status]).toEqual([name, 404])
    }
  })

  it('follows PUBLIC_URL, and is a path without it; never of the Host header', async () => {
    const { avatar_url } = (await wear(ann, await picture())).body
    const { DATABASE_URL = '', DATA_DIR } = server.config
    for (const [url, expected] of [
      [undefined, avatar_url.replace(PUBLIC_URL, '')],
      ['https://other.example.org', avatar_url.replace(PUBLIC_URL, 'https://other.example.org')],
    ]) {
      await server.stop()
      const settings: Record<string, string> = { DATABASE_URL, DATA_DIR, ...(url && { PUBLIC_URL: url }) }
      server = await startServer(settings)
      const headers = { authorization: `Bearer ${ann.token}`, host: 'evil.example.org' }
      const me = await fetch(`${server.url}/api/v1/users/me`, { headers })
      const profile: Json = await me.json()
      expect(profile.avatar_url).toBe(expected)
    }
  })
})

describe('limits', () => {
  it('count a new avatar as an upload, and nothing else of it', async () => {
    const limited = await startServer({ RATE_LIMITS: 'on', RATE_LIMIT_UPLOAD_FREE: '2' })
    const user = await limited.addUser()
    const given = { avatar: await picture() }
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await user.patch('/users/me', given)).status)
    expect(statuses).toEqual([200, 200, 429])
    const { avatar_url } = (await user.get('/users/me')).body
    expect((await user.patch('/users/me', { avatar: avatar_url })).status).toBe(200)
    const shown = await Promise.all(Array.from({ length: 150 }, () => fetch(limited.url + avatar_url)))
    expect(new Set(shown.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await user.patch('/users/me', { avatar: null })).body.avatar_url).toBeNull()
    await limited.stop()
  })
})
