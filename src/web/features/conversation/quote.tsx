import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { client, conversationNow } from '../../state/client.ts'
import { nameOf } from '../../state/names.ts'
import { openAt } from '../../state/opening.ts'
import { repliedOf } from '../../sync/rows.ts'
import type { Chat } from '../../sync/state.ts'
import type { Message } from '../../sync/wire.ts'
import { previewOf } from '../chats/preview.ts'

/** A message of a chat by its id, if it is held. */
export const findMessage = (chat: Chat, id: string): Message | undefined =>
  repliedOf(client.state, chat.id, id) ?? undefined

/** What a message answers: a click leads there. */
export function Quote({ chatId, messageId }: { chatId: string; messageId: string }) {
  const chat = conversationNow(chatId)
  const found = chat && repliedOf(client.state, chatId, messageId)
  const message = found ?? undefined
  const isUnknown = found === undefined
  // One far back is asked for once, and follows its changes from then on.
  useEffect(() => {
    if (isUnknown) client.seek(chatId, messageId)
  }, [chatId, messageId, isUnknown])
  return (
    <button
      type="button"
      class="quote"
      tabIndex={-1}
      disabled={!message}
      onClick={() => message && openAt(chatId, message.seq)}
    >
      <strong dir="auto">{message ? nameOf(message.sender_id) : t().reply}</strong>
      <span dir="auto">{message ? previewOf(message) : isUnknown ? '' : t().replyGone}</span>
    </button>
  )
}
