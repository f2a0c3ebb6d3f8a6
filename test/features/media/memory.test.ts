/** The whole corpus against the server as a process of its own: what it and its children hold, and that it lives. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { makeDataDir, type Running, start } from '../../commands/process.ts'
import { type Json, request } from '../../support/client.ts'
import { createDatabase } from '../../support/postgres.ts'
import { TEST_SECRET } from '../../support/server.ts'
import { animated, gifBomb, HTML, halves, heic, jpegBomb, phonePhoto, pngBomb, pngWithPage, SVG } from './corpus.ts'
import { makeCorpus } from './film-corpus.ts'

const LIMIT_MB = 300
let folder: string
let data: Awaited<ReturnType<typeof makeDataDir>>
let server: Running
let url: string
let token: string
let chatId: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'messenger-memory-'))
  data = await makeDataDir()
  server = start({
    DATA_DIR: data.path,
    DATABASE_URL: await createDatabase(),
    JWT_SECRET: TEST_SECRET,
    RATE_LIMITS: 'off',
  })
  url = await server.ready
  const account = { phone: '+12025550101', username: 'ann', password: 'SecurePass123' }
  token = (await request(`${url}/api/v1/auth/register`, 'POST', undefined, account)).body.token
  chatId = (await request(`${url}/api/v1/chats`, 'POST', token, { name: 'Corpus', type: 'group' })).body.id
}, 60_000)
afterAll(async () => {
  server.process.kill('SIGTERM')
  await server.finished
  await data.remove()
  await rm(folder, { recursive: true })
})

async function upload(bytes: Uint8Array | string, name: string): Promise<{ status: number; body: Json }> {
  const form = new FormData()
  form.set('chat_id', chatId)
  form.set('file', new File([bytes], name))
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${url}/api/v1/messages/upload`, { method: 'POST', headers, body: form })
  return { status: response.status, body: await response.json() }
}

/** The most that each process of the server held so far, by what it is, in MB. */
function measure(highest: Map<string, number>): void {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readProcess)
  const family = all.filter(({ pid, parent }) => pid === server.process.pid || parent === server.process.pid)
  const add = (what: string, mb: number) => highest.set(what, Math.max(highest.get(what) ?? 0, mb))
  for (const { pid, name, mb } of family) add(pid === server.process.pid ? 'server' : name, mb)
  add(
    'all together',
    family.reduce((sum, { mb }) => sum + mb, 0),
  )
}
function readProcess(pid: string) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '0'
    const isWorker = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('image-worker')
    const name = isWorker ? 'image worker' : field('Name')
    return [{ pid: Number(pid), parent: Number(field('PPid')), name, mb: Number(field('VmRSS')) / 1024 }]
  } catch {
    return []
  }
}

describe('the corpus', () => {
  it('is taken or refused, one by one and all at once, and the server lives within its memory', async () => {
    const films = await makeCorpus(folder, ['phone', 'large', 'voice'])
    const solid = (width: number, height: number, channels: 3 | 4) =>
      sharp({ create: { width, height, channels, background: 'teal' } })
    const refused: [string, Uint8Array][] = [
      ['bomb.png', pngBomb(100_000, 100_000)],
      ['bomb.jpg', await jpegBomb(65_000, 65_000)],
      ['bomb.gif', await gifBomb(65_535, 65_535)],
      ['half.jpg', (await phonePhoto()).subarray(0, 2500)],
      ['deep.png', await solid(5000, 5000, 4).toColourspace('rgb16').png({ progressive: true }).toBuffer()],
    ]
    const taken: [string, Uint8Array | string, string][] = [
      ['25 megapixels.png', await solid(5000, 5000, 4).png().toBuffer(), 'image'],
      ['25 megapixels.webp', await solid(5000, 5000, 4).webp().toBuffer(), 'image'],
      ['progressive.jpg', await solid(5000, 5000, 3).jpeg({ progressive: true }).toBuffer(), 'image'],
      ['100 megapixels.jpg', await solid(10_000, 10_000, 3).jpeg().toBuffer(), 'image'],
      ['turned.jpg', await phonePhoto(), 'image'],
      ['cmyk.jpg', await halves(900, 900).toColourspace('cmyk').jpeg().toBuffer(), 'image'],
      ['deep.png', await halves(900, 900).toColourspace('rgb16').png().toBuffer(), 'image'],
      ['moving.gif', await animated('gif', 20, 200), 'image'],
      ['page.png', await pngWithPage(HTML), 'image'],
      ['photo.heic', heic(), 'file'],
      ...['svg', 'png', 'html', 'mp4'].flatMap((extension): [string, string, string][] => [
        [`drawing.${extension}`, SVG, 'file'],
        [`page.${extension}`, HTML, 'file'],
      ]),
      ['film.mov', await Bun.file(films.phone).bytes(), 'video'],
      ['film.mp4', await Bun.file(films.large).bytes(), 'video'],
      ['voice.ogg', await Bun.file(films.voice).bytes(), 'audio'],
    ]
    const highest = new Map<string, number>()
    const watch = setInterval(() => measure(highest), 20)
    for (const [name, bytes] of refused) {
      expect([name, await upload(bytes, name)]).toEqual([
        name,
        { status: 400, body: { error: 'Validation failed', details: { file: expect.any(String) } } },
      ])
    }
    for (const [name, bytes, kind] of taken) {
      const { status, body } = await upload(bytes, name)
      expect([name, status, body.message?.message_type]).toEqual([name, 201, kind])
      if (kind !== 'file') continue
      const answer = await fetch(`${url}/api/v1/media/${body.message.media_url}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      expect([name, answer.headers.get('content-type'), answer.headers.get('content-disposition')]).toEqual([
        name,
        'application/octet-stream',
        expect.stringMatching(/^attachment/),
      ])
    }
    const large = taken.filter(([name]) => name.includes('megapixels') || name === 'progressive.jpg')
    expect(large).toHaveLength(4)
    const together = await Promise.all(large.map(([name, bytes]) => upload(bytes, name)))
    expect(new Set(together.map(({ status }) => status))).toEqual(new Set([201]))
    clearInterval(watch)

    const figures = [...highest].map(([what, mb]) => `${what} ${Math.round(mb)} MB`).join(', ')
    process.stderr.write(`memory at most: ${figures}\n`)
    const [ofServer, ofWorker] = [highest.get('server') ?? 0, highest.get('image worker') ?? 0]
    expect(Math.min(ofServer, ofWorker)).toBeGreaterThan(0)
    expect(ofServer + ofWorker).toBeLessThan(LIMIT_MB)
    // One film at a time beside them.
    expect(highest.get('ffmpeg') ?? 0).toBeLessThan(LIMIT_MB)
    expect((await request(`${url}/health/ready`, 'GET')).body.status).toBe('ready')
    expect(server.lines.filter((line) => JSON.parse(line).level === 'error')).toEqual([])
  }, 120_000)
})
