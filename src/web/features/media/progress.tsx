import { t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import type { OutboxEntry } from '../../sync/state.ts'
import { Icon } from '../../ui/icon.tsx'

const RADIUS = 20
const AROUND = 2 * Math.PI * RADIUS

/** How far an upload is, as a ring around the button that takes it back. */
export function Progress({ entry, bytes }: { entry: OutboxEntry; bytes: number }) {
  const share = bytes > 0 ? Math.min(1, entry.sentBytes / bytes) : 0
  const isThere = share >= 1
  const label = isThere ? t().processing : t().uploading(Math.round(share * 100))
  return (
    <button
      type="button"
      class={isThere ? 'progress busy' : 'progress'}
      title={t().cancelUpload}
      aria-label={`${label}. ${t().cancelUpload}`}
      onClick={() => client.discard(entry.clientId)}
    >
      <svg width="44" height="44" viewBox="0 0 44 44" aria-hidden="true">
        <circle cx="22" cy="22" r={RADIUS} fill="none" stroke="currentColor" stroke-width="3" opacity="0.3" />
        <circle
          cx="22"
          cy="22"
          r={RADIUS}
          fill="none"
          stroke="currentColor"
          stroke-width="3"
          stroke-linecap="round"
          stroke-dasharray={`${AROUND * (isThere ? 0.25 : Math.max(share, 0.03))} ${AROUND}`}
          transform="rotate(-90 22 22)"
        />
      </svg>
      <Icon name="close" size={20} />
    </button>
  )
}
