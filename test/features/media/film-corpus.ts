/** Videos and sounds as phones, browsers and attackers send them, made by ffmpeg when the tests run. */
import { join } from 'node:path'
import { HTML, heic, SVG } from './corpus.ts'

export const PLACE = '+51.5074-000.1278+011.000/'
/** What any of our films would show of where it was taken. */
export const hasPlace = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('51.5074')

export async function ffmpeg(...command: string[]): Promise<void> {
  const child = Bun.spawn(['ffmpeg', '-nostdin', '-y', '-v', 'error', ...command], { stdout: 'pipe', stderr: 'pipe' })
  const complaint = await new Response(child.stderr).text()
  if ((await child.exited) !== 0) throw new Error(`ffmpeg cannot make the corpus: ${complaint}`)
}

const picture = (size: string, seconds: number) => ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=15:d=${seconds}`]
export const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=frequency=440:d=${seconds}`]
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']
/** What cameras write between the pictures. */
const H264_TELLING = [...H264, '-bsf:v', `h264_metadata=sei_user_data=086f3693b7b34f2c965321492feee5b8+${PLACE}`]
const place = [
  '-movflags',
  'use_metadata_tags',
  '-metadata',
  `location=${PLACE}`,
  '-metadata',
  `com.apple.quicktime.location.ISO6709=${PLACE}`,
]

const upright = [...picture('640x360', 1), ...tone(1), ...H264, '-c:a', 'aac', '-shortest', ...place]

/** What each is made by, and its name. */
const RECIPES = {
  mp4: ['film.mp4', ...picture('320x180', 1), ...tone(1), ...H264_TELLING, '-c:a', 'aac', '-shortest'],
  large: ['large.mp4', ...picture('1920x1080', 1), ...H264, ...place],
  odd: ['odd.mkv', ...picture('321x181', 1), '-c:v', 'libx264', '-pix_fmt', 'yuv444p', '-preset', 'ultrafast'],
  webm: ['film.webm', ...picture('320x180', 1), '-c:v', 'libvpx', ...place],
  voice: ['voice.ogg', ...tone(2), '-c:a', 'libopus', '-metadata', `location=${PLACE}`],
  mp3: ['song.mp3', ...tone(2), '-metadata', `comment=${PLACE}`, '-id3v2_version', '3', '-write_id3v1', '1'],
  wav: ['sound.wav', ...tone(2), '-metadata', `comment=${PLACE}`],
  flac: ['sound.flac', ...tone(2)],
  aac: ['sound.aac', ...tone(2)],
  m4a: ['sound.m4a', ...tone(2), ...place],
  long: ['long.mp3', ...tone(310), '-b:a', '32k', '-ar', '16000'],
  /** A browser writes the beginning before it knows the length. */
  recorded: ['recorded.webm', ...tone(2), '-c:a', 'libopus', '-f', 'webm', '-live', '1'],
} satisfies Record<string, string[]>
export type Film = keyof typeof RECIPES | 'phone'

/** @returns the paths of these, made in the folder */
export async function makeCorpus<Name extends Film>(
  folder: string,
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const paths: Partial<Record<Film, string>> = {}
  for (const name of names) {
    if (name === 'phone') paths.phone = await makePhoneFilm(folder)
    else {
      const [file = '', ...command] = RECIPES[name as keyof typeof RECIPES]
      paths[name] = join(folder, file)
      await ffmpeg(...command, join(folder, file))
    }
  }
  return paths as Record<Name, string>
}

/** Taken with the phone upright: stored on its side. */
async function makePhoneFilm(folder: string): Promise<string> {
  const [straight, turned] = [join(folder, 'upright.mov'), join(folder, 'phone.mov')]
  await ffmpeg(...upright, straight)
  await ffmpeg('-i', straight, '-c', 'copy', ...place, '-metadata:s:v', 'rotate=90', turned)
  return turned
}

/** What is neither video nor sound and would like to be taken for one; lists name `target`, a file of the server's. */
export const hostileFiles = (target = '/etc/passwd'): Record<string, Buffer> => ({
  HEIC: heic(),
  SVG: Buffer.from(SVG),
  'a page': Buffer.from(HTML),
  'an executable': Buffer.from('\x7fELF\x02\x01\x01'),
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  'the mark of a film, and nothing else': Buffer.from('\0\0\0\x18ftypisom'),
  'the mark of a film, and a page': Buffer.from(`\0\0\0\x18ftypisom${HTML}`),
  'the mark of a sound, and a page': Buffer.from(`ID3\x04\0\0\0\0\0\0${HTML}`),
  'a list of films': Buffer.from(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${target}\n#EXT-X-ENDLIST\n`),
  'a list of files': Buffer.from(`ffconcat version 1.0\nfile '${target}'\n`),
  'a manifest': Buffer.from('<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'),
})

/** Lists of other files behind the marks of films and sounds. */
export const hiddenLists = (target = '/etc/passwd'): Buffer[] =>
  ['\0\0\0\x18ftypisom', 'OggS\0', 'RIFF\0\0\0\0WAVE', 'fLaC', '\x1a\x45\xdf\xa3', '\xff\xf1\x50\x80'].map((mark) =>
    Buffer.from(`${mark}#EXTM3U\n#EXTINF:1,\nfile://${target}\n#EXT-X-ENDLIST\n`, 'latin1'),
  )
