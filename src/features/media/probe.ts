/** What a video or a sound is: asked of ffprobe, believed as far as the lists here go. */
import { type Ffmpeg, FfmpegFailed, type Input, MAX_FRAME_PIXELS } from './ffmpeg.ts'

export interface Probed {
  /** In seconds; null when the file does not say. */
  duration: number | null
  video: {
    codec: string
    /** In pixels, as shown. */
    width: number
    height: number
    isTurned: boolean
    pixelFormat: string
  } | null
  audio: { codec: string; channels: number; bitsPerSecond: number | null } | null
  /** Of the whole file. */
  bitsPerSecond: number | null
}

const VIDEO_CODECS = ['h264', 'hevc', 'vp8', 'vp9', 'av1', 'mpeg4', 'h263', 'mjpeg']
const AUDIO_CODECS = ['aac', 'mp3', 'opus', 'vorbis', 'flac', 'alac', 'ac3', 'eac3', 'amr_nb', 'amr_wb']
const isAudioCodec = (codec: string) => AUDIO_CODECS.includes(codec) || codec.startsWith('pcm_')

const WITHIN_SECONDS = 10
const MAX_ANSWER_BYTES = 256 * 1024
const LOOKED_AT = ['-probesize', '5000000', '-analyzeduration', '5000000']
const FIELDS =
  'format=duration,bit_rate:stream=codec_type,codec_name,width,height,pix_fmt,channels,bit_rate:' +
  'stream_disposition=attached_pic:stream_side_data=rotation:stream_tags=rotate'

/** @returns undefined for what is neither video nor sound, or none that we know */
export async function probe(ffmpeg: Ffmpeg, input: Input, folder: string): Promise<Probed | undefined> {
  let answer = ''
  try {
    await ffmpeg.run('ffprobe', {
      input,
      before: [...LOOKED_AT, '-show_entries', FIELDS, '-of', 'json'],
      after: [],
      folder,
      seconds: WITHIN_SECONDS,
      maxOutputBytes: MAX_ANSWER_BYTES,
      onOutput: (chunk) => {
        answer += Buffer.from(chunk).toString('latin1')
      },
    })
  } catch (error) {
    if (error instanceof FfmpegFailed) return undefined
    throw error
  }
  return understand(JSON.parse(answer) as Answer)
}

interface Answer {
  streams?: {
    codec_type?: string
    codec_name?: string
    width?: number
    height?: number
    pix_fmt?: string
    channels?: number
    bit_rate?: string
    disposition?: { attached_pic?: number }
    side_data_list?: { rotation?: number }[]
    tags?: { rotate?: string }
  }[]
  format?: { duration?: string; bit_rate?: string }
}

function understand({ streams = [], format = {} }: Answer): Probed | undefined {
  // The cover of a record is no film.
  const film = streams.find((one) => one.codec_type === 'video' && one.disposition?.attached_pic !== 1)
  const sound = streams.find((one) => one.codec_type === 'audio')
  const video = film && toVideo(film)
  const audio = sound && toAudio(sound)
  const isKnown = (film ? video : audio) !== undefined && (!sound || audio !== undefined)
  if (!isKnown) return undefined
  return {
    duration: toNumber(format.duration),
    bitsPerSecond: toNumber(format.bit_rate),
    video: video ?? null,
    audio: audio ?? null,
  }
}

type Stream = NonNullable<Answer['streams']>[number]

function toVideo(stream: Stream): Probed['video'] | undefined {
  const { codec_name: codec = '', width = 0, height = 0, pix_fmt: pixelFormat = '' } = stream
  const isFine = VIDEO_CODECS.includes(codec) && width > 0 && height > 0 && width * height <= MAX_FRAME_PIXELS
  if (!isFine) return undefined
  const turn = stream.side_data_list?.find(({ rotation }) => rotation)?.rotation ?? Number(stream.tags?.rotate ?? 0)
  const isOnItsSide = Math.abs(turn) % 180 === 90
  const shown = isOnItsSide ? { width: height, height: width } : { width, height }
  return { codec, ...shown, isTurned: turn !== 0, pixelFormat }
}

function toAudio({ codec_name: codec = '', channels = 0, bit_rate }: Stream): Probed['audio'] | undefined {
  const isFine = isAudioCodec(codec) && channels > 0 && channels <= 8
  return isFine ? { codec, channels, bitsPerSecond: toNumber(bit_rate) } : undefined
}

function toNumber(text: string | undefined): number | null {
  const value = Number(text)
  return text !== undefined && Number.isFinite(value) && value >= 0 ? value : null
}
