/** Videos and sounds: a look at what was sent, at once; and what is made of it, mostly later, by the transcoding job. */
import { mkdir, rm, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { AppError, unavailable } from '../../errors.ts'
import { createTurns } from '../../http/turns.ts'
import { type Ffmpeg, FfmpegFailed, type Input } from './ffmpeg.ts'
import type { Arrived, ImageMaker, Made, MakeOptions } from './making.ts'
import { type Probed, probe } from './probe.ts'
import { audioRecipe, type Recipe, videoRecipe } from './recipes.ts'
import { type Container, sniffFile } from './sniff.ts'
import { createWaveform, WAVEFORM_RATE } from './waveform.ts'

export interface TranscodeOptions extends Pick<MakeOptions, 'videoMaxHeight'> {
  /** Per cent, from 0 to 100; not told when the file does not say how long it is. */
  onProgress?(percent: number): void
  /** Ends the work; what was made so far is removed. */
  signal?: AbortSignal
}

export interface Films {
  /**
   * What a video or a sound will be, as far as its beginning tells; short sounds are made at once. @returns undefined for
   * what is neither, or none that can be made: a file
   * @throws AppError 503 when too many wait
   */
  look(arrived: Arrived, container: Container, options: MakeOptions): Promise<Made | undefined>
  /** Makes what is to be delivered, beside the file at `path`. @throws FfmpegFailed */
  transcode(path: string, options: TranscodeOptions): Promise<Made>
}

const MAX_VIDEO_SECONDS = 4 * 3600
const MAX_AUDIO_SECONDS = 24 * 3600
/** Voice messages, mostly: they are not to wait behind films. */
const SHORT_SECONDS = 300
/** Of a sound that does not say how long it is, as browsers record them. */
const SHORT_BYTES = 2_000_000
const MAKE_SHORT_WITHIN_SECONDS = 60
const POSTER_WITHIN_SECONDS = 20
const MEBIBYTE = 1024 * 1024

const EXTENSIONS: Record<Container, string> = {
  mp4: 'mp4',
  matroska: 'mkv',
  ogg: 'ogg',
  mp3: 'mp3',
  wav: 'wav',
  flac: 'flac',
  aac: 'aac',
}

export function createFilms({ ffmpeg, images }: { ffmpeg: Ffmpeg; images: ImageMaker }): Films {
  const concurrency = Math.max(1, availableParallelism() - 1)
  const inTurn = createTurns(concurrency, 32 * concurrency, () =>
    unavailable('Too many videos and sounds are waiting; try again in a moment', 5),
  )

  /** Runs `work` with an empty folder for ffmpeg to be in. */
  async function inFolder<T>(path: string, work: (folder: string) => Promise<T>): Promise<T> {
    const folder = `${path}.empty`
    await mkdir(folder)
    try {
      return await work(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  async function makePoster(input: Input, { duration }: Probed, folder: string) {
    const frame = `${input.path}.frame`
    const after = ['-map', '0:V:0', '-frames:v', '1', '-vf', "scale=w='trunc(iw*sar)':h=ih,scale=w='min(640,iw)':h=-2"]
    // A little into it: films begin black.
    for (const second of [Math.min(1, (duration ?? 0) / 3), 0]) {
      try {
        await ffmpeg.run('ffmpeg', {
          input,
          before: ['-nostdin', '-y', '-threads', '1', '-ss', String(second)],
          after: [...after, '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-q:v', '3', '-f', 'mjpeg', frame],
          folder,
          seconds: POSTER_WITHIN_SECONDS,
          maxFileBytes: 16 * MEBIBYTE,
        })
        return await images.makePoster(frame)
      } catch (error) {
        // None at this place, or none at all: a video may do without.
        const isExpected = error instanceof FfmpegFailed || error instanceof AppError
        if (!isExpected) throw error
      } finally {
        await rm(frame, { force: true })
      }
    }
    return { thumbnailPath: null, preview: null }
  }

  async function make(input: Input, probed: Probed, recipe: Recipe, options: TranscodeOptions & { seconds: number }) {
    const { onProgress = () => undefined, seconds, signal } = options
    const made = `${input.path}.made.${recipe.extension}`
    const { size } = await stat(input.path)
    const waveform = recipe.kind === 'audio' ? createWaveform() : undefined
    const progress = createProgress(probed.duration, onProgress)
    const told = waveform
      ? ['-map', '0:a:0', '-vn', '-ac', '1', '-ar', String(WAVEFORM_RATE), '-c:a', 'pcm_s16le', '-f', 's16le', 'pipe:1']
      : ['-progress', 'pipe:1', '-nostats']
    try {
      return await inFolder(input.path, async (folder) => {
        await ffmpeg.run('ffmpeg', {
          input,
          before: ['-nostdin', '-y', '-threads', '1'],
          after: [...recipe.arguments, made, ...told],
          folder,
          seconds,
          maxFileBytes: 8 * size + 16 * MEBIBYTE,
          signal,
          onOutput: (chunk) => {
            waveform?.add(chunk)
            progress(waveform ? waveform.duration() : secondsOf(chunk))
          },
        })
        const container = recipe.extension === 'mp3' ? 'mp3' : 'mp4'
        const result = await probe(ffmpeg, { path: made, container }, folder)
        if (!result) throw new FfmpegFailed('what was made is not understood')
        return toMade(made, (await stat(made)).size, recipe, result, waveform?.bars() ?? null)
      })
    } catch (error) {
      await rm(made, { force: true })
      throw error
    }
  }

  return {
    look: (arrived, container, { videoMaxHeight }) =>
      inTurn(async () => {
        const { path, size } = arrived
        const input = { path, container }
        const probed = await inFolder(path, (folder) => probe(ffmpeg, input, folder))
        if (!probed) return undefined
        const { duration, video, audio } = probed
        const isTooLong = (duration ?? 0) > (video ? MAX_VIDEO_SECONDS : MAX_AUDIO_SECONDS)
        if (isTooLong) return undefined
        const unmade = { extension: EXTENSIONS[container] }
        if (video) {
          const poster = await inFolder(path, (folder) => makePoster(input, probed, folder))
          const recipe = videoRecipe(probed, videoMaxHeight)
          return { ...toMade(path, size, recipe, probed, null), ...poster, unmade }
        }
        if (!audio) return undefined
        const recipe = audioRecipe(audio)
        const isShort = duration === null ? size <= SHORT_BYTES : duration <= SHORT_SECONDS
        if (!isShort) return { ...toMade(path, size, recipe, probed, null), unmade }
        return make(input, probed, recipe, { videoMaxHeight, seconds: MAKE_SHORT_WITHIN_SECONDS }).catch(asFile)
      }),

    async transcode(path, options) {
      const { container } = await sniffFile(path)
      const input = container && { path, container }
      const probed = input && (await inFolder(path, (folder) => probe(ffmpeg, input, folder)))
      if (!probed) throw new FfmpegFailed('the file is not understood')
      const { video, audio, duration } = probed
      const recipe = video ? videoRecipe(probed, options.videoMaxHeight) : audio && audioRecipe(audio)
      if (!recipe) throw new FfmpegFailed('there is nothing to see or to hear in the file')
      // A slow machine takes four times as long for 4K; who does not say how long they are get half an hour.
      const seconds = Math.ceil(duration === null ? 1800 : Math.min(120 + 10 * duration, 4 * 3600))
      return make(input, probed, recipe, { ...options, seconds })
    },
  }
}

function asFile(error: unknown): undefined {
  if (!(error instanceof FfmpegFailed)) throw error
}

/** Tells whole per cents, each once. */
function createProgress(duration: number | null, onProgress: (percent: number) => void) {
  let told = -1
  return (seconds: number | undefined) => {
    if (!duration || seconds === undefined) return
    const percent = Math.min(99, Math.floor((seconds / duration) * 100))
    if (percent <= told) return
    told = percent
    onProgress(percent)
  }
}

/** How far it has come, from ffmpeg's report: lines of `name=value`. */
function secondsOf(report: Uint8Array): number | undefined {
  const last = Buffer.from(report)
    .toString('latin1')
    .match(/^out_time_us=(\d+)$/m)?.[1]
  return last === undefined ? undefined : Number(last) / 1e6
}

const toMade = (
  path: string,
  size: number,
  { kind, extension, mimeType, isEncoded }: Recipe,
  { duration, video }: Probed,
  waveform: number[] | null,
): Made => ({
  kind,
  path,
  extension,
  mimeType,
  size,
  thumbnailPath: null,
  width: video?.width ?? null,
  height: video?.height ?? null,
  duration: duration && Math.round(duration * 1000) / 1000,
  preview: null,
  waveform,
  compressed: isEncoded,
  unmade: null,
})
