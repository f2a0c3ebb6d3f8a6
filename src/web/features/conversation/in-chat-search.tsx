import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import { describeFailure } from '../../state/failures.ts'
import { openAt } from '../../state/opening.ts'
import type { Found } from '../../sync/api.ts'
import { IconButton } from '../../ui/button.tsx'
import { SearchBox } from '../../ui/field.tsx'
import { FoundRow } from '../search/search-results.tsx'

const PAUSE_MS = 250

/** Search in the open chat: a list under its header; picking one leads to the message. */
export function InChatSearch({ chatId, onClose }: { chatId: string; onClose(): void }) {
  const q = useSignal('')
  const found = useSignal<{ q: string; results: Found[] } | undefined>(undefined)
  const trouble = useSignal('')
  const wanted = q.value.trim()
  useEffect(() => {
    if (!wanted) {
      found.value = undefined
      return
    }
    let isOver = false
    const timer = setTimeout(async () => {
      try {
        const { results } = await client.api.search(wanted, { chatId, limit: 30 })
        if (!isOver) found.value = { q: wanted, results }
      } catch (error) {
        if (!isOver) trouble.value = describeFailure(error)
      }
    }, PAUSE_MS)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [wanted, chatId, found, trouble])
  return (
    <search class="in-chat-search">
      <div class="in-chat-search-line">
        <SearchBox
          hasFocus
          label={t().searchInChat}
          value={q.value}
          onInput={(text) => {
            q.value = text
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape') onClose()
          }}
        />
        <IconButton icon="close" label={t().close} onClick={onClose} />
      </div>
      {trouble.value && <p class="notice danger">{trouble.value}</p>}
      {found.value && (
        <div class="in-chat-results">
          {found.value.results.length === 0 && <p class="muted">{t().nothingFound(found.value.q)}</p>}
          {found.value.results.map((one) => (
            <FoundRow key={one.message.id} found={one} isInChat onOpen={() => openAt(chatId, one.message.seq)} />
          ))}
        </div>
      )}
    </search>
  )
}
