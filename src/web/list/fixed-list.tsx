/** A long list of rows of one height: only those in sight are there. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface FixedListProps {
  keys: readonly string[]
  /** In pixels, as the styles have it. */
  rowHeight: number
  label: string
  class?: string
  row(key: string): ComponentChildren
}

/** Rows kept above and below what is in sight. */
const MARGIN_ROWS = 8

export function FixedList({ keys, rowHeight, label, row, class: name = '' }: FixedListProps) {
  const range = useSignal({ from: 0, to: 24 })
  const scroller = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    const measure = () => {
      const from = Math.max(0, Math.floor(element.scrollTop / rowHeight) - MARGIN_ROWS)
      const to = Math.ceil((element.scrollTop + element.clientHeight) / rowHeight) + MARGIN_ROWS
      const { value } = range
      // Some slack, so that not every pixel renders.
      if (Math.abs(value.from - from) >= MARGIN_ROWS / 2 || Math.abs(value.to - to) >= MARGIN_ROWS / 2)
        range.value = { from, to }
    }
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    element.addEventListener('scroll', measure, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', measure)
    }
  }, [rowHeight, range])
  const { from, to } = range.value
  return (
    <div class={`scroll ${name}`} ref={scroller}>
      <ul
        aria-label={label}
        style={{ blockSize: `${keys.length * rowHeight}px`, paddingBlockStart: `${from * rowHeight}px` }}
      >
        {keys.slice(from, to).map((key, index) => (
          <li key={key} aria-setsize={keys.length} aria-posinset={from + index + 1}>
            {row(key)}
          </li>
        ))}
      </ul>
    </div>
  )
}
