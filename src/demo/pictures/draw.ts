/** Drawings become files. The only part of the demo that knows sharp. */
import sharp, { type Sharp } from 'sharp'
import { type Picture, pixelsOf, seeded, toSvg } from './svg.ts'

/** As a camera writes it. */
export const toJpeg = (picture: Picture): Promise<Buffer> => draw(picture).jpeg({ quality: 90 }).toBuffer()

/** For a profile. */
export const toPng = (picture: Picture): Promise<Buffer> => draw(picture).png().toBuffer()

function draw(picture: Picture): Sharp {
  const drawing = sharp(Buffer.from(toSvg(picture))).flatten({ background: '#ffffff' })
  const { grain = 0 } = picture
  if (grain === 0) return drawing
  const size = pixelsOf(picture)
  const random = seeded(7)
  const grey = () => 128 + (random() - random()) * grain * 128
  const noise = Buffer.from(Uint8Array.from({ length: size.width * size.height }, grey))
  return drawing.composite([{ input: noise, raw: { ...size, channels: 1 }, blend: 'overlay' }])
}
