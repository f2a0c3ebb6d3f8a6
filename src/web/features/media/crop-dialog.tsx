/** Choosing the part of a picture that becomes an avatar. Loaded when a picture was chosen. */
import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { drawSquare, squareOf } from '../../platform/image.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { areaOf, type Cut, dragged, mostZoom, type Place, standing, wholeCut, zoomed } from './crop.ts'

/** The server keeps avatars of this side. */
const AVATAR_PX = 512
/** Of the square on the screen, for one press of an arrow; a tenth of it with Shift. */
const ARROW_STEP = 0.05
const ZOOM_STEP = 1.15
/** Of the zoom, for one pixel of the wheel. */
const WHEEL_RATE = 0.0015

const ARROWS: Record<string, Place> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

export interface CropDialogProps {
  picture: ImageBitmap
  /** How it will be shown: in a circle, or with round corners. */
  isSquare: boolean
  /** Takes the square as a data URL. @returns whether it was taken */
  onCut(square: string): Promise<boolean>
  onClose(): void
}

export function CropDialog({ picture, isSquare, onCut, onClose }: CropDialogProps) {
  const cut = useSignal<Cut>(wholeCut(picture))
  const isBusy = useSignal(false)
  const said = useSignal('')
  const most = mostZoom(picture)
  const { zoom } = cut.value
  const percent = t().percent(zoom)

  const move = (by: Place) => {
    cut.value = dragged(picture, cut.value, by)
  }
  const zoomTo = (next: number, place?: Place) => {
    cut.value = zoomed(picture, cut.value, next, place)
  }
  const keys = (event: KeyboardEvent) => {
    const arrow = ARROWS[event.key]
    const step = event.shiftKey ? ARROW_STEP / 10 : ARROW_STEP
    if (arrow) move({ x: arrow.x * step, y: arrow.y * step })
    else if (event.key === '+' || event.key === '=') zoomTo(zoom * ZOOM_STEP)
    else if (event.key === '-') zoomTo(zoom / ZOOM_STEP)
    else return
    event.preventDefault()
    const { x, y } = standing(picture, cut.value)
    said.value = t().cropPlace(t().percent(x), t().percent(y), t().percent(cut.value.zoom))
  }
  const save = async () => {
    isBusy.value = true
    const isTaken = await onCut(squareOf(picture, areaOf(picture, cut.value), AVATAR_PX))
    isBusy.value = false
    if (isTaken) onClose()
  }

  return (
    <Dialog
      title={t().crop}
      onClose={onClose}
      actions={
        <>
          <Button kind="quiet" onClick={onClose}>
            {t().cancel}
          </Button>
          <Button kind="primary" isBusy={isBusy.value} onClick={save}>
            {t().usePhoto}
          </Button>
        </>
      }
    >
      <Stage picture={picture} cut={cut.value} isSquare={isSquare} onMove={move} onZoom={zoomTo} onKeyDown={keys} />
      <div class="crop-zoom">
        <IconButton icon="minus" label={t().zoomOut} disabled={zoom <= 1} onClick={() => zoomTo(zoom / ZOOM_STEP)} />
        <input
          type="range"
          min={1}
          max={most}
          step={0.01}
          value={zoom}
          disabled={most === 1}
          aria-label={t().zoom}
          aria-valuetext={percent}
          onInput={(event) => zoomTo(event.currentTarget.valueAsNumber)}
        />
        <IconButton icon="plus" label={t().zoomIn} disabled={zoom >= most} onClick={() => zoomTo(zoom * ZOOM_STEP)} />
      </div>
      <p class="field-hint" id="crop-hint">
        {t().cropHint}
      </p>
      <p class="sr" role="status">
        {said.value}
      </p>
    </Dialog>
  )
}

interface StageProps {
  picture: ImageBitmap
  cut: Cut
  isSquare: boolean
  onMove(by: Place): void
  onZoom(zoom: number, place: Place): void
  onKeyDown(event: KeyboardEvent): void
}

/** The square itself, drawn as it will be; fingers, a mouse, a wheel and keys move it. */
function Stage({ picture, cut, isSquare, onMove, onZoom, onKeyDown }: StageProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const stage = useRef<HTMLDivElement>(null)
  const pointers = useRef(new Map<number, Place>())
  const now = useRef({ cut, onMove, onZoom })
  now.current = { cut, onMove, onZoom }

  useEffect(() => stage.current?.focus(), [])
  useLayoutEffect(() => {
    const { current } = canvas
    if (!current) return
    const draw = () => drawSquare(current, picture, areaOf(picture, now.current.cut))
    draw()
    // It has no size before the dialog is open, and another one when the window has.
    const observer = new ResizeObserver(draw)
    observer.observe(current)
    return () => observer.disconnect()
  }, [picture, cut])

  /** In sides of the square. */
  const placeOf = ({ clientX, clientY }: MouseEvent): Place => {
    const box = stage.current?.getBoundingClientRect()
    if (!box) return { x: 0.5, y: 0.5 }
    return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height }
  }
  const drag = (event: PointerEvent) => {
    const before = pointers.current.get(event.pointerId)
    if (!before) return
    const here = placeOf(event)
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1]
    pointers.current.set(event.pointerId, here)
    if (!other) return now.current.onMove({ x: here.x - before.x, y: here.y - before.y })
    const was = Math.hypot(before.x - other.x, before.y - other.y)
    const is = Math.hypot(here.x - other.x, here.y - other.y)
    const middle = { x: (here.x + other.x) / 2, y: (here.y + other.y) / 2 }
    if (was > 0) now.current.onZoom(now.current.cut.zoom * (is / was), middle)
    // Of two fingers each moves the picture by half.
    now.current.onMove({ x: (here.x - before.x) / 2, y: (here.y - before.y) / 2 })
  }
  const lift = (event: PointerEvent) => pointers.current.delete(event.pointerId)

  return (
    <div
      ref={stage}
      class={isSquare ? 'crop-stage square' : 'crop-stage'}
      // It takes the arrows for itself, as a screen reader has to be told.
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application is operated
      tabIndex={0}
      aria-label={t().cropStage}
      aria-describedby="crop-hint"
      onKeyDown={onKeyDown}
      onWheel={(event) => {
        event.preventDefault()
        // A line is about as much as sixteen pixels.
        const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1)
        onZoom(cut.zoom * Math.exp(-pixels * WHEEL_RATE), placeOf(event))
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        pointers.current.set(event.pointerId, placeOf(event))
      }}
      onPointerMove={drag}
      onPointerUp={lift}
      onPointerCancel={lift}
    >
      <canvas ref={canvas} />
    </div>
  )
}
