/** What asks for attention while nobody looks: the title, the badge of an installed app, notifications. */
import { effect } from '@preact/signals'
import { previewOf } from '../features/chats/preview.ts'
import { t } from '../i18n/language.ts'
import { closeNotice, isTextShown, listNotices, notify } from '../platform/notify.ts'
import type { Message } from '../sync/wire.ts'
import { pathOf } from '../ui/avatar.tsx'
import { client, sessionNow, totalsNow } from './client.ts'
import { avatarOfChat, knownNameOf, nameOfChat } from './names.ts'
import { openChat } from './opening.ts'
import { rarely } from './rarely.ts'
import { route } from './route.ts'

/** So long it may take until another window or device that shows the chat has said that it was read. */
const READ_WITHIN_MS = 500

/** Titles and badges are another process's to show, and cost more than a message does. */
const TITLE_EVERY_MS = 1000

export function watchAttention(): void {
  let chats = 0
  let told = -1
  const tellTotal = rarely(TITLE_EVERY_MS, () => {
    if (chats === told) return
    told = chats
    document.title = chats > 0 ? `(${chats}) messenger` : 'messenger'
    if (chats > 0) navigator.setAppBadge?.(chats)
    else navigator.clearAppBadge?.()
  })
  effect(() => {
    chats = sessionNow().status === 'signed-in' ? totalsNow().chats : 0
    for (const tag of listNotices()) if (client.state.chats.get(tag)?.row.unread_count === 0) closeNotice(tag)
    if (chats !== told) tellTotal()
  })
  // What was told to one person is not to stay for the next.
  effect(() => {
    if (sessionNow().status === 'signed-out') for (const tag of listNotices()) closeNotice(tag)
  })
  client.subscribe(({ arrivals }) => {
    for (const message of arrivals) setTimeout(() => tell(message), READ_WITHIN_MS)
  })
}

/** Whether somebody looks at this very chat. */
const isLookedAt = (chatId: string) =>
  document.visibilityState === 'visible' && document.hasFocus() && route.value.chat === chatId

function tell(message: Message): void {
  // One of several tabs is enough: the one that has the socket by now.
  if (!client.state.isLeader) return
  const chat = client.state.chats.get(message.chat_id)
  if (!chat || isLookedAt(chat.id)) return
  const { row } = chat
  const isGone = (row.last_message?.seq ?? 0) < message.seq
  if (isGone || row.last_read_seq >= message.seq) return
  const text = previewOf(message)
  const who = row.type === 'group' ? knownNameOf(message.sender_id) : undefined
  const icon = avatarOfChat(row).url
  notify({
    tag: chat.id,
    chatId: chat.id,
    title: nameOfChat(row),
    body: !isTextShown.value ? t().newMessage : who === undefined ? text : t().newFrom(who, text),
    icon: icon ? pathOf(icon) : undefined,
    onClick: () => openChat(chat.id),
  })
}
