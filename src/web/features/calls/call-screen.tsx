import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { duration } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import { avatarOfChat, nameOfChat } from '../../state/names.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Menu, type MenuItem } from '../../ui/menu.tsx'
import { type CallNow, call } from './call-state.ts'
import { phone } from './phone.ts'
import { ring } from './ring.ts'

/** The call, over everything or small in a corner. */
export function CallScreen() {
  const now = call.value
  const isSmall = useSignal(false)
  const box = useRef<HTMLElement>(null)
  const state = now?.state
  useEffect(() => {
    if (state) box.current?.focus()
    if (state === 'ringing' || state === 'calling') return ring(state === 'ringing')
    return undefined
  }, [state])
  if (!now) return null
  const row = client.state.chats.get(now.chatId)?.row
  const name = row ? nameOfChat(row) : ''
  return (
    <section
      ref={box}
      class={isSmall.value ? 'call small' : 'call'}
      role="dialog"
      tabIndex={-1}
      aria-label={`${now.media === 'video' ? t().callVideo : t().callVoice}: ${name}`}
    >
      {now.media === 'video' && <Stream class="remote" stream={now.remote} />}
      {now.media === 'audio' && now.remote && <Sound stream={now.remote} />}
      <div class="call-who" data-over={(now.media === 'video' && now.isConnected) || undefined}>
        {row && !(now.media === 'video' && now.isConnected) && (
          <Avatar {...avatarOfChat(row)} size={isSmall.value ? 56 : 128} />
        )}
        <h2 dir="auto">{name}</h2>
        <p role="status">
          <CallStatus now={now} />
        </p>
      </div>
      {now.media === 'video' && now.local && <Stream class="own" stream={now.local} isMuted />}
      <div class="call-actions">{now.state === 'ringing' ? <Incoming /> : <Controls now={now} />}</div>
      <span class="call-corner">
        <IconButton
          icon={isSmall.value ? 'grow' : 'shrink'}
          label={isSmall.value ? t().makeLarge : t().makeSmall}
          onClick={() => {
            isSmall.value = !isSmall.value
          }}
        />
      </span>
    </section>
  )
}

function CallStatus({ now }: { now: CallNow }) {
  const seconds = useSignal(0)
  useEffect(() => {
    const tick = () => {
      seconds.value = now.connectedAt ? (Date.now() - now.connectedAt) / 1000 : 0
    }
    tick()
    const timer = setInterval(tick, 1000)
    return () => clearInterval(timer)
  }, [now.connectedAt, seconds])
  if (now.state === 'ringing') return <>{now.media === 'video' ? t().incomingVideo : t().incomingVoice}</>
  if (now.state === 'calling') return <>{now.isReached ? t().ringing : t().calling}</>
  if (!now.connectedAt) return <>{t().connectingCall}</>
  if (!now.isConnected) return <>{t().reconnectingCall}</>
  return <span class="num">{duration(seconds.value)}</span>
}

const Incoming = () => (
  <>
    <IconButton icon="hangUp" size={28} label={t().decline} data-kind="end" onClick={() => phone().decline()} />
    <IconButton icon="phone" size={28} label={t().accept} data-kind="accept" onClick={() => phone().accept()} />
  </>
)

function Controls({ now }: { now: CallNow }) {
  const devices = useSignal<MediaDeviceInfo[]>([])
  useEffect(() => {
    const list = async () => {
      devices.value = await navigator.mediaDevices.enumerateDevices()
    }
    list()
    navigator.mediaDevices.addEventListener('devicechange', list)
    return () => navigator.mediaDevices.removeEventListener('devicechange', list)
  }, [devices])
  const choices = (): MenuItem[] =>
    devices.value
      .filter(
        ({ kind, deviceId }) => deviceId && (kind === 'audioinput' || (kind === 'videoinput' && now.media === 'video')),
      )
      .map(({ kind, label, deviceId }) => ({
        label: label || (kind === 'audioinput' ? t().microphone : t().camera),
        icon: kind === 'audioinput' ? 'mic' : 'video',
        run: () => attempt(() => phone().use(kind === 'audioinput' ? 'audio' : 'video', deviceId)),
      }))
  return (
    <>
      <IconButton
        icon={now.isMuted ? 'micOff' : 'mic'}
        label={now.isMuted ? t().unmute : t().mute}
        aria-pressed={now.isMuted}
        onClick={() => phone().mute(!now.isMuted)}
      />
      {now.media === 'video' && (
        <IconButton
          icon={now.isCameraOn ? 'video' : 'videoOff'}
          label={now.isCameraOn ? t().cameraOff : t().cameraOn}
          aria-pressed={!now.isCameraOn}
          onClick={() => phone().showCamera(!now.isCameraOn)}
        />
      )}
      {devices.value.length > 0 && <Menu label={t().devices} icon="settings" items={choices} />}
      <IconButton icon="hangUp" size={28} label={t().hangUp} data-kind="end" onClick={() => phone().hangUp()} />
    </>
  )
}

function Stream({ stream, isMuted = false, class: name }: { stream?: MediaStream; isMuted?: boolean; class: string }) {
  return (
    <video
      class={name}
      autoPlay
      playsInline
      muted={isMuted}
      ref={(video) => {
        if (video && stream && video.srcObject !== stream) video.srcObject = stream
      }}
    />
  )
}

function Sound({ stream }: { stream: MediaStream }) {
  return (
    // biome-ignore lint/a11y/useMediaCaption: people speak without captions
    <audio
      autoPlay
      ref={(audio) => {
        if (audio && audio.srcObject !== stream) audio.srcObject = stream
      }}
    />
  )
}
