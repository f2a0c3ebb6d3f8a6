import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { clock, day } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import { linkTo } from '../../state/links.ts'
import { nameOf } from '../../state/names.ts'
import type { Message } from '../../sync/wire.ts'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'

const MOST_ZOOM = 5
const STEP = 1.4

/** The photos of a chat that are at hand, in their order. */
function photosOf(chatId: string): Message[] {
  const chat = client.state.chats.get(chatId)
  return [...(chat?.messages.values() ?? [])]
    .filter(({ message_type, media, deleted_at }) => message_type === 'image' && media && !deleted_at)
    .sort((a, b) => a.seq - b.seq)
}

/**
 * One photo over everything: wheel, pinch and double click zoom, arrows lead on.
 * @param onShow told of the photo that is wanted next; of none when it is closed
 */
export function PhotoViewer({ message, onShow }: { message: Message; onShow(next?: Message): void }) {
  const box = useRef<HTMLDialogElement>(null)
  const zoom = useSignal({ scale: 1, x: 0, y: 0 })
  const pointers = useRef(new Map<number, { x: number; y: number }>())
  useLayoutEffect(() => {
    if (!box.current?.open) box.current?.showModal()
    // The button that led here may be gone.
    box.current?.focus()
    zoom.value = { scale: 1, x: 0, y: 0 }
  }, [message.id, zoom])
  useLayoutEffect(() => {
    const { current } = box
    // What is only taken away gives no focus back.
    return () => current?.close()
  }, [])
  const { media } = message
  if (!media) return null
  const url = linkTo(media.file_path)
  const photos = photosOf(message.chat_id)
  const at = photos.findIndex(({ id }) => id === message.id)
  const go = (step: number) => {
    const next = photos[at + step]
    if (next) onShow(next)
  }
  const close = () => onShow()
  const zoomBy = (factor: number) => {
    const { scale, x, y } = zoom.value
    const next = Math.min(MOST_ZOOM, Math.max(1, scale * factor))
    zoom.value = next === 1 ? { scale: 1, x: 0, y: 0 } : { scale: next, x: (x * next) / scale, y: (y * next) / scale }
  }
  const move = (event: PointerEvent) => {
    const before = pointers.current.get(event.pointerId)
    if (!before) return
    const others = [...pointers.current].filter(([id]) => id !== event.pointerId).map(([, place]) => place)
    const now = { x: event.clientX, y: event.clientY }
    const [other] = others
    if (other) {
      const was = Math.hypot(before.x - other.x, before.y - other.y)
      if (was > 0) zoomBy(Math.hypot(now.x - other.x, now.y - other.y) / was)
    } else if (zoom.value.scale > 1) {
      const { scale, x, y } = zoom.value
      zoom.value = { scale, x: x + now.x - before.x, y: y + now.y - before.y }
    }
    pointers.current.set(event.pointerId, now)
  }
  const lift = (event: PointerEvent) => pointers.current.delete(event.pointerId)
  const { scale, x, y } = zoom.value
  const name = nameOf(message.sender_id)
  const taken = new Date(message.created_at)
  return (
    <dialog
      ref={box}
      class="viewer"
      tabIndex={-1}
      aria-label={t().photoOf(name)}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onKeyDown={({ key }) => {
        const isLeftward = getComputedStyle(document.documentElement).direction === 'rtl'
        if (key === 'ArrowLeft') go(isLeftward ? 1 : -1)
        if (key === 'ArrowRight') go(isLeftward ? -1 : 1)
        if (key === '+') zoomBy(STEP)
        if (key === '-') zoomBy(1 / STEP)
      }}
    >
      <header>
        <span class="row-text">
          <strong dir="auto">{name}</strong>
          <time dateTime={message.created_at}>
            {day(taken)}, {clock(taken)}
          </time>
        </span>
        <IconButton icon="minus" label={t().zoomOut} onClick={() => zoomBy(1 / STEP)} />
        <IconButton icon="plus" label={t().zoomIn} onClick={() => zoomBy(STEP)} />
        {url && (
          <a class="icon-button" href={url} download={media.file_name} title={t().download} aria-label={t().download}>
            <Icon name="download" size={22} />
          </a>
        )}
        <IconButton icon="close" label={t().close} onClick={close} />
      </header>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the buttons above do the same */}
      <div
        class="stage"
        onDblClick={() => zoomBy(scale > 1 ? 1 / scale : 2)}
        onWheel={(event) => zoomBy(event.deltaY < 0 ? STEP : 1 / STEP)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
        }}
        onPointerMove={move}
        onPointerUp={lift}
        onPointerCancel={lift}
      >
        {url && (
          <img
            src={url}
            alt={message.content || t().photoOf(name)}
            draggable={false}
            style={{ transform: `translate(${x}px, ${y}px) scale(${scale})` }}
          />
        )}
      </div>
      {at > 0 && <IconButton icon="back" label={t().previous} data-place="start" onClick={() => go(-1)} />}
      {at >= 0 && at < photos.length - 1 && (
        <IconButton icon="forward" label={t().following} data-place="end" onClick={() => go(1)} />
      )}
      {message.content && <p dir="auto">{message.content}</p>}
    </dialog>
  )
}
