/**
 * ffmpeg and ffprobe, jailed: what they are given to read may have been made to harm. A file is opened by the one demuxer that
 * its first bytes ask for, so that no playlist, no list of files and no script is ever understood; within it only
 * known codecs are opened, and from it nothing but that file. Time, memory and output are limited, the environment is
 * empty, the folder is its own, and the chat goes first.
 */
import { access, constants } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Container } from './sniff.ts'

export interface FfmpegPaths {
  ffmpeg: string
  ffprobe: string
}

/** Where they are: ffprobe is expected beside ffmpeg. @returns undefined unless both can be run */
export async function locateFfmpeg(configured: string | undefined): Promise<FfmpegPaths | undefined> {
  const ffmpeg = configured ?? Bun.which('ffmpeg')
  if (!ffmpeg) return undefined
  const ffprobe = join(dirname(ffmpeg), 'ffprobe')
  const canRun = await Promise.all([ffmpeg, ffprobe].map((path) => access(path, constants.X_OK)))
    .then(() => true)
    .catch(() => false)
  return canRun ? { ffmpeg, ffprobe } : undefined
}

/** A file to read, and what its first bytes say that it is. */
export interface Input {
  path: string
  container: Container
}

export interface RunOptions {
  input: Input
  /** Between the program and its input. */
  before?: readonly string[]
  /** After the input. */
  after: readonly string[]
  /** Where it works. */
  folder: string
  /** Of this machine's time; the CPU's is limited to as much. */
  seconds: number
  /** What one file that it writes may have. */
  maxFileBytes?: number
  /** Given what it writes to its standard output, as it comes; it is ended above `maxOutputBytes`. */
  onOutput?(chunk: Uint8Array): void
  maxOutputBytes?: number
  signal?: AbortSignal
}

/** It did not do what it was asked for: the file is damaged, or was made to harm, or takes more than there is for one. */
export class FfmpegFailed extends Error {
  override readonly name = 'FfmpegFailed'
}

export interface Ffmpeg {
  /** @throws FfmpegFailed, also when `signal` ends it */
  run(program: keyof FfmpegPaths, options: RunOptions): Promise<void>
}

const DEMUXERS: Record<Container, string> = {
  mp4: 'mov',
  matroska: 'matroska',
  ogg: 'ogg',
  mp3: 'mp3',
  wav: 'wav',
  flac: 'flac',
  aac: 'aac',
}
const DECODERS = [
  ...['h264', 'hevc', 'vp8', 'vp9', 'libvpx', 'libvpx-vp9', 'av1', 'libdav1d', 'mpeg4', 'h263', 'mjpeg'],
  ...['aac', 'mp3', 'mp3float', 'opus', 'libopus', 'vorbis', 'libvorbis', 'flac', 'alac', 'ac3', 'eac3'],
  ...['amrnb', 'amrwb', 'libopencore_amrnb', 'libopencore_amrwb'],
  ...['pcm_s16le', 'pcm_s16be', 'pcm_s24le', 'pcm_s24be', 'pcm_s32le', 'pcm_u8', 'pcm_f32le', 'pcm_alaw', 'pcm_mulaw'],
].join(',')

/** KiB of RLIMIT_DATA: decoding 4K and encoding 1080p takes 360 MiB. */
const MEMORY_KIB = 480 * 1024
const MAX_STREAMS = 32
/** Of a frame: 4096 x 4096. */
export const MAX_FRAME_PIXELS = 16_777_216
const MAX_ERROR_CHARACTERS = 300
/** Sets the limits (of memory in KiB, of CPU time in seconds, of files in blocks of 512 bytes) and becomes the program. */
const WITHIN_LIMITS = 'ulimit -d "$1"; ulimit -t "$2"; ulimit -f "$3"; ulimit -c 0; shift 3; exec "$@"'
/** util-linux, on every Linux that we know: the kernel ends the program when the server is gone, however it went. */
const DIE_WITH_SERVER = ['setpriv', '--pdeathsig', 'KILL', '--']

export function createFfmpeg(paths: FfmpegPaths): Ffmpeg {
  const orphans = Bun.which('setpriv') ? DIE_WITH_SERVER : []

  return {
    async run(program, options) {
      const { input, before = [], after, folder, seconds, maxFileBytes = 0, signal } = options
      const limits = [MEMORY_KIB, seconds, Math.ceil(maxFileBytes / 512)].map(String)
      const jailed = ['sh', '-c', WITHIN_LIMITS, 'sh', ...limits, 'nice', '-n', '10', ...orphans]
      const child = Bun.spawn([...jailed, paths[program], ...COMMON, ...before, ...inputArguments(input), ...after], {
        cwd: folder,
        env: { PATH: '/usr/bin:/bin' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const end = () => child.kill('SIGKILL')
      const limit = setTimeout(end, seconds * 1000)
      signal?.addEventListener('abort', end)
      if (signal?.aborted) end()
      try {
        const [, complaint] = await Promise.all([
          read(child.stdout, options, end),
          readStart(child.stderr),
          child.exited,
        ])
        if (child.exitCode !== 0) throw new FfmpegFailed(complaint || `ended by ${child.signalCode ?? child.exitCode}`)
      } finally {
        clearTimeout(limit)
        signal?.removeEventListener('abort', end)
        end()
      }
    },
  }
}

const COMMON = ['-hide_banner', '-v', 'error']

const inputArguments = ({ path, container }: Input): string[] => [
  ...['-protocol_whitelist', 'file', '-format_whitelist', DEMUXERS[container], '-f', DEMUXERS[container]],
  ...['-codec_whitelist', DECODERS, '-max_streams', String(MAX_STREAMS), '-max_pixels', String(MAX_FRAME_PIXELS)],
  // Another file named within this one is not looked for.
  ...(container === 'mp4' ? ['-enable_drefs', '0', '-use_absolute_path', '0'] : []),
  ...['-i', `file:${path}`],
]

async function read(stdout: ReadableStream<Uint8Array>, options: RunOptions, end: () => void): Promise<void> {
  let bytes = 0
  for await (const chunk of stdout) {
    bytes += chunk.byteLength
    if (bytes > (options.maxOutputBytes ?? Number.POSITIVE_INFINITY)) end()
    else options.onOutput?.(chunk)
  }
}

/** All of it is read, or whoever writes it would wait; a little of it is kept. */
async function readStart(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let text = ''
  for await (const chunk of stderr) if (text.length < MAX_ERROR_CHARACTERS) text += Buffer.from(chunk).toString()
  return text.slice(0, MAX_ERROR_CHARACTERS).trim()
}
