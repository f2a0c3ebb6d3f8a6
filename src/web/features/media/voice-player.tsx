import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { duration } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { IconButton } from '../../ui/button.tsx'

interface VoicePlayerProps {
  url: string | null | undefined
  seconds: number
  /** How loud it is from beginning to end: numbers from 0 to 31. */
  waveform: readonly number[] | null
  onPlay(player: HTMLAudioElement): void
}

const BARS = 40
const FULL = 31
const HEIGHT = 26

/** As many bars as there is room for, each the loudest of its part. */
function barsOf(waveform: readonly number[] | null): number[] {
  const source = waveform?.length ? waveform : [4]
  return Array.from({ length: BARS }, (_, bar) => {
    const from = Math.floor((bar * source.length) / BARS)
    const to = Math.max(from + 1, Math.floor(((bar + 1) * source.length) / BARS))
    return Math.max(...source.slice(from, to))
  })
}

/** A voice note: its shape is also where one points to hear a part of it. */
export function VoicePlayer({ url, seconds, waveform, onPlay }: VoicePlayerProps) {
  const audio = useRef<HTMLAudioElement>(null)
  const isPlaying = useSignal(false)
  const at = useSignal(0)
  const toggle = () => {
    const player = audio.current
    if (!player) return
    // A refusal to play is told by the control staying what it is.
    if (player.paused) player.play().catch(() => undefined)
    else player.pause()
  }
  const share = seconds > 0 ? at.value / seconds : 0
  return (
    <span class="voice">
      <IconButton
        icon={isPlaying.value ? 'pause' : 'play'}
        label={isPlaying.value ? t().pause : `${t().play}: ${t().voice}, ${duration(seconds)}`}
        isFilled
        disabled={!url}
        onClick={toggle}
      />
      <span class="voice-shape">
        <svg viewBox={`0 0 ${BARS * 4} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {barsOf(waveform).map((level, bar) => {
            const height = Math.max(2.5, (level / FULL) * HEIGHT)
            return (
              <rect
                key={bar}
                class={bar / BARS < share ? 'played' : undefined}
                x={bar * 4}
                y={(HEIGHT - height) / 2}
                width={2.4}
                height={height}
                rx={1.2}
              />
            )
          })}
        </svg>
        <input
          type="range"
          min={0}
          max={Math.max(seconds, 0.1)}
          step={0.1}
          value={at.value}
          aria-label={t().position}
          aria-valuetext={duration(at.value)}
          onInput={(event) => {
            if (audio.current) audio.current.currentTime = event.currentTarget.valueAsNumber
          }}
        />
      </span>
      <span class="file-size num">{duration(isPlaying.value || at.value > 0 ? at.value : seconds)}</span>
      {url && (
        // biome-ignore lint/a11y/useMediaCaption: people speak without captions
        <audio
          ref={audio}
          src={url}
          preload="none"
          onPlay={(event) => {
            isPlaying.value = true
            onPlay(event.currentTarget)
          }}
          onPause={() => {
            isPlaying.value = false
          }}
          onTimeUpdate={(event) => {
            at.value = event.currentTarget.currentTime
          }}
          onEnded={() => {
            at.value = 0
          }}
        />
      )}
    </span>
  )
}
