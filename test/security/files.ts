/** Paths that lead elsewhere, and images, videos and sounds that are made to harm: the corpora of test/features/media, sent. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  animated,
  gifBomb,
  HTML,
  hasGps,
  heic,
  jpegBomb,
  phonePhoto,
  pngBomb,
  pngWithPage,
  SVG,
} from '../features/media/corpus.ts'
import { hasPlace, hiddenLists, hostileFiles, makeCorpus } from '../features/media/film-corpus.ts'
import { upload } from '../features/uploads/support.ts'
import { rawRequest } from '../http/raw.ts'
import { badKeys } from '../storage/bad-keys.ts'
import { type Json, request, type TestUser } from '../support/client.ts'
import { allOf, noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { startServer, type TestServer } from '../support/server.ts'

const SECRET = 'what nobody may read'

/** Every way to spell a path in an address. */
const spellings: ((name: string) => string)[] = [
  (name) => encodeURIComponent(name.toWellFormed()),
  (name) => encodeURI(name.toWellFormed()).replaceAll('?', '%3F').replaceAll('#', '%23'),
  (name) => encodeURIComponent(encodeURIComponent(name.toWellFormed())),
]
/** Where a path, or a name, stands in an address. */
const PLACES = ['/api/v1/media/', '/api/v1/avatars/', '/api/v1/uploads/', '/swagger/', '/']

export const pathCorpus: Scenario = {
  name: 'path-corpus',
  bar: '0 files opened by a path that leads elsewhere, 0 links to one, 0 answers of 5xx',
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const server = await startServer()
    const user = await server.addUser()
    const { DATA_DIR } = server.config
    for (const path of ['secret', 'media/secret', 'media/work/x', 'media/uploads/x'])
      await Bun.write(join(DATA_DIR, path), SECRET)
    const climbs = ['secret', 'media/secret', 'work/x', 'uploads/x', 'package.json'].flatMap((target) =>
      ['', '../', '../../', '../../../../', 'uploads/../', 'uploads/../../', './'].map((way) => `${way}${target}`),
    )
    const all = [...badKeys(DATA_DIR), ...climbs, `${DATA_DIR}/secret`, '/proc/self/environ']
    const names = all.filter((_, n) => size === 'long' || n % 8 === 0)
    const faults: string[] = []
    let asked = 0
    const ask = async (path: string) => {
      asked++
      const { status, body } = await rawRequest(server.url, {
        path,
        headers: { authorization: `Bearer ${user.token}`, connection: 'close' },
      })
      if (body.includes(SECRET) || body.includes('"patchedDependencies"')) faults.push(`${path} was opened`)
      if (status >= 500) faults.push(`${path} answered ${status}`)
    }
    for (const place of PLACES)
      for (const spell of spellings)
        for (let at = 0; at < names.length; at += 20)
          await Promise.all(names.slice(at, at + 20).map((name) => ask(place + spell(name))))
    for (let at = 0; at < names.length; at += 100) {
      const { status, body } = await user.post('/media/links', { paths: names.slice(at, at + 100) })
      asked += 100
      if (status !== 200 || body.links.length > 0) faults.push(`links answered ${status} ${JSON.stringify(body.links)}`)
    }
    await server.stop()
    return noneOf(faults, asked, 'paths opened something')
  },
}

interface Sent {
  status: number
  message: Json
  /** What is then kept and shown, all that has a path. */
  kept: Buffer[]
}

async function send(user: TestUser, chatId: string, bytes: Uint8Array, fileName: string): Promise<Sent> {
  const { status, body } = await upload(user, ['chat_id', chatId], ['file', bytes, fileName])
  const paths = [body.media?.file_path, body.media?.thumbnail].filter((path) => typeof path === 'string')
  const kept = await Promise.all(
    paths.map(async (path: string) => {
      const url = path.startsWith('/') ? path : `/api/v1/media/${path}`
      const answer = await fetch(user.serverUrl + url, { headers: { authorization: `Bearer ${user.token}` } })
      return Buffer.from(await answer.arrayBuffer())
    }),
  )
  return { status, message: body.message, kept }
}

async function talkTo(server: TestServer) {
  const user = await server.addUser()
  return { user, chatId: await server.addDm(user, await server.addUser()) }
}

/** What every sending has to be: answered, and followed by a server that still works. */
async function judge(server: TestServer, name: string, { status }: Sent): Promise<string[]> {
  const health = await request(`${server.url}/health/ready`, 'GET')
  return [
    ...(status < 500 ? [] : [`${name} answered ${status}`]),
    ...(health.status === 200 ? [] : [`after ${name} the server is not ready`]),
  ]
}

const listWork = async ({ config }: TestServer): Promise<string[]> =>
  Array.fromAsync(new Bun.Glob('**/*').scan({ cwd: join(config.DATA_DIR, 'media', 'work') })).catch(() => [])

