/**
 * Images by sharp. Only the image worker loads this: a decoder that crashes, leaks or takes too much memory is never in the
 * server's own process.
 */
import { rm, stat } from 'node:fs/promises'
import sharp, { type Metadata, type Sharp } from 'sharp'
import type { ImageOptions, MadeImage } from './making.ts'
import { type ImageFormat, sniffFile } from './sniff.ts'

const MEGA = 1_000_000
const MAX_PIXELS = 25 * MEGA
/** Of a JPEG that is shrunk while it is decoded, which a progressive one cannot be. */
const MAX_PIXELS_SHRUNK = 100 * MEGA
/** What is progressive or interlaced is held in memory as a whole before the first line of it is there. */
const MAX_BYTES_HELD = 150 * MEGA
const MAX_FRAMES = 500
/** What is made may be so many times as high as it may be wide, and no larger than this, whatever the width. */
const MAX_HEIGHT_RATIO = 4
const MAX_PIXELS_MADE = 8 * MEGA
const THUMBNAIL_PIXELS = 200
const AVATAR_PIXELS = 512
const PREVIEW_PIXELS = 20
const MEBIBYTE = 1024 * 1024

/** Told to whoever sent the image. */
export class ImageRefused extends Error {
  override readonly name = 'ImageRefused'
}

/** No formats but ours, whatever sharp could open (SVG above all); one thread; nothing kept. Once for a process. */
export function setUpSharp(): void {
  sharp.block({ operation: ['VipsForeignLoad'] })
  const loaders = ['Jpeg', 'Png', 'Webp', 'Nsgif'].map((name) => `VipsForeignLoad${name}File`)
  sharp.unblock({ operation: loaders })
  sharp.concurrency(1)
  sharp.cache(false)
}

/** Makes a picture out of nothing. @returns the versions of what made it; @throws when it does not work on this machine */
export async function tryOut(): Promise<string> {
  await sharp({ create: { width: 16, height: 16, channels: 3, background: 'teal' } })
    .webp()
    .toBuffer()
  return `${sharp.versions.sharp}, libvips ${sharp.versions.vips}`
}

/** @throws ImageRefused */
export async function makeImage(path: string, { maxWidth, format }: ImageOptions): Promise<MadeImage> {
  const source = await examine(path)
  const extension = outputOf(source.format, format)
  const made = `${path}.made.${extension}`
  return cleaningUp([made, thumbnailOf(path)], async () => {
    const quality = qualityFor((await stat(path)).size)
    const maxHeight = Math.min(maxWidth * MAX_HEIGHT_RATIO, Math.floor(MAX_PIXELS_MADE / maxWidth))
    const within = { width: maxWidth, height: maxHeight, fit: 'inside', withoutEnlargement: true } as const
    const resized = source.open({ animated: source.isAnimated }).autoOrient().resize(within)
    const { width, height, pageHeight, size } = await encode(resized, extension, quality).toFile(made)
    return {
      path: made,
      extension,
      mimeType: MIME_TYPES[extension],
      size,
      width,
      height: pageHeight ?? height,
      ...(await makeSmall(made, path)),
    }
  })
}

/** @throws ImageRefused */
export async function makePoster(path: string): Promise<Pick<MadeImage, 'thumbnailPath' | 'preview'>> {
  await examine(path)
  return cleaningUp([thumbnailOf(path)], () => makeSmall(path, path))
}

/** @returns the path; @throws ImageRefused */
export async function makeAvatar(path: string): Promise<string> {
  const source = await examine(path)
  const made = `${path}.avatar.webp`
  const within = { width: AVATAR_PIXELS, height: AVATAR_PIXELS, fit: 'inside', withoutEnlargement: true } as const
  return cleaningUp([made], async () => {
    await source.open({ animated: false }).autoOrient().resize(within).webp({ quality: 85 }).toFile(made)
    return made
  })
}

interface Source {
  format: ImageFormat
  isAnimated: boolean
  open(options: { animated: boolean }): Sharp
}

/** Reads what an image says of itself, and refuses what would be too much, before a pixel is decoded. */
async function examine(path: string): Promise<Source> {
  const { image: format } = await sniffFile(path)
  if (!format) throw new ImageRefused('is no image')
  const metadata: Metadata = await sharp(path, { limitInputPixels: false }).metadata()
  const { width, height, channels, depth, pages: frames = 1, isProgressive = false } = metadata
  const isJpeg = format === 'jpeg'
  const maxPixels = isJpeg && !isProgressive ? MAX_PIXELS_SHRUNK : MAX_PIXELS
  // Of an animation the height is that of one frame.
  const pixels = width * height * frames
  if (pixels > maxPixels) {
    throw new ImageRefused(`has more than ${maxPixels / MEGA} megapixels${frames > 1 ? ' in all its frames' : ''}`)
  }
  if (frames > MAX_FRAMES) throw new ImageRefused(`has more than ${MAX_FRAMES} frames`)
  // The coefficients of a JPEG have 16 bits.
  const bytesHeld = isProgressive ? pixels * channels * (isJpeg || depth === 'ushort' ? 2 : 1) : 0
  if (bytesHeld > MAX_BYTES_HELD) throw new ImageRefused('is too large for an image that is progressive or interlaced')
  return {
    format,
    isAnimated: frames > 1,
    // Cameras write what is not quite right, and shows well: only what is damaged is refused.
    open: ({ animated }) => sharp(path, { limitInputPixels: maxPixels, failOn: 'error', animated }),
  }
}

const MIME_TYPES = { webp: 'image/webp', jpg: 'image/jpeg', png: 'image/png' } as const
type Extension = keyof typeof MIME_TYPES

function outputOf(input: ImageFormat, wanted: ImageOptions['format']): Extension {
  if (wanted === 'webp') return 'webp'
  return input === 'jpeg' ? 'jpg' : input === 'png' ? 'png' : 'webp'
}

function encode(image: Sharp, extension: Extension, quality: number): Sharp {
  // Metadata, profiles included, goes by sharp's default; colours are turned into sRGB by the profile before.
  if (extension === 'jpg') return image.jpeg({ quality })
  return extension === 'png' ? image.png({ compressionLevel: 9 }) : image.webp({ quality })
}

/** Per cent, by the size of the original in bytes: the larger, the more can go. */
function qualityFor(size: number): number {
  if (size > 10 * MEBIBYTE) return 70
  if (size > 5 * MEBIBYTE) return 75
  return size > MEBIBYTE ? 80 : 85
}

const thumbnailOf = (path: string) => `${path}.thumb.jpg`

async function makeSmall(image: string, path: string): Promise<Pick<MadeImage, 'thumbnailPath' | 'preview'>> {
  const thumbnailPath = thumbnailOf(path)
  const square = { width: THUMBNAIL_PIXELS, height: THUMBNAIL_PIXELS, fit: 'cover' } as const
  await sharp(image).resize(square).flatten({ background: 'white' }).jpeg({ quality: 80 }).toFile(thumbnailPath)
  const tiny = { width: PREVIEW_PIXELS, height: PREVIEW_PIXELS, fit: 'inside' } as const
  const bytes = await sharp(image).resize(tiny).webp({ quality: 30, alphaQuality: 30 }).toBuffer()
  return { thumbnailPath, preview: `data:image/webp;base64,${bytes.toString('base64')}` }
}

/** Of work that failed nothing stays. */
async function cleaningUp<T>(paths: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await Promise.all(paths.map((path) => rm(path, { force: true })))
    throw error
  }
}
