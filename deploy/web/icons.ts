/** The icons, drawn from one SVG, and the manifest that names them. */
import sharp from 'sharp'
import { hashOf, type Made } from './made.ts'

const SIZES = [192, 512]
const APPLE_SIZE = 180
const FAVICON_SIZE = 48
/** Of a maskable icon's side that is sure to be seen (W3C Manifest, "safe zone": a circle of 40 % radius). */
const SAFE = 0.72
const PETROL = '#0b6b5d'

export async function drawIcons(path: string): Promise<{ files: Made[]; manifest: object }> {
  const svg = await Bun.file(path).bytes()
  const draw = (size: number) => sharp(svg, { density: 300 }).resize(size, size).png({ palette: true }).toBuffer()
  const drawMaskable = async (size: number) => {
    const inner = await draw(Math.round(size * SAFE))
    const base = { create: { width: size, height: size, channels: 4 as const, background: PETROL } }
    return sharp(base)
      .composite([{ input: inner }])
      .png({ palette: true })
      .toBuffer()
  }
  const named = (name: string, bytes: Uint8Array, ending = 'png'): Made => ({
    path: `/assets/${name}-${hashOf(bytes)}.${ending}`,
    bytes,
  })
  const plain = await Promise.all(SIZES.map(async (size) => ({ size, file: named(`icon-${size}`, await draw(size)) })))
  const maskable = named('icon-maskable', await drawMaskable(512))
  const files = [...plain.map(({ file }) => file), maskable]
  const manifest = {
    name: 'messenger',
    short_name: 'messenger',
    id: '/',
    start_url: '/',
    scope: '/',
    display: 'standalone',
    background_color: '#eef2f0',
    theme_color: PETROL,
    categories: ['social'],
    icons: [
      ...plain.map(({ size, file }) => ({ src: file.path, sizes: `${size}x${size}`, type: 'image/png' })),
      { src: maskable.path, sizes: '512x512', type: 'image/png', purpose: 'maskable' },
    ],
  }
  const favicon = { path: '/favicon.ico', bytes: await draw(FAVICON_SIZE) }
  const apple = { path: '/assets/apple-touch-icon.png', bytes: await drawMaskable(APPLE_SIZE) }
  return { files: [...files, favicon, apple], manifest }
}
