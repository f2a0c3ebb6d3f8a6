/** Recording a voice note. Loaded when the microphone is first asked for. */

export interface Recording {
  /** From 0 to 1, how loud it is now. */
  level(): number
  /** In seconds so far. */
  seconds(): number
  /** @returns what was recorded; undefined when that is nothing */
  finish(): Promise<{ file: File; duration: number } | undefined>
  discard(): void
}

/** What everybody can play comes first: Safari plays no WebM. */
const TYPES = ['audio/mp4;codecs=mp4a.40.2', 'audio/mp4', 'audio/webm;codecs=opus', 'audio/ogg;codecs=opus']
const MIN_SECONDS = 0.5

/** @throws when there is no microphone, or it may not be used */
export async function record(): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true },
  })
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type))
  const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 48_000 })
  const audio = new AudioContext()
  const analyser = audio.createAnalyser()
  audio.createMediaStreamSource(stream).connect(analyser)
  const samples = new Uint8Array(analyser.fftSize)
  const parts: Blob[] = []
  recorder.ondataavailable = ({ data }) => parts.push(data)
  recorder.start(1000)
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  const release = () => {
    for (const track of stream.getTracks()) track.stop()
    audio.close()
  }
  return {
    seconds,
    level() {
      analyser.getByteTimeDomainData(samples)
      return Math.min(1, (Math.max(...samples) - 128) / 96)
    },
    async finish() {
      const duration = seconds()
      const isOver = new Promise((resolve) => recorder.addEventListener('stop', resolve, { once: true }))
      recorder.stop()
      await isOver
      release()
      if (duration < MIN_SECONDS) return undefined
      const type = recorder.mimeType.split(';')[0] ?? 'audio/webm'
      const ending = type.endsWith('mp4') ? 'm4a' : (type.split('/')[1] ?? 'webm')
      return { file: new File(parts, `voice.${ending}`, { type }), duration }
    },
    discard() {
      recorder.ondataavailable = null
      if (recorder.state !== 'inactive') recorder.stop()
      release()
    },
  }
}
