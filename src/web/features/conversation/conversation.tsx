import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { chatNow, client, isReady, userNow } from '../../state/client.ts'
import { avatarOfChat, nameOf, nameOfChat, presenceText } from '../../state/names.ts'
import { go, goBack, route } from '../../state/route.ts'
import { typistsOf } from '../../sync/lists.ts'
import type { ChatOverview } from '../../sync/wire.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Loading } from '../../ui/empty.tsx'
import { Menu, type MenuItem } from '../../ui/menu.tsx'
import { startCall } from '../calls/calling.ts'
import { DropPlace } from '../media/drop-place.tsx'
import { Composer } from './composer.tsx'
import { History } from './history.tsx'
import { InChatSearch } from './in-chat-search.tsx'
import { MessageMenu } from './message-menu.tsx'
import { Outside } from './outside.tsx'

/** The main pane: one chat. */
export function ConversationPane({ chatId }: { chatId: string }) {
  const chat = chatNow(chatId)
  const isSearching = useSignal(false)
  useEffect(() => {
    isSearching.value = false
  }, [chatId, isSearching])
  // A chat of mine that is new here may be on its way.
  if (!chat) return isReady() ? <Outside key={chatId} chatId={chatId} /> : <Loading />
  return (
    <>
      <header class="header">
        <IconButton icon="back" label={t().back} isOnlyNarrow onClick={() => goBack({ chat: undefined, page: [] })} />
        <Title chatId={chatId} />
        <Actions row={chat.row} isSearching={isSearching} />
      </header>
      {isSearching.value && (
        <InChatSearch
          chatId={chatId}
          onClose={() => {
            isSearching.value = false
          }}
        />
      )}
      <DropPlace chatId={chatId} />
      <History key={`${chatId} ${chat.epoch}`} chatId={chatId} />
      <Composer key={chatId} chatId={chatId} />
      <MessageMenu />
    </>
  )
}

/** Where there is no room for all of them, most are in a menu. */
function Actions({ row, isSearching }: { row: ChatOverview; isSearching: Signal<boolean> }) {
  const search = () => {
    isSearching.value = !isSearching.value
  }
  const info = () => go({ isInfoOpen: !route.value.isInfoOpen })
  const mayCall = row.type === 'dm' && !row.peer?.is_deleted
  const video: MenuItem = { label: t().callVideo, icon: 'video', run: () => startCall(row.id, 'video') }
  return (
    <>
      {mayCall && <IconButton icon="phone" label={t().callVoice} onClick={() => startCall(row.id, 'audio')} />}
      <span class="only-wide">
        {mayCall && <IconButton icon="video" label={video.label} onClick={video.run} />}
        <IconButton icon="search" label={t().searchInChat} aria-expanded={isSearching.value} onClick={search} />
        <IconButton icon="info" label={t().info} aria-expanded={route.value.isInfoOpen} onClick={info} />
      </span>
      <span class="only-narrow">
        <Menu
          label={t().more}
          items={() => [
            ...(mayCall ? [video] : []),
            { label: t().searchInChat, icon: 'search', run: search },
            { label: t().info, icon: 'info', run: info },
          ]}
        />
      </span>
    </>
  )
}

function Title({ chatId }: { chatId: string }) {
  const chat = chatNow(chatId)
  if (!chat) return null
  const { row } = chat
  const isOnline = row.peer ? userNow(row.peer.id)?.isOnline : undefined
  return (
    <h1 class="chat-heading">
      <button type="button" class="chat-title" onClick={() => go({ isInfoOpen: !route.value.isInfoOpen })}>
        <Avatar {...avatarOfChat(row)} size={40} isOnline={isOnline} />
        <span class="row-text">
          <span class="row-name" dir="auto">
            {nameOfChat(row)}
          </span>
          <Status chatId={chatId} isOnline={isOnline} />
        </span>
      </button>
    </h1>
  )
}

function Status({ chatId, isOnline }: { chatId: string; isOnline: boolean | undefined }) {
  const chat = chatNow(chatId)
  if (!chat) return null
  const { row } = chat
  const typists = typistsOf(chat)
  if (typists.length > 0) {
    return (
      <span class="chat-status live" dir="auto">
        {row.type === 'dm' ? t().typing : t().typingWho(typists.map(nameOf))}
      </span>
    )
  }
  const isLive = row.type === 'dm' && isOnline === true
  const lastSeen = row.peer && (client.state.users.get(row.peer.id)?.profile?.last_seen ?? row.peer.last_seen)
  const text =
    row.type === 'dm'
      ? presenceText(isOnline, lastSeen)
      : row.type === 'group'
        ? t().members(row.member_count)
        : t().subscribers(row.member_count)
  return <span class={isLive ? 'chat-status live' : 'chat-status'}>{text}</span>
}
