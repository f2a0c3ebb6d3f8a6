import { afterAll, afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { createImagePool } from '../../../src/features/media/image-pool.ts'
import { createImageMaker } from '../../../src/features/media/images.ts'
import type { ImageOptions } from '../../../src/features/media/making.ts'
import { animated, gifBomb, halves, hasGps, heic, jpegBomb, phonePhoto, pngBomb, pngWithPage, SVG } from './corpus.ts'

const images = createImageMaker(createImagePool())
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'messenger-images-'))
})
afterEach(() => rm(folder, { recursive: true }))
afterAll(() => images.close())

const WEBP: ImageOptions = { maxWidth: 500, format: 'webp' }
const path = () => join(folder, 'sent')
async function make(bytes: Uint8Array | string, options = WEBP) {
  await writeFile(path(), bytes)
  return images.make(path(), options)
}
const bytesOf = (file: string) => Bun.file(file).bytes()
const refusal = (made: Promise<unknown>) =>
  made.then(
    () => ({ message: 'made' }),
    (error) => ({ status: error.status, details: error.details }),
  )
/** Red, green and blue of one pixel. */
async function colourAt(file: string | Buffer, left: number, top: number): Promise<number[]> {
  const pixel = sharp(file).extract({ left, top, width: 1, height: 1 }).removeAlpha().toColourspace('srgb')
  return [...(await pixel.raw().toBuffer())]
}
const isNear = (colour: number[], wanted: number[]) =>
  colour.length === 3 && colour.every((value, index) => Math.abs(value - (wanted[index] ?? 0)) < 40)

describe('an image', () => {
  it('becomes a WebP within the width, with a thumbnail and a preview', async () => {
    const made = await make(await halves(1200, 900).png().toBuffer())
    expect(made).toMatchObject({ width: 500, height: 375, extension: 'webp', mimeType: 'image/webp' })
    expect(await sharp(made.path).metadata()).toMatchObject({ format: 'webp', width: 500, height: 375 })
    expect(made.size).toBe(Bun.file(made.path).size)
    expect(await sharp(made.thumbnailPath).metadata()).toMatchObject({ format: 'jpeg', width: 200, height: 200 })
    expect(made.preview.length).toBeLessThan(600)
    const preview = Buffer.from(made.preview.replace('data:image/webp;base64,', ''), 'base64')
    expect(await sharp(preview).metadata()).toMatchObject({ format: 'webp', width: 20, height: 15 })
    expect(isNear(await colourAt(preview, 2, 7), [255, 0, 0])).toBe(true)
  })

  it('has a small preview whatever it shows', async () => {
    const noise = await sharp(crypto.getRandomValues(new Uint8Array(40_000)), {
      raw: { width: 100, height: 100, channels: 4 },
    })
      .png()
      .toBuffer()
    expect((await make(noise)).preview.length).toBeLessThan(600)
  })

  it('is never enlarged', async () => {
    expect(await make(await halves(60, 40).png().toBuffer())).toMatchObject({ width: 60, height: 40 })
  })

  it('is limited by its width, and a strip by its height too', async () => {
    expect(await make(await halves(1000, 1500).jpeg().toBuffer())).toMatchObject({ width: 500, height: 750 })
    expect(await make(await halves(200, 9000).jpeg().toBuffer())).toMatchObject({ width: 44, height: 2000 })
  })

  it('stays a JPEG or PNG when the server is to keep them', async () => {
    const original: ImageOptions = { maxWidth: 500, format: 'original' }
    const jpeg = await make(await halves(800, 600).jpeg().toBuffer(), original)
    expect(jpeg).toMatchObject({ extension: 'jpg', mimeType: 'image/jpeg', width: 500 })
    expect(await sharp(jpeg.path).metadata()).toMatchObject({ format: 'jpeg' })
    const png = await make(await halves(800, 600).png().toBuffer(), original)
    expect(png).toMatchObject({ extension: 'png', mimeType: 'image/png', width: 500 })
    expect(await make(await animated('gif', 3, 50), original)).toMatchObject({ extension: 'webp' })
  })

  it('is turned as it was taken, and tells nobody where that was', async () => {
    const photo = await phonePhoto()
    expect(hasGps(photo)).toBe(true)
    for (const format of ['webp', 'original'] as const) {
      const made = await make(photo, { maxWidth: 500, format })
      expect(made).toMatchObject({ width: 500, height: 667 })
      for (const file of [made.path, made.thumbnailPath]) {
        expect(hasGps(await bytesOf(file))).toBe(false)
        const { exif, xmp, icc, iptc, orientation = 1 } = await sharp(file).metadata()
        expect([exif, xmp, icc, iptc, orientation]).toEqual([undefined, undefined, undefined, undefined, 1])
      }
      // Red was left; the picture was turned to the right.
      expect(isNear(await colourAt(made.path, 250, 20), [255, 0, 0])).toBe(true)
      expect(isNear(await colourAt(made.path, 250, 640), [0, 0, 255])).toBe(true)
    }
  })

  it('has the colours of the screen: CMYK, 16 bits, a profile, grey', async () => {
    const red = (made: { path: string }) => colourAt(made.path, 10, 10).then((colour) => isNear(colour, [255, 0, 0]))
    expect(await red(await make(await halves(100, 100).toColourspace('cmyk').jpeg().toBuffer()))).toBe(true)
    expect(await red(await make(await halves(100, 100).toColourspace('rgb16').png().toBuffer()))).toBe(true)
    const wide = await make(await halves(100, 100).withIccProfile('p3').jpeg().toBuffer())
    expect(await red(wide)).toBe(true)
    expect(await sharp(wide.path).metadata()).toMatchObject({ space: 'srgb', depth: 'uchar' })
    const deep = await make(await halves(100, 100).toColourspace('rgb16').png().toBuffer(), {
      ...WEBP,
      format: 'original',
    })
    expect(await sharp(deep.path).metadata()).toMatchObject({ space: 'srgb', depth: 'uchar' })
    const grey = await make(await halves(100, 100).greyscale().toColourspace('grey16').png().toBuffer())
    expect((await colourAt(grey.path, 10, 10)).length).toBe(3)
  })

  it.each(['gif', 'webp'] as const)('keeps moving: %s', async (format) => {
    const made = await make(await animated(format, 12, 120), { maxWidth: 100, format: 'webp' })
    expect(made).toMatchObject({ width: 100, height: 100, extension: 'webp' })
    expect(await sharp(made.path, { animated: true }).metadata()).toMatchObject({ pages: 12, pageHeight: 100 })
    expect(await sharp(made.thumbnailPath).metadata()).toMatchObject({ width: 200, height: 200 })
  })

  it('loses what else was in its file', async () => {
    const zip = Buffer.from('504b0304140000000800', 'hex')
    const both = Buffer.concat([await halves(64, 64).gif().toBuffer(), zip, Buffer.from('META-INF/evil.class')])
    const made = await make(both)
    expect(Buffer.from(await bytesOf(made.path)).includes('META-INF')).toBe(false)
    const page = '<script>alert(1)</script>'
    for (const format of ['webp', 'original'] as const) {
      const drawn = await make(await pngWithPage(page), { maxWidth: 500, format })
      expect(Buffer.from(await bytesOf(drawn.path)).includes('script')).toBe(false)
    }
  })
})

