import { brief, full } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { chatNow, client, userNow } from '../../state/client.ts'
import { avatarOfChat, isMe, nameOf, nameOfChat } from '../../state/names.ts'
import { go, route } from '../../state/route.ts'
import { lastOf, typistsOf } from '../../sync/lists.ts'
import { type Tick, tickOf } from '../../sync/rows.ts'
import type { Chat } from '../../sync/state.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Ticks } from '../conversation/ticks.tsx'
import { previewOf, previewOfUnsent } from './preview.ts'
import { Who } from './who.tsx'

const MAX_BADGE = 999

/** One chat of the list. */
export function ChatRow({ chatId }: { chatId: string }) {
  const chat = chatNow(chatId)
  if (!chat) return null
  const { row } = chat
  const { entry, message } = lastOf(client.state, chat)
  const at = new Date(entry?.writtenAt ?? row.last_message_at)
  const isOpen = route.value.chat === chatId
  return (
    <button type="button" class="row" aria-current={isOpen} onClick={() => go({ chat: chatId, page: [] })}>
      <Avatar {...avatarOfChat(row)} isOnline={row.peer ? userNow(row.peer.id)?.isOnline : false} />
      <span class="row-text">
        <span class="row-line">
          <span class="row-name" dir="auto">
            {row.type !== 'dm' && <Icon name={row.type === 'group' ? 'users' : 'channel'} size={15} />}
            {nameOfChat(row)}
          </span>
          {(message || entry) && <LastTick tick={entry ? entryTick(entry.status) : message ? ownTick(chat) : 'none'} />}
          <time class="row-time" dateTime={at.toISOString()} title={full(at)}>
            {brief(at)}
          </time>
        </span>
        <span class="row-line">
          <Preview chatId={chatId} />
          {row.unread_count > 0 && (
            <span class="badge">
              <span aria-hidden="true">{row.unread_count > MAX_BADGE ? `${MAX_BADGE}+` : row.unread_count}</span>
              <span class="sr">{t().unread(row.unread_count)}</span>
            </span>
          )}
        </span>
      </span>
    </button>
  )
}

const entryTick = (status: string): Tick => (status === 'failed' ? 'failed' : 'clock')

function ownTick(chat: Chat): Tick {
  const message = chat.row.last_message
  return message && isMe(message.sender_id) && chat.row.type !== 'channel' ? tickOf(chat, message) : 'none'
}

const LastTick = ({ tick }: { tick: Tick }) => (tick === 'none' ? null : <Ticks tick={tick} />)

function Preview({ chatId }: { chatId: string }) {
  const chat = chatNow(chatId)
  if (!chat) return null
  const { row } = chat
  const typists = typistsOf(chat)
  if (typists.length > 0) {
    return (
      <span class="row-preview live" dir="auto">
        {row.type === 'dm' ? t().typing : t().typingWho(typists.map(nameOf))}
      </span>
    )
  }
  const draft = client.state.drafts.get(chat.id)?.text.trim()
  if (draft && route.value.chat !== chat.id) {
    return (
      <span class="row-preview" dir="auto">
        <span class="who">{t().draft}: </span>
        {draft.slice(0, 200)}
      </span>
    )
  }
  const { entry, message } = lastOf(client.state, chat)
  const text = entry ? previewOfUnsent(entry) : message ? previewOf(message) : t().noMessages
  const isNamed = row.type === 'group' && !entry && message !== null && !message.deleted_at
  return (
    <span class="row-preview" dir="auto">
      {isNamed && <Who userId={message.sender_id} />}
      {text}
    </span>
  )
}
