/** What asks for attention while nobody looks: the title, the badge of an installed app, notifications. */
import { effect } from '@preact/signals'
import { previewOf } from '../features/chats/preview.ts'
import { t } from '../i18n/language.ts'
import { notify } from '../platform/notify.ts'
import type { Message } from '../sync/wire.ts'
import { client, sessionNow, totalsNow } from './client.ts'
import { avatarOfChat, isMe, knownNameOf, nameOfChat } from './names.ts'
import { openChat } from './opening.ts'
import { route } from './route.ts'

export function watchAttention(): void {
  let told = -1
  effect(() => {
    const { chats } = sessionNow().status === 'signed-in' ? totalsNow() : { chats: 0 }
    if (chats === told) return
    told = chats
    document.title = chats > 0 ? `(${chats}) messenger` : 'messenger'
    if (chats > 0) navigator.setAppBadge?.(chats)
    else navigator.clearAppBadge?.()
  })
  client.onFrame((frame) => {
    if (frame.type === 'new_message') tell(frame.message as Message)
  })
}

function tell(message: Message): void {
  const chat = client.state.chats.get(message.chat_id)
  // One of several tabs is enough: the one that has the socket.
  if (!chat || !client.state.isLeader || isMe(message.sender_id)) return
  const isSeen = document.visibilityState === 'visible' && document.hasFocus() && route.value.chat === chat.id
  if (isSeen) return
  const { row } = chat
  const text = previewOf(message)
  const who = row.type === 'group' ? knownNameOf(message.sender_id) : undefined
  notify({
    chatId: chat.id,
    title: nameOfChat(row),
    body: who === undefined ? text : t().newFrom(who, text),
    icon: avatarOfChat(row).url ?? undefined,
    onClick: () => openChat(chat.id),
  })
}
