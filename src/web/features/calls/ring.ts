/** The sound of a call that nobody has answered: made here, no file. */

const PERIOD_MS = 3000
const TONE_S = 0.9

/** @param isIncoming it calls me: higher, and twice. @returns what ends it */
export function ring(isIncoming: boolean): () => void {
  const audio = new AudioContext()
  const tone = (frequency: number, at: number) => {
    const oscillator = audio.createOscillator()
    const volume = audio.createGain()
    oscillator.frequency.value = frequency
    volume.gain.setValueAtTime(0, at)
    volume.gain.linearRampToValueAtTime(0.08, at + 0.05)
    volume.gain.setValueAtTime(0.08, at + TONE_S - 0.1)
    volume.gain.linearRampToValueAtTime(0, at + TONE_S)
    oscillator.connect(volume).connect(audio.destination)
    oscillator.start(at)
    oscillator.stop(at + TONE_S)
  }
  const play = () => {
    // A page nobody has touched yet makes no sound.
    if (audio.state !== 'running') return
    const now = audio.currentTime
    if (!isIncoming) return tone(425, now)
    for (const at of [0, 0.45]) for (const frequency of [587, 740]) tone(frequency, now + at)
  }
  audio.resume().then(play, () => undefined)
  const timer = setInterval(play, PERIOD_MS)
  return () => {
    clearInterval(timer)
    audio.close()
  }
}
