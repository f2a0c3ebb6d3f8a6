/** How loud a sound is from its beginning to its end, for clients to draw. */

export const WAVEFORM_RATE = 8000
const BARS = 64
const LOUDEST = 31
/** One peak is kept for so many samples until the length is known: 50 ms. */
const SAMPLES_A_PEAK = 400
/** Below a hundredth of what there can be it is silence, not music to be made visible. */
const SILENCE = 328

/** Takes 16-bit samples, one channel, 8,000 a second, in chunks that may end within one. */
export function createWaveform() {
  const peaks: number[] = []
  let peak = 0
  let samples = 0
  let half: number | undefined

  const take = (sample: number) => {
    peak = Math.max(peak, Math.abs(sample))
    samples += 1
    if (samples % SAMPLES_A_PEAK > 0) return
    peaks.push(peak)
    peak = 0
  }

  return {
    add(chunk: Uint8Array): void {
      let at = 0
      if (half !== undefined && chunk.length > 0) {
        take(toSample(half, chunk[0] ?? 0))
        half = undefined
        at = 1
      }
      for (; at + 1 < chunk.length; at += 2) take(toSample(chunk[at] ?? 0, chunk[at + 1] ?? 0))
      if (at < chunk.length) half = chunk[at]
    },

    /** In seconds, of what was heard so far. */
    duration: () => samples / WAVEFORM_RATE,

    /** 64 numbers from 0 to 31, the loudest place of the sound being 31; null of nothing. */
    bars(): number[] | null {
      const all = samples % SAMPLES_A_PEAK > 0 ? [...peaks, peak] : peaks
      if (all.length === 0) return null
      const loudest = all.reduce((most, one) => Math.max(most, one), SILENCE)
      return Array.from({ length: BARS }, (_, index) => {
        const start = Math.floor((index * all.length) / BARS)
        const end = Math.max(start + 1, Math.floor(((index + 1) * all.length) / BARS))
        return Math.round((all.slice(start, end).reduce((most, one) => Math.max(most, one), 0) / loudest) * LOUDEST)
      })
    },
  }
}

/** Least significant byte first. */
const toSample = (low: number, high: number) => (((high << 8) | low) << 16) >> 16