export const imageCorpus: Scenario = {
  name: 'image-corpus',
  bar: '0 bombs decoded, 0 places told, 0 pages left in a picture, 0 answers of 5xx, nothing left over',
  withinSeconds: 60,
  async run(): Promise<Outcome> {
    const server = await startServer()
    const { user, chatId } = await talkTo(server)
    const faults: string[] = []
    const bombs: Record<string, Buffer> = {
      'a PNG of 10 gigapixels': pngBomb(100_000, 100_000),
      'a PNG just too large': pngBomb(5001, 5000),
      'a JPEG of 4 gigapixels': await jpegBomb(65_000, 65_000),
      'a GIF of 4 gigapixels': await gifBomb(65_535, 65_535),
      'a GIF of too many frames': await animated('gif', 65, 640),
      'a damaged GIF': Buffer.from('GIF89a<script>alert(1)</script>'),
      'half a JPEG': (await phonePhoto()).subarray(0, 3000),
    }
    for (const [name, bytes] of Object.entries(bombs)) {
      const sent = await send(user, chatId, bytes, 'bomb.png')
      faults.push(...(await judge(server, name, sent)))
      if (sent.status !== 400) faults.push(`${name} was answered ${sent.status}`)
    }
    const photo = await phonePhoto()
    const drawn = { 'a photo with a place': photo, 'a picture with a page': await pngWithPage(HTML) }
    for (const [name, bytes] of Object.entries(drawn)) {
      const sent = await send(user, chatId, bytes, 'photo.jpg')
      faults.push(...(await judge(server, name, sent)))
      if (sent.status !== 201 || sent.kept.length !== 2) faults.push(`${name} was not taken`)
      if (sent.kept.some((kept) => hasGps(kept) || kept.includes('<script'))) faults.push(`${name} tells too much`)
    }
    const avatars = { SVG: Buffer.from(SVG), HEIC: heic(), 'a page': Buffer.from(HTML), ...bombs }
    for (const [name, bytes] of Object.entries(avatars)) {
      const avatar = `data:image/png;base64,${bytes.toString('base64')}`
      const { status } = await user.patch('/users/me', { avatar })
      if (status < 400 || status >= 500) faults.push(`as an avatar, ${name} was answered ${status}`)
    }
    for (const avatar of ['http://127.0.0.1/x.png', 'file:///etc/passwd', 'http://[::1]/', '//evil.example/x.png']) {
      const { status } = await user.patch('/users/me', { avatar })
      if (status !== 400) faults.push(`as an avatar, ${avatar} was answered ${status}`)
    }
    const left = await listWork(server)
    await server.stop()
    return allOf([
      noneOf(faults, Object.keys(bombs).length + 2 + Object.keys(avatars).length + 4, 'images did harm'),
      noneOf(left, Math.max(1, left.length), 'files left over'),
    ])
  },
}

const withoutEnd = (title: string) => title.slice(0, 40)

export const filmCorpus: Scenario = {
  name: 'film-corpus',
  bar: '0 files read that were not sent, 0 places told, 0 answers of 5xx, nothing left over',
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const folder = await mkdtemp(join(tmpdir(), 'messenger-films-'))
    const server = await startServer()
    const { user, chatId } = await talkTo(server)
    const faults: string[] = []
    const target = join(server.config.DATA_DIR, 'secret')
    await Bun.write(target, SECRET)
    const hostile = {
      ...hostileFiles(target),
      ...Object.fromEntries(hiddenLists(target).map((bytes, n) => [`a hidden list ${n}`, bytes])),
    }
    // Whatever the name and the type say that it is.
    const names = ['x.mp4', 'x.m3u8', 'x.ogg', 'x.wav', 'x.html', 'x.svg'].slice(0, size === 'long' ? 6 : 1)
    for (const [title, bytes] of Object.entries(hostile)) {
      for (const fileName of names) {
        const sent = await send(user, chatId, bytes, fileName)
        faults.push(...(await judge(server, withoutEnd(title), sent)))
        if (sent.kept.some((kept) => kept.includes(SECRET))) faults.push(`${title} brought another file along`)
        if (sent.status === 201 && sent.message.message_type !== 'file')
          faults.push(`${title} was taken for ${sent.message.message_type}`)
      }
    }
    const telling = await makeCorpus(folder, size === 'long' ? (['phone', 'mp4', 'voice', 'mp3'] as const) : ['voice'])
    for (const [title, path] of Object.entries(telling)) {
      const sent = await send(user, chatId, await Bun.file(path).bytes(), title)
      faults.push(...(await judge(server, title, sent)))
      const shown = await waitMade(user, chatId, String(sent.message?.id))
      if (shown === undefined) faults.push(`${title} was never made`)
      else if (hasPlace(shown)) faults.push(`${title} tells where it was taken`)
    }
    const left = await listWork(server)
    await server.stop()
    await rm(folder, { recursive: true, force: true })
    return allOf([
      noneOf(faults, Object.keys(hostile).length * names.length + Object.keys(telling).length, 'files did harm'),
      noneOf(left, Math.max(1, left.length), 'files left over'),
    ])
  },
}

/** The file of a message as others get it, once it is made; undefined when that does not come within half a minute. */
async function waitMade(user: TestUser, chatId: string, messageId: string): Promise<Buffer | undefined> {
  for (let n = 0; n < 300; n++) {
    const { body } = await user.get(`/chats/${chatId}/messages`)
    const message = body.messages.find(({ id }: Json) => id === messageId)
    if (message?.media?.status === 'ready') {
      const headers = { authorization: `Bearer ${user.token}` }
      const answer = await fetch(`${user.serverUrl}/api/v1/media/${message.media_url}`, { headers })
      return Buffer.from(await answer.arrayBuffer())
    }
    await Bun.sleep(100)
  }
  return undefined
}
