import { duration, size } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import { linkTo } from '../../state/links.ts'
import { nameOf } from '../../state/names.ts'
import type { Row } from '../../sync/rows.ts'
import type { OutboxEntry } from '../../sync/state.ts'
import type { Message } from '../../sync/wire.ts'
import { Icon } from '../../ui/icon.tsx'
import { localUrlOf } from './local-files.ts'
import { openViewer } from './open-viewer.ts'
import { Progress } from './progress.tsx'
import { VoicePlayer } from './voice-player.tsx'

type Media = NonNullable<Message['media']>

/** What a message carries beside its text; what is still on its way, with how far it is. */
export function Attachment({ row: { message, entry } }: { row: Row }) {
  if (entry?.file) return <Outgoing entry={entry} file={entry.file} />
  if (!message) return null
  if (message.call) return <CallLine message={message} call={message.call} />
  if (!message.media) return <span class="muted">{t().fileGone}</span>
  const { media } = message
  if (media.status === 'processing') return <FileLine media={media} note={t().processing} />
  if (message.message_type === 'image') return <Photo message={message} media={media} />
  if (message.message_type === 'video') return <Video media={media} />
  if (message.message_type === 'audio') return <Voice media={media} />
  return <FileLine media={media} />
}

/** At most so large in a conversation; the viewer shows all of it. */
const MAX_WIDTH = 360
const MAX_HEIGHT = 380
const MIN_SIDE = 120

/** Room for a picture before it is there: nothing moves when it comes. */
function boxOf(width: number | null, height: number | null) {
  const [w, h] = [width || MAX_WIDTH, height || (MAX_WIDTH * 3) / 4]
  const scale = Math.min(1, MAX_WIDTH / w, MAX_HEIGHT / h)
  return {
    '--w': `${Math.max(MIN_SIDE, Math.round(w * scale))}px`,
    '--ratio': `${Math.max(w, 1)} / ${Math.max(h, 1)}`,
  }
}

const isDataImage = (url: string | null): url is string => url?.startsWith('data:image/') ?? false

function Photo({ message, media }: { message: Message; media: Media }) {
  const url = linkTo(media.file_path)
  return (
    <button
      type="button"
      class="photo"
      style={boxOf(media.width, media.height)}
      aria-label={`${t().openPhoto}: ${t().photoOf(nameOf(message.sender_id))}`}
      onClick={() => openViewer(message)}
    >
      <Under message={message} preview={media.preview} />
      {url && <img src={url} alt="" loading="lazy" decoding="async" />}
      {url === null && <span>{t().fileGone}</span>}
    </button>
  )
}

/** Until the picture is there: my own as I sent it, anybody else's as a few blurred dots. */
function Under({ message: { client_id }, preview }: { message: Message; preview: string | null }) {
  const local = client_id && localUrlOf(client_id)
  if (local) return <img class="blur own" src={local} alt="" />
  return isDataImage(preview) ? <img class="blur" src={preview} alt="" /> : null
}

function Video({ media }: { media: Media }) {
  const url = linkTo(media.file_path)
  const poster = media.thumbnail ? linkTo(media.thumbnail) : undefined
  return (
    <span class="photo" style={boxOf(media.width, media.height)}>
      {isDataImage(media.preview) && <img class="blur" src={media.preview} alt="" />}
      {url && (
        // biome-ignore lint/a11y/useMediaCaption: people film without captions
        <video
          src={url}
          poster={poster ?? undefined}
          controls
          playsInline
          preload="none"
          aria-label={t().video}
          onPlay={(event) => pauseOthers(event.currentTarget)}
        />
      )}
    </span>
  )
}

/** One thing is heard at a time. */
export function pauseOthers(one: HTMLMediaElement): void {
  for (const other of document.querySelectorAll<HTMLMediaElement>('video, audio')) if (other !== one) other.pause()
}

function Voice({ media }: { media: Media }) {
  const url = linkTo(media.file_path)
  return <VoicePlayer url={url} seconds={media.duration ?? 0} waveform={media.waveform} onPlay={pauseOthers} />
}

function FileLine({ media, note }: { media: Media; note?: string }) {
  const url = note ? undefined : linkTo(media.file_path)
  const content = (
    <>
      <span class="file-icon">
        <Icon name={note ? 'clock' : 'file'} size={22} />
      </span>
      <span class="row-text">
        <span class="file-name" dir="auto">
          {media.file_name}
        </span>
        <span class="file-size">{note ?? size(media.file_size)}</span>
      </span>
    </>
  )
  if (!url) return <span class="file">{content}</span>
  return (
    <a class="file" href={url} download={media.file_name} rel="noopener" title={t().download}>
      {content}
    </a>
  )
}

function CallLine({ message, call }: { message: Message; call: NonNullable<Message['call']> }) {
  const isMine = message.sender_id === client.state.session.userId
  const isMissed = call.outcome === 'missed' && !isMine
  return (
    <span class="file">
      <span class={isMissed ? 'file-icon missed' : 'file-icon'}>
        <Icon name={call.media === 'video' ? 'video' : 'phone'} size={22} />
      </span>
      <span class="row-text">
        <span class="file-name">{t().callWas[call.outcome]}</span>
        {call.duration > 0 && <span class="file-size num">{duration(call.duration)}</span>}
      </span>
    </span>
  )
}

/** What is being sent. */
function Outgoing({ entry, file }: { entry: OutboxEntry; file: NonNullable<OutboxEntry['file']> }) {
  const url = localUrlOf(entry.clientId)
  const progress = entry.status !== 'failed' && <Progress entry={entry} bytes={file.bytes} />
  if (url && (file.kind === 'image' || file.kind === 'video')) {
    return (
      <span class="photo" style={boxOf(file.width, file.height)}>
        {file.kind === 'image' ? <img src={url} alt="" /> : <video src={url} muted preload="metadata" />}
        {progress}
      </span>
    )
  }
  return (
    <span class="file">
      <span class="file-icon">{progress || <Icon name={file.kind === 'audio' ? 'mic' : 'file'} size={22} />}</span>
      <span class="row-text">
        <span class="file-name" dir="auto">
          {file.kind === 'audio' ? t().voice : file.name}
        </span>
        <span class="file-size">{size(file.bytes)}</span>
      </span>
    </span>
  )
}
