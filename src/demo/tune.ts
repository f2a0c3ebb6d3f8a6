/** A few bars on a guitar, as a voice note: strings by Karplus and Strong (Computer Music Journal 7:2, 1983), as WAV. */
import { seeded } from './pictures/svg.ts'

const RATE = 22_050
const BEAT_SECONDS = 0.36

/** Semitones above the A of 220 Hz, and beats. The second voice of something in three four time. */
const NOTES: readonly (readonly [semitones: number, beats: number])[] = [
  [-5, 1],
  [2, 1],
  [5, 1],
  [7, 2],
  [5, 1],
  [2, 1],
  [5, 1],
  [3, 1],
  [2, 3],
  [-3, 1],
  [0, 1],
  [3, 1],
  [7, 2],
  [3, 1],
  [2, 1],
  [0, 1],
  [-1, 1],
  [-5, 3],
]

/** Mono, 16 bits. */
export function pluckedTune(): Uint8Array<ArrayBuffer> {
  const beats = NOTES.reduce((sum, [, length]) => sum + length, 0)
  const samples = new Float32Array(Math.ceil((beats * BEAT_SECONDS + 1.2) * RATE))
  const random = seeded(211)
  let start = 0.1
  for (const [semitones, length] of NOTES) {
    pluck(samples, Math.round(start * RATE), 220 * 2 ** (semitones / 12), random)
    start += length * BEAT_SECONDS
  }
  return toWav(samples)
}

/** A string is noise that goes round and is smoothed at each turn. */
function pluck(samples: Float32Array, from: number, hertz: number, random: () => number): void {
  const period = Math.round(RATE / hertz)
  const string = Float32Array.from({ length: period }, () => random() * 2 - 1)
  const end = Math.min(samples.length, from + RATE * 2)
  for (let n = from; n < end; n++) {
    const place = (n - from) % period
    const value = string[place] ?? 0
    string[place] = 0.498 * (value + (string[(place + 1) % period] ?? 0))
    samples[n] = (samples[n] ?? 0) + value * 0.32
  }
}

function toWav(samples: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + samples.length * 2)
  const view = new DataView(bytes.buffer)
  const text = (at: number, letters: string) => bytes.set(new TextEncoder().encode(letters), at)
  text(0, 'RIFF')
  view.setUint32(4, bytes.length - 8, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, RATE, true)
  view.setUint32(28, RATE * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  text(36, 'data')
  view.setUint32(40, samples.length * 2, true)
  for (const [index, value] of samples.entries()) {
    view.setInt16(44 + index * 2, Math.max(-1, Math.min(1, value)) * 32_000, true)
  }
  return bytes
}
