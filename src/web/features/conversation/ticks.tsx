import { t } from '../../i18n/language.ts'
import type { Tick } from '../../sync/rows.ts'
import { Icon } from '../../ui/icon.tsx'

const icons = { clock: 'clock', sent: 'check', read: 'checks', failed: 'alert' } as const

/** How far a message of mine has come: told by shape, by colour and in words. */
export function Ticks({ tick }: { tick: Exclude<Tick, 'none'> }) {
  const words = { clock: t().sending, sent: t().sent, read: t().read, failed: t().failed }
  return (
    <span class={`ticks ${tick}`} role="img" title={words[tick]} aria-label={words[tick]}>
      <Icon name={icons[tick]} size={16} />
    </span>
  )
}
