import { useSignal } from '@preact/signals'
import { useId, useRef } from 'preact/hooks'
import { IconButton } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'

export interface MenuItem {
  label: string
  icon: IconName
  isDangerous?: boolean
  run(): void
}

interface MenuProps {
  label: string
  icon?: IconName
  size?: number
  /** Asked when it opens. */
  items(): readonly MenuItem[]
}

const GAP = 6
const EDGE = 8
/** Less than the menu's padding. */
const COVERED = 4

/**
 * Puts an open menu below what opened it, or above, always within the window. One that a point opened covers the point
 * with its edge: letting go of the button outside of an open menu would close it.
 */
export function place(menu: HTMLElement, at: DOMRect): void {
  const { offsetWidth: width, offsetHeight: height } = menu
  const isPoint = at.width === 0
  const overlap = isPoint ? COVERED : 0
  const gap = isPoint ? -COVERED : GAP
  const toItsRight = at.left - overlap
  const toItsLeft = at.right - width + overlap
  const isRightward = getComputedStyle(menu).direction === 'ltr'
  // From a point it goes on as one reads; of a button it ends where that ends.
  const [wanted, other] = isRightward === isPoint ? [toItsRight, toItsLeft] : [toItsLeft, toItsRight]
  const fits = (x: number) => x >= EDGE && x + width + EDGE <= innerWidth
  const x = Math.max(EDGE, Math.min(fits(wanted) ? wanted : other, innerWidth - width - EDGE))
  const below = at.bottom + gap
  const y = below + height + EDGE <= innerHeight ? below : Math.max(EDGE, at.top - gap - height)
  menu.style.left = `${x}px`
  menu.style.top = `${y}px`
}

/** Up, down, Home, End and the wrap around at both ends, as the ARIA guide has menus. */
export function steer(event: KeyboardEvent): void {
  const list = event.currentTarget as HTMLElement
  const items = [...list.querySelectorAll<HTMLElement>('[role="menuitem"]')]
  const at = items.indexOf(document.activeElement as HTMLElement)
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
  if (event.key === 'Tab') list.hidePopover()
  if (next === undefined) return
  event.preventDefault()
  items.at(next % items.length)?.focus()
}

export function Menu({ label, icon = 'more', size, items }: MenuProps) {
  const id = useId()
  const isOpen = useSignal(false)
  const button = useRef<HTMLSpanElement>(null)
  return (
    <span ref={button}>
      <IconButton
        icon={icon}
        size={size}
        label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen.value}
        popovertarget={id}
      />
      <div
        id={id}
        class="menu"
        popover="auto"
        role="menu"
        tabIndex={-1}
        aria-label={label}
        onKeyDown={steer}
        onBeforeToggle={(event) => {
          isOpen.value = event.newState === 'open'
        }}
        onToggle={(event) => {
          if (event.newState !== 'open') return
          const menu = event.currentTarget
          if (button.current) place(menu, button.current.getBoundingClientRect())
          menu.querySelector<HTMLElement>('[role="menuitem"]')?.focus()
        }}
      >
        {isOpen.value && items().map((item) => <Item key={item.label} {...item} menuId={id} />)}
      </div>
    </span>
  )
}

export function Item({ label, icon, isDangerous, run, menuId }: MenuItem & { menuId: string }) {
  return (
    <button
      type="button"
      role="menuitem"
      class={isDangerous ? 'danger' : undefined}
      onClick={() => {
        document.getElementById(menuId)?.hidePopover()
        run()
      }}
    >
      <Icon name={icon} />
      {label}
    </button>
  )
}
