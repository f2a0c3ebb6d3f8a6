/** Images as people and attackers send them, made when the tests run. */
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'

export const GPS_MARK = '51/1 30/1 2678/100'
/** What EXIF writes of it: 51, 30 and 26.78 as fractions of 32 bits, least significant byte first. */
const GPS_BYTES = Buffer.from(new Uint32Array([51, 1, 30, 1, 2678, 100]).buffer)
export const hasGps = (bytes: Uint8Array): boolean => {
  const text = Buffer.from(bytes)
  const swapped = Buffer.from(GPS_BYTES).swap32()
  return [GPS_BYTES, swapped, Buffer.from('Exif'), Buffer.from('GPSLatitude')].some((mark) => text.includes(mark))
}

/** The left half red, the right half blue: what is turned shows. */
export function halves(width: number, height: number) {
  const right = { create: { width: Math.ceil(width / 2), height, channels: 3, background: 'blue' } } as const
  return sharp({ create: { width, height, channels: 3, background: 'red' } }).composite([
    { input: right, gravity: 'east' },
  ])
}

/** Taken with the phone on its side: 800 x 600 as stored, 600 x 800 as shown, with the place where it was. */
export const phonePhoto = (): Promise<Buffer> =>
  halves(800, 600)
    .jpeg()
    .withMetadata({ orientation: 6 })
    .withExifMerge({
      IFD0: { Make: 'Phone' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: GPS_MARK, GPSLongitudeRef: 'W', GPSLongitude: GPS_MARK },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><GPSLatitude>51,30.44N</GPSLatitude></x:xmpmeta>')
    .toBuffer()

export async function animated(format: 'gif' | 'webp', frames: number, size: number): Promise<Buffer> {
  const colours = ['red', 'green', 'blue', 'white']
  const all = Array.from({ length: frames }, (_, index) =>
    sharp({ create: { width: size, height: size, channels: 3, background: colours[index % 4] ?? 'red' } })
      .png()
      .toBuffer(),
  )
  const film = sharp(await Promise.all(all), { join: { animated: true } })
  return (format === 'gif' ? film.gif() : film.webp()).toBuffer()
}

/** A few hundred bytes that say they are `width` x `height` pixels, and more than that when they are decoded. */
export function pngBomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 6, 0, 0, 0], 8)
  const lines = deflateSync(Buffer.alloc(1_000_000))
  return Buffer.concat([PNG_SIGNATURE, chunk('IHDR', header), chunk('IDAT', lines), chunk('IEND', Buffer.alloc(0))])
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(Bun.hash.crc32(body))
  return Buffer.concat([length, body, sum])
}

/** A PNG in which a browser that guessed would find a page. */
export async function pngWithPage(page: string): Promise<Buffer> {
  const png = await halves(64, 64).png().toBuffer()
  const text = chunk('tEXt', Buffer.from(`Comment\0${page}`))
  return Buffer.concat([png.subarray(0, 33), text, png.subarray(33), Buffer.from(page)])
}

/** A picture of the same size everywhere else, but for what it says of its size. */
export async function jpegBomb(width: number, height: number): Promise<Buffer> {
  const jpeg = Buffer.from(await halves(64, 64).jpeg().toBuffer())
  const frame = jpeg.indexOf(Buffer.from('ffc0', 'hex'))
  jpeg.writeUInt16BE(height, frame + 5)
  jpeg.writeUInt16BE(width, frame + 7)
  return jpeg
}

export async function gifBomb(width: number, height: number): Promise<Buffer> {
  const gif = Buffer.from(await halves(64, 64).gif().toBuffer())
  // Of the screen, and of the one frame at its corner.
  for (const at of [6, gif.indexOf(Buffer.from('2c00000000', 'hex')) + 5]) {
    gif.writeUInt16LE(width, at)
    gif.writeUInt16LE(height, at + 2)
  }
  return gif
}

/** What a phone of another make sends; no more than its first box matters. */
export const heic = (): Buffer =>
  Buffer.concat([Buffer.from('00000018', 'hex'), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(2000, 7)])

export const SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
export const HTML = '<!doctype html><script>alert(document.domain)</script>'
