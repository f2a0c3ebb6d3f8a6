import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { duration } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { IconButton } from '../../ui/button.tsx'
import type { Recording } from './recorder.ts'

interface VoiceRecorderProps {
  recording: Recording
  onSend(): void
  onDiscard(): void
}

/** The composer while one speaks. */
export function VoiceRecorder({ recording, onSend, onDiscard }: VoiceRecorderProps) {
  const seconds = useSignal(0)
  const level = useSignal(0)
  useEffect(() => {
    const timer = setInterval(() => {
      seconds.value = recording.seconds()
      level.value = recording.level()
    }, 100)
    return () => clearInterval(timer)
  }, [recording, seconds, level])
  return (
    <div class="composer-line">
      <IconButton icon="trash" label={t().stopRecording} onClick={onDiscard} />
      <div class="recording" role="timer" aria-label={t().recording}>
        <span class="dot" />
        {duration(seconds.value)}
        <span class="level">
          <span style={{ transform: `scaleX(${level.value})` }} />
        </span>
      </div>
      <IconButton icon="send" isFilled label={t().sendVoice} onClick={onSend} />
    </div>
  )
}
