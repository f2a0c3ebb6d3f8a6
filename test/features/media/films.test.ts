import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import sharp from 'sharp'
import { loadConfig } from '../../../src/config.ts'
import { createFfmpeg, FfmpegFailed, locateFfmpeg } from '../../../src/features/media/ffmpeg.ts'
import { createFilms, type TranscodeOptions } from '../../../src/features/media/films.ts'
import { createMediaMaker } from '../../../src/features/media/maker.ts'
import { probe } from '../../../src/features/media/probe.ts'
import { CONTAINERS } from '../../../src/features/media/sniff.ts'
import { createWorkshop, type Workshop } from '../../../src/features/media/workshop.ts'
import { HTML } from './corpus.ts'
import { type Film, ffmpeg, hasPlace, hiddenLists, hostileFiles, makeCorpus, PLACE, tone } from './film-corpus.ts'

const TIER = { imageMaxWidth: 500, videoMaxHeight: 720 }
let folder: string
let corpus: Record<Film, string>
let workshop: Workshop
let number = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'messenger-films-'))
  corpus = await makeCorpus(folder, [
    ...([
      'phone',
      'mp4',
      'large',
      'odd',
      'webm',
      'voice',
      'mp3',
      'wav',
      'flac',
      'aac',
      'm4a',
      'long',
      'recorded',
    ] as const),
  ])
  workshop = createWorkshop({ ffmpeg: await locateFfmpeg(undefined), config: loadConfig({}) })
}, 60_000)
afterAll(async () => {
  await workshop.images.close()
  await rm(folder, { recursive: true })
})

/** A copy in a folder of its own, as uploads have one. */
async function arrive(source: string | Uint8Array) {
  const own = join(folder, `arrived${++number}`)
  await mkdir(own)
  const path = join(own, 'sent')
  if (typeof source === 'string') await copyFile(source, path)
  else await writeFile(path, source)
  return { path, size: (await stat(path)).size, sha256: '', fileName: 'sent' }
}
const make = async (source: string | Uint8Array) => workshop.maker.make(await arrive(source), TIER)
async function transcode(source: string | Uint8Array, options: Partial<TranscodeOptions> = {}) {
  const { path } = await arrive(source)
  if (!workshop.films) throw new Error('There is no ffmpeg')
  return workshop.films.transcode(path, { videoMaxHeight: 720, ...options })
}
async function look(path: string) {
  const paths = await locateFfmpeg(undefined)
  if (!paths) throw new Error('There is no ffmpeg')
  return probe(createFfmpeg(paths), { path, container: path.endsWith('mp3') ? 'mp3' : 'mp4' }, folder)
}
const bytesOf = (path: string) => Bun.file(path).bytes()
const beside = async (path: string) => (await readdir(join(path, '..'))).sort()

