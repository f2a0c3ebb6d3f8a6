import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { chatNow, isReady, userNow } from '../../state/client.ts'
import { avatarOfChat, nameOf, presenceText } from '../../state/names.ts'
import { go, goBack, route } from '../../state/route.ts'
import { useSelected } from '../../state/selected.ts'
import { typistsOf } from '../../sync/lists.ts'
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
  const epoch = useSelected(() => chatNow(chatId)?.epoch, [chatId])
  const isSearching = useSignal(false)
  useEffect(() => {
    isSearching.value = false
  }, [chatId, isSearching])
  // A chat of mine that is new here may be on its way.
  if (epoch === undefined) return isReady() ? <Outside key={chatId} chatId={chatId} /> : <Loading />
  return (
    <>
      <header class="header">
        <IconButton icon="back" label={t().back} isOnlyNarrow onClick={() => goBack({ chat: undefined, page: [] })} />
        <Title chatId={chatId} />
        <Actions chatId={chatId} isSearching={isSearching} />
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
      <History key={`${chatId} ${epoch}`} chatId={chatId} />
      <Composer key={chatId} chatId={chatId} />
      <MessageMenu />
    </>
  )
}

/** Where there is no room for all of them, most are in a menu. */
function Actions({ chatId, isSearching }: { chatId: string; isSearching: Signal<boolean> }) {
  const search = () => {
    isSearching.value = !isSearching.value
  }
  const info = () => go({ isInfoOpen: !route.value.isInfoOpen })
  const mayCall = useSelected(() => {
    const row = chatNow(chatId)?.row
    return row?.type === 'dm' && !row.peer?.is_deleted
  }, [chatId])
  const video: MenuItem = { label: t().callVideo, icon: 'video', run: () => startCall(chatId, 'video') }
  return (
    <>
      {mayCall && <IconButton icon="phone" label={t().callVoice} onClick={() => startCall(chatId, 'audio')} />}
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
  const about = useSelected(() => {
    const row = chatNow(chatId)?.row
    if (!row) return undefined
    return { ...avatarOfChat(row), isOnline: row.peer ? userNow(row.peer.id)?.isOnline : undefined }
  }, [chatId])
  if (!about) return null
  return (
    <h1 class="chat-heading">
      <button type="button" class="chat-title" onClick={() => go({ isInfoOpen: !route.value.isInfoOpen })}>
        <Avatar {...about} size={40} />
        <span class="row-text">
          <span class="row-name" dir="auto">
            {about.name}
          </span>
          <Status chatId={chatId} />
        </span>
      </button>
    </h1>
  )
}

function Status({ chatId }: { chatId: string }) {
  const { text, isLive, isName } = useSelected(() => statusOf(chatId), [chatId])
  return (
    <span class={isLive ? 'chat-status live' : 'chat-status'} dir={isName ? 'auto' : undefined}>
      {text}
    </span>
  )
}

/** What is said below the name of a chat: who types, who is there, how many they are. */
function statusOf(chatId: string): { text: string; isLive: boolean; isName: boolean } {
  const chat = chatNow(chatId)
  if (!chat) return { text: '', isLive: false, isName: false }
  const { row } = chat
  const typists = typistsOf(chat)
  if (typists.length > 0) {
    const text = row.type === 'dm' ? t().typing : t().typingWho(typists.map(nameOf))
    return { text, isLive: true, isName: true }
  }
  const about = { isLive: false, isName: false }
  if (row.type === 'group') return { ...about, text: t().members(row.member_count) }
  if (row.type === 'channel') return { ...about, text: t().subscribers(row.member_count) }
  const peer = row.peer ? userNow(row.peer.id) : undefined
  const text = presenceText(peer?.isOnline, peer?.profile?.last_seen ?? row.peer?.last_seen)
  return { ...about, text, isLive: peer?.isOnline === true }
}
