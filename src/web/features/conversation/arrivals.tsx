import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { chatNow } from '../../state/client.ts'
import { isMe, nameOf } from '../../state/names.ts'
import { previewOf } from '../chats/preview.ts'

/** Says what arrives to whoever does not see it; the history itself is not a live region, which would be read anew. */
export function Arrivals({ chatId }: { chatId: string }) {
  const chat = chatNow(chatId)
  const said = useSignal('')
  const last = chat?.row.last_message
  const heard = useRef(last?.seq ?? 0)
  useEffect(() => {
    if (!last || last.seq <= heard.current) return
    heard.current = last.seq
    if (!isMe(last.sender_id)) said.value = t().newFrom(nameOf(last.sender_id), previewOf(last))
  }, [last, said])
  return (
    <div class="sr" aria-live="polite">
      {said.value}
    </div>
  )
}