describe('a video', () => {
  it('has a poster at once, and is made later', async () => {
    const made = await make(corpus.mp4)
    expect(made).toMatchObject({
      kind: 'video',
      extension: 'mp4',
      mimeType: 'video/mp4',
      width: 320,
      height: 180,
      unmade: { extension: 'mp4' },
    })
    expect(made.duration).toBeCloseTo(1, 0)
    expect(await sharp(made.thumbnailPath ?? '').metadata()).toMatchObject({ format: 'jpeg', width: 200, height: 200 })
    expect(made.preview).toStartWith('data:image/webp')
    expect(await beside(made.path)).toEqual(['sent', basename(made.thumbnailPath ?? '')])
  })

  it.each(['phone', 'mp4', 'large', 'odd', 'webm'] as const)('tells nobody where it was taken: %s', async (name) => {
    const isTold = hasPlace(await bytesOf(corpus[name]))
    if (name !== 'odd') expect(isTold).toBe(true)
    const made = await transcode(corpus[name])
    expect(hasPlace(await bytesOf(made.path))).toBe(false)
    expect(await look(made.path)).toMatchObject({ video: { codec: 'h264', pixelFormat: 'yuv420p', isTurned: false } })
    expect(await beside(made.path)).toEqual(['sent', 'sent.made.mp4'])
  })

  it('is turned as it was taken', async () => {
    expect(await make(corpus.phone)).toMatchObject({ width: 360, height: 640 })
    expect(await transcode(corpus.phone)).toMatchObject({ width: 360, height: 640, compressed: true })
  })

  it('is at most 720 high, or what the tier allows, on its shorter side; and even', async () => {
    expect(await transcode(corpus.large)).toMatchObject({ width: 1280, height: 720 })
    expect(await transcode(corpus.large, { videoMaxHeight: 1080 })).toMatchObject({ width: 1920, height: 1080 })
    expect(await transcode(corpus.odd)).toMatchObject({ width: 320, height: 180 })
  })

  it('is not encoded anew when it is what it would be made into', async () => {
    expect(await transcode(corpus.mp4)).toMatchObject({ compressed: false, width: 320, height: 180 })
    expect(await transcode(corpus.webm)).toMatchObject({ compressed: true })
  })

  it('begins to play before all of it is there', async () => {
    const bytes = Buffer.from(await bytesOf((await transcode(corpus.large)).path))
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'))
  })

  it('tells how far it has come', async () => {
    const told: number[] = []
    await transcode(corpus.large, { onProgress: (percent) => told.push(percent) })
    expect(told.length).toBeGreaterThan(0)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
    expect(told.every((percent) => percent >= 0 && percent < 100)).toBe(true)
  })

  it('leaves nothing when it is ended', async () => {
    const ending = new AbortController()
    const { path } = await arrive(corpus.large)
    const made = workshop.films?.transcode(path, {
      videoMaxHeight: 720,
      signal: ending.signal,
      onProgress: () => ending.abort(),
    })
    expect(await made?.catch((error) => error)).toBeInstanceOf(FfmpegFailed)
    expect(await beside(path)).toEqual(['sent'])
    expect(await transcode(corpus.mp4, { signal: AbortSignal.abort() }).catch((error) => error)).toBeInstanceOf(
      FfmpegFailed,
    )
  })
})

describe('a sound', () => {
  it.each([
    ['voice', 'm4a', true],
    ['recorded', 'm4a', true],
    ['wav', 'm4a', true],
    ['flac', 'm4a', true],
    ['aac', 'm4a', false],
    ['m4a', 'm4a', false],
    ['mp3', 'mp3', false],
  ] as const)('that is short is made at once: %s', async (name, extension, compressed) => {
    const made = await make(corpus[name])
    const mimeType = extension === 'mp3' ? 'audio/mpeg' : 'audio/mp4'
    expect(made).toMatchObject({ kind: 'audio', extension, mimeType, compressed, unmade: null, width: null })
    expect(made.duration).toBeCloseTo(2, 0)
    expect(made.waveform).toHaveLength(64)
    expect(made.waveform?.every((bar) => Number.isInteger(bar) && bar >= 0 && bar <= 31)).toBe(true)
    expect(Math.max(...(made.waveform ?? []))).toBe(31)
    expect(hasPlace(await bytesOf(made.path))).toBe(false)
    expect(await look(made.path)).toMatchObject({ video: null, audio: { codec: extension === 'mp3' ? 'mp3' : 'aac' } })
    expect(await beside(made.path)).toEqual(['sent', `sent.made.${extension}`])
  })

  it('shows where it is loud', async () => {
    const rising = join(folder, 'rising.wav')
    await ffmpeg(...tone(2), '-af', "volume='if(lt(t,1),0,1)':eval=frame", rising)
    const { waveform } = await make(rising)
    expect(waveform?.slice(0, 30)).toEqual(Array(30).fill(0))
    expect(Math.min(...(waveform?.slice(34) ?? [0]))).toBeGreaterThan(28)
  })

  it('that is long is made later', async () => {
    const made = await make(corpus.long)
    expect(made).toMatchObject({ kind: 'audio', extension: 'mp3', waveform: null, unmade: { extension: 'mp3' } })
    expect(made.duration).toBeCloseTo(310, 0)
    expect((await transcode(corpus.long)).waveform).toHaveLength(64)
  })
})

