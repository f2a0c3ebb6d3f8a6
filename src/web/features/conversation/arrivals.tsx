import { useSignal } from '@preact/signals'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { chatNow, client } from '../../state/client.ts'
import { isMe, nameOf } from '../../state/names.ts'
import { rarely } from '../../state/rarely.ts'
import { previewOf } from '../chats/preview.ts'

/** Nobody hears more. */
const EVERY_MS = 1500

/** Says what arrives to whoever does not see it; the history itself is not a live region, which would be read anew. */
export function Arrivals({ chatId }: { chatId: string }) {
  const last = chatNow(chatId)?.row.last_message
  const said = useSignal('')
  const heard = useRef(last?.seq ?? 0)
  const say = useMemo(
    () =>
      rarely(EVERY_MS, () => {
        const newest = client.state.chats.get(chatId)?.row.last_message
        if (!newest || newest.seq <= heard.current) return
        heard.current = newest.seq
        if (!isMe(newest.sender_id)) said.value = t().newFrom(nameOf(newest.sender_id), previewOf(newest))
      }),
    [chatId, said],
  )
  // An effect after the painting would ask for another frame.
  useLayoutEffect(() => {
    if (last && last.seq > heard.current) say()
  }, [last, say])
  return (
    <div class="sr" aria-live="polite">
      {said.value}
    </div>
  )
}