describe('an image that cannot be', () => {
  const tooLarge = { status: 400, details: { file: expect.stringContaining('megapixels') } }

  it('is refused by what it says of its size, before a pixel is decoded', async () => {
    const bombs = [
      pngBomb(100_000, 100_000),
      pngBomb(5001, 5000),
      await jpegBomb(65_000, 65_000),
      await gifBomb(65_535, 65_535),
      await animated('gif', 65, 640),
    ]
    for (const bomb of bombs) expect(await refusal(make(bomb))).toEqual(tooLarge)
    expect(await refusal(make(await animated('webp', 501, 4)))).toMatchObject({ status: 400 })
    expect(await readdir(folder)).toEqual(['sent'])
  })

  it('is taken as a JPEG of up to 100 megapixels, which is shrunk while it is decoded', async () => {
    const large = { create: { width: 10_000, height: 9_999, channels: 3, background: 'teal' } } as const
    expect(await make(await sharp(large).jpeg().toBuffer())).toMatchObject({ width: 500, height: 500 })
    expect(await refusal(make(await sharp(large).jpeg({ progressive: true }).toBuffer()))).toEqual(tooLarge)
    expect(await refusal(make(await jpegBomb(10_001, 10_000)))).toEqual(tooLarge)
  })

  it('is refused when it is damaged', async () => {
    const damaged = { status: 400, details: { file: 'is damaged' } }
    const whole = await sharp(crypto.getRandomValues(new Uint8Array(120_000)), {
      raw: { width: 200, height: 200, channels: 3 },
    })
    for (const format of ['jpeg', 'png', 'webp', 'gif'] as const) {
      const bytes = await whole.clone().toFormat(format).toBuffer()
      expect([format, await refusal(make(bytes.subarray(0, bytes.length / 2)))]).toEqual([format, damaged])
      expect([format, await refusal(make(bytes.subarray(0, 40)))]).toEqual([format, damaged])
    }
    expect(await refusal(make('GIF89a<script>alert(1)</script>'))).toEqual(damaged)
    expect(await readdir(folder)).toEqual(['sent'])
  })

  it('is no image when it is SVG, whatever sharp could make of it', async () => {
    expect(await refusal(make(SVG))).toEqual({ status: 400, details: { file: 'is no image' } })
  })
})

describe('an avatar', () => {
  it('is a still WebP within 512 x 512', async () => {
    await writeFile(path(), await halves(2000, 1000).png().toBuffer())
    const made = await images.makeAvatar(path())
    expect(await sharp(made).metadata()).toMatchObject({ format: 'webp', width: 512, height: 256 })
    await writeFile(path(), await animated('gif', 5, 40))
    expect(await sharp(await images.makeAvatar(path()), { animated: true }).metadata()).toMatchObject({ width: 40 })
    expect((await sharp(made, { animated: true }).metadata()).pages ?? 1).toBe(1)
  })

  it('tells nobody where it was taken', async () => {
    await writeFile(path(), await phonePhoto())
    const made = await images.makeAvatar(path())
    expect(hasGps(await bytesOf(made))).toBe(false)
    expect(await sharp(made).metadata()).toMatchObject({ width: 384, height: 512 })
  })

  it.each([
    ['HEIC', heic()],
    ['SVG', Buffer.from(SVG)],
    ['nothing', Buffer.alloc(0)],
  ])('is no %s', async (_, bytes) => {
    await writeFile(path(), bytes)
    expect(await refusal(images.makeAvatar(path()))).toMatchObject({ status: 415 })
  })

  it('is refused by its own name when it is damaged', async () => {
    await writeFile(path(), pngBomb(90_000, 90_000))
    expect(await refusal(images.makeAvatar(path()))).toMatchObject({
      status: 400,
      details: { avatar: expect.any(String) },
    })
  })
})

describe('a poster', () => {
  it('has a thumbnail and a preview', async () => {
    await writeFile(path(), await halves(640, 360).png().toBuffer())
    const made = await images.makePoster(path())
    expect(await sharp(made.thumbnailPath).metadata()).toMatchObject({ format: 'jpeg', width: 200, height: 200 })
    expect(made.preview).toStartWith('data:image/webp')
  })
})