describe('what is neither', () => {
  const asFile = {
    kind: 'file',
    extension: 'bin',
    mimeType: 'application/octet-stream',
    compressed: false,
    unmade: null,
  }

  it.each(Object.entries(hostileFiles()))('is kept as it is: %s', async (_, bytes) => {
    const made = await make(bytes)
    expect(made).toMatchObject(asFile)
    expect(Buffer.from(await bytesOf(made.path)).equals(bytes)).toBe(true)
    expect(await beside(made.path)).toEqual(['sent'])
  })

  it('is kept as it is when a film hides a list of others', async () => {
    for (const bytes of hiddenLists()) expect(await make(bytes)).toMatchObject(asFile)
  })

  it('is kept as it is when it holds what nobody plays', async () => {
    const path = join(folder, 'rare.mkv')
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=5:d=1', '-c:v', 'ffv1', path)
    expect(await make(path)).toMatchObject(asFile)
  })

  it('is kept as it is when it says that it lasts for days', async () => {
    const film = Buffer.from(await bytesOf(corpus.mp4))
    // The length in its header, in thousandths of a second (ISO 14496-12, 8.2.2), and in those of its tracks.
    for (const [box, offset] of [
      ['mvhd', 20],
      ['tkhd', 24],
      ['mdhd', 20],
    ] as const) {
      for (let at = film.indexOf(box); at >= 0; at = film.indexOf(box, at + 1))
        film.writeUInt32BE(0xffff_fff0, at + offset)
    }
    expect(await make(film)).toMatchObject(asFile)
  })

  it('is kept as it is when it has more streams than any film', async () => {
    const path = join(folder, 'many.mkv')
    const streams = Array.from({ length: 40 }, () => ['-map', '0:v']).flat()
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=32x32:r=5:d=1', ...streams, '-c:v', 'libx264', path)
    expect(await make(path)).toMatchObject(asFile)
  })
})

describe('without ffmpeg', () => {
  it('videos and sounds are served as they were sent', async () => {
    const maker = createMediaMaker({ images: workshop.images, films: undefined, imageFormat: 'webp' })
    const { path, ...rest } = await arrive(corpus.mp4)
    const made = await maker.make({ path, ...rest }, TIER)
    expect(made).toMatchObject({ kind: 'video', path, extension: 'mp4', mimeType: 'video/mp4', unmade: null })
    expect(await maker.make(await arrive(corpus.voice), TIER)).toMatchObject({ kind: 'audio', mimeType: 'audio/ogg' })
    expect(await maker.make(await arrive(Buffer.from(HTML)), TIER)).toMatchObject({ kind: 'file' })
  })

  it('a path that leads to none is not taken', async () => {
    expect(await locateFfmpeg('/nowhere/ffmpeg')).toBeUndefined()
    expect(await locateFfmpeg(corpus.mp4)).toBeUndefined()
  })
})

describe('the jail', () => {
  it('takes no list of other files, whatever the file is said to be', async () => {
    const jail = createFfmpeg((await locateFfmpeg(undefined)) ?? { ffmpeg: '', ffprobe: '' })
    const lists = [
      `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://${corpus.wav}\n#EXT-X-ENDLIST\n`,
      `ffconcat version 1.0\nfile '${corpus.wav}'\n`,
      `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n`,
    ]
    for (const list of lists) {
      const { path } = await arrive(Buffer.from(list))
      for (const container of CONTAINERS) expect(await probe(jail, { path, container }, folder)).toBeUndefined()
    }
  })

  it('ends what takes too long or writes too much, and what it made goes', async () => {
    const jail = createFfmpeg((await locateFfmpeg(undefined)) ?? { ffmpeg: '', ffprobe: '' })
    const input = { path: corpus.large, container: 'mp4' } as const
    const out = join(folder, 'out.mp4')
    const again = ['-c:v', 'libx264', '-f', 'mp4', out]
    const run = (options: { seconds: number; maxFileBytes: number }, ...before: string[]) =>
      jail.run('ffmpeg', { input, before: ['-y', ...before], after: again, folder, ...options }).catch((error) => error)
    expect(await run({ seconds: 60, maxFileBytes: 1000 })).toBeInstanceOf(FfmpegFailed)
    expect(await run({ seconds: 1, maxFileBytes: 1e9 }, '-stream_loop', '-1')).toBeInstanceOf(FfmpegFailed)
    await rm(out, { force: true })
  })

  it('knows no setting and writes nowhere but where it is told', async () => {
    const films = createFilms({
      images: workshop.images,
      ffmpeg: {
        run: async (_, { folder: own }) => {
          expect(await readdir(own)).toEqual([])
          throw new FfmpegFailed('seen')
        },
      },
    })
    expect(await films.look(await arrive(corpus.mp4), 'mp4', TIER)).toBeUndefined()
    expect(PLACE).toContain('51.5074')
  })
})
