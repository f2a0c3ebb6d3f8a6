/** What a file is by its first bytes. Names and what a sender claims say nothing. */
import { open } from 'node:fs/promises'

/** What sharp is asked to decode, and nothing else. */
export const IMAGE_FORMATS = ['jpeg', 'png', 'webp', 'gif'] as const
export type ImageFormat = (typeof IMAGE_FORMATS)[number]

/** What ffmpeg is asked to open, each by the one demuxer that belongs to it. */
export const CONTAINERS = ['mp4', 'matroska', 'ogg', 'mp3', 'wav', 'flac', 'aac'] as const
export type Container = (typeof CONTAINERS)[number]

export type Sniffed =
  | { image: ImageFormat; container?: undefined }
  | { container: Container; image?: undefined }
  | { image?: undefined; container?: undefined }

const SNIFF_BYTES = 64

export async function sniffFile(path: string): Promise<Sniffed> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0)
    return sniff(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

export function sniff(head: Uint8Array): Sniffed {
  const begins: Begins = { hex: Buffer.from(head).toString('hex'), text: Buffer.from(head).toString('latin1') }
  const image = IMAGE_FORMATS.find((format) => IMAGE_MARKS[format](begins))
  if (image) return { image }
  const container = CONTAINERS.find((one) => CONTAINER_MARKS[one](begins))
  return container ? { container } : {}
}

/** The first bytes, two digits each and as one character each. */
interface Begins {
  hex: string
  text: string
}
type Mark = (begins: Begins) => boolean

const hex =
  (pattern: RegExp): Mark =>
  (begins) =>
    pattern.test(begins.hex)
const text =
  (pattern: RegExp): Mark =>
  (begins) =>
    pattern.test(begins.text)

const IMAGE_MARKS: Record<ImageFormat, Mark> = {
  jpeg: hex(/^ffd8ff/),
  // PNG specification, 5.2.
  png: hex(/^89504e470d0a1a0a/),
  webp: text(/^RIFF.{4}WEBP/s),
  gif: text(/^GIF8[79]a/),
}

/**
 * ISO 14496-12, 4.3: the brands of films and sounds. HEIC and AVIF, pictures in the same boxes, are none of them. QuickTime
 * may also begin with another box.
 */
const FILM =
  /^.{4}(?:ftyp(?:isom|iso[2-9]|mp4[12]|avc1|dash|M4[ABPV] |M4VH|MSNV|qt {2}|3g[2gp][0-9a-z]|mmp4|f4v )|moov|mdat|wide)/s
const CONTAINER_MARKS: Record<Container, Mark> = {
  mp4: text(FILM),
  matroska: hex(/^1a45dfa3/),
  ogg: text(/^OggS/),
  // With a tag, or a frame of layer III at once.
  mp3: hex(/^(?:4944330[234]|ff(?:e[23]|f[23ab]))/),
  wav: text(/^RIFF.{4}WAVE/s),
  flac: text(/^fLaC/),
  // A frame in ADTS.
  aac: hex(/^fff[0189]/),
}
