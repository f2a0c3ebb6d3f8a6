/**
 * What ffmpeg is told to make: what every current browser and phone plays. Of sounds that is MP3 as it is, and AAC for all
 * others: Safari plays Opus in Ogg only since a short while. Nothing but pictures and sound is taken over: no metadata (which
 * tells where a film was taken), no chapters, no subtitles, no data streams.
 */
import type { Probed } from './probe.ts'

export interface Recipe {
  kind: 'video' | 'audio'
  extension: 'mp4' | 'm4a' | 'mp3'
  mimeType: 'video/mp4' | 'audio/mp4' | 'audio/mpeg'
  /** After the input, before the path of the output. */
  arguments: string[]
  /** The pictures or the sound are encoded anew, not just put into another container. */
  isEncoded: boolean
}

/** A video that has no more is not encoded anew. */
const MAX_COPIED_VIDEO = 6_000_000
const MAX_COPIED_AUDIO = 320_000
const NOTHING_ELSE = ['-map_metadata', '-1', '-map_chapters', '-1', '-sn', '-dn', '-fflags', '+bitexact']
const ONE_THREAD = ['-threads', '1', '-filter_threads', '1']

/** @param maxHeight pixels of the shorter side */
export function videoRecipe({ video, audio, bitsPerSecond }: Probed, maxHeight: number): Recipe {
  if (!video) throw new Error('A video recipe for a sound')
  const isFine =
    video.codec === 'h264' &&
    ['yuv420p', 'yuvj420p'].includes(video.pixelFormat) &&
    !video.isTurned &&
    Math.min(video.width, video.height) <= maxHeight &&
    (bitsPerSecond ?? Number.POSITIVE_INFINITY) <= MAX_COPIED_VIDEO
  return {
    kind: 'video',
    extension: 'mp4',
    mimeType: 'video/mp4',
    isEncoded: !isFine,
    arguments: [
      ...['-map', '0:V:0', '-map', '0:a:0?', ...NOTHING_ELSE],
      ...(isFine ? COPY_VIDEO : encodeVideo(maxHeight)),
      ...(audio ? soundArguments(audio) : []),
      ...['-movflags', '+faststart', ...ONE_THREAD, '-f', 'mp4'],
    ],
  }
}

export function audioRecipe(audio: NonNullable<Probed['audio']>): Recipe {
  const isEncoded = !isCopied(audio) && audio.codec !== 'mp3'
  const common = ['-map', '0:a:0', '-vn', ...NOTHING_ELSE, ...ONE_THREAD]
  if (audio.codec === 'mp3') {
    const bare = ['-c:a', 'copy', '-id3v2_version', '0', '-write_id3v1', '0', '-f', 'mp3']
    return { kind: 'audio', extension: 'mp3', mimeType: 'audio/mpeg', isEncoded, arguments: [...common, ...bare] }
  }
  const sound = [...soundArguments(audio), '-movflags', '+faststart', '-f', 'ipod']
  return { kind: 'audio', extension: 'm4a', mimeType: 'audio/mp4', isEncoded, arguments: [...common, ...sound] }
}

// Without what a camera may have written between the pictures (SEI, ITU-T H.264, 7.4.1).
const COPY_VIDEO = ['-c:v', 'copy', '-bsf:v', 'filter_units=remove_types=6']

function encodeVideo(maxHeight: number): string[] {
  // Square pixels; then the shorter side within the limit, both even, as 4:2:0 asks.
  const short = (side: string) => `max(2,trunc(min(${side},${maxHeight})/2)*2)`
  const scale = `w='if(gt(iw,ih),-2,${short('iw')})':h='if(gt(iw,ih),${short('ih')},-2)'`
  return [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-profile:v', 'high', '-pix_fmt', 'yuv420p'],
    ...['-vf', `scale=w='max(2,trunc(iw*sar/2)*2)':h=ih,setsar=1,scale=${scale}`],
    // Gaps in time are left as they are: filling them would make thousands of pictures of a few bytes.
    ...['-fps_mode', 'vfr', '-fpsmax', '60', '-flags:v', '+bitexact', '-a53cc', '0'],
  ]
}

const isCopied = ({ codec, channels, bitsPerSecond }: NonNullable<Probed['audio']>) =>
  codec === 'aac' && channels <= 2 && (bitsPerSecond ?? 0) <= MAX_COPIED_AUDIO

function soundArguments(audio: NonNullable<Probed['audio']>): string[] {
  if (isCopied(audio)) return ['-c:a', 'copy', '-bsf:a', 'aac_adtstoasc']
  const channels = Math.min(audio.channels, 2)
  const rates = ['-b:a', channels === 1 ? '64k' : '128k', '-ar', '48000', '-ac', String(channels)]
  return ['-c:a', 'aac', ...rates, '-flags:a', '+bitexact']
}
