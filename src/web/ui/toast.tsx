/** Short words at the foot of the page that go by themselves. */
import { signal } from '@preact/signals'
import { t } from '../i18n/language.ts'
import { Icon } from './icon.tsx'

interface Toast {
  id: number
  text: string
  action?: { label: string; run(): void; onDismiss?(): void }
}

const STAY_MS = 5000
const toasts = signal<readonly Toast[]>([])
let counter = 0

const drop = (id: number) => {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

/** One with an action stays until it is taken or put away. */
export function toast(text: string, action?: Toast['action']): void {
  const id = ++counter
  toasts.value = [...toasts.value.slice(-2), { id, text, action }]
  if (!action) setTimeout(() => drop(id), STAY_MS)
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, action }) => (
        <div class="toast" key={id}>
          <span dir="auto">{text}</span>
          {action && (
            <button
              type="button"
              onClick={() => {
                drop(id)
                action.run()
              }}
            >
              {action.label}
            </button>
          )}
          {action && (
            <button
              type="button"
              aria-label={t().close}
              onClick={() => {
                drop(id)
                action.onDismiss?.()
              }}
            >
              <Icon name="close" size={18} />
            </button>
          )}
        </div>
      ))}
    </div>
  )
}
