/** What asks for attention while nobody looks: the title, the badge of an installed app, notifications. */
import { effect } from '@preact/signals'
import { previewOf } from '../features/chats/preview.ts'
import { t } from '../i18n/language.ts'
import { notify } from '../platform/notify.ts'
import type { Message } from '../sync/wire.ts'
import { client, sessionNow, totalsNow } from './client.ts'
import { avatarOfChat, isMe, knownNameOf, nameOfChat } from './names.ts'
import { openChat } from './opening.ts'
import { rarely } from './rarely.ts'
import { route } from './route.ts'

/** Titles and badges are another process's to show, and cost more than a message does. */
const TITLE_EVERY_MS = 1000

export function watchAttention(): void {
  let chats = 0
  let told = -1
  const tell = rarely(TITLE_EVERY_MS, () => {
    if (chats === told) return
    told = chats
    document.title = chats > 0 ? `(${chats}) messenger` : 'messenger'
    if (chats > 0) navigator.setAppBadge?.(chats)
    else navigator.clearAppBadge?.()
  })
  effect(() => {
    chats = sessionNow().status === 'signed-in' ? totalsNow().chats : 0
    if (chats !== told) tell()
  })
  client.onFrame((frame) => {
    if (frame.type === 'new_message') notice(frame.message as Message)
  })
}

function notice(message: Message): void {
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
