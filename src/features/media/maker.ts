/** What becomes of a file: by its content alone, an image, a video, a sound, or a file that nobody opens here. */
import type { Films } from './films.ts'
import type { Arrived, ImageMaker, ImageOptions, Made, MediaMaker } from './making.ts'
import { type Container, sniffFile } from './sniff.ts'

export interface MakerOptions {
  images: ImageMaker
  /** Undefined without ffmpeg: videos and sounds are kept as they are, and served at once. */
  films: Films | undefined
  imageFormat: ImageOptions['format']
}

export function createMediaMaker({ images, films, imageFormat }: MakerOptions): MediaMaker {
  return {
    async make(arrived, options) {
      const { image, container } = await sniffFile(arrived.path)
      if (image) {
        const made = await images.make(arrived.path, { maxWidth: options.imageMaxWidth, format: imageFormat })
        return { ...keepFile(arrived), ...made, kind: 'image', compressed: true }
      }
      if (!container) return keepFile(arrived)
      if (!films) return { ...keepFile(arrived), ...UNSEEN[container] }
      return (await films.look(arrived, container, options)) ?? keepFile(arrived)
    },
  }
}

/** As it is, byte by byte: of no type that anything opens by itself, whatever it says it is. */
export const keepFile = ({ path, size }: Pick<Arrived, 'path' | 'size'>): Made => ({
  kind: 'file',
  path,
  extension: 'bin',
  mimeType: 'application/octet-stream',
  size,
  thumbnailPath: null,
  width: null,
  height: null,
  duration: null,
  preview: null,
  waveform: null,
  compressed: false,
  unmade: null,
})

/** What a browser may try to play of a container that nobody has looked into: harmless, should it be something else. */
const UNSEEN: Record<Container, Pick<Made, 'kind' | 'extension' | 'mimeType'>> = {
  mp4: { kind: 'video', extension: 'mp4', mimeType: 'video/mp4' },
  matroska: { kind: 'video', extension: 'webm', mimeType: 'video/webm' },
  ogg: { kind: 'audio', extension: 'ogg', mimeType: 'audio/ogg' },
  mp3: { kind: 'audio', extension: 'mp3', mimeType: 'audio/mpeg' },
  wav: { kind: 'audio', extension: 'wav', mimeType: 'audio/wav' },
  flac: { kind: 'audio', extension: 'flac', mimeType: 'audio/flac' },
  aac: { kind: 'audio', extension: 'aac', mimeType: 'audio/aac' },
}
