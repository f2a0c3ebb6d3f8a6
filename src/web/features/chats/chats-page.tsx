import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { FixedList } from '../../list/fixed-list.tsx'
import { isReady, linkNow, orderNow } from '../../state/client.ts'
import { go } from '../../state/route.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Empty, Loading } from '../../ui/empty.tsx'
import { SearchBox } from '../../ui/field.tsx'
import { Menu } from '../../ui/menu.tsx'
import { SearchResults } from '../search/search-results.tsx'
import { ChatRow } from './chat-row.tsx'

const ROW_HEIGHT = 72

/** The side pane's own page: a search, and the chats. */
export function ChatsPage() {
  const q = useSignal('')
  const to = (...page: string[]) => go({ page })
  return (
    <>
      <header class="header">
        <Menu
          label={t().menu}
          icon="menu"
          items={() => [
            { label: t().newGroup, icon: 'users', run: () => to('new', 'group') },
            { label: t().newChannel, icon: 'channel', run: () => to('new', 'channel') },
            { label: t().findChannels, icon: 'search', run: () => to('channels') },
            { label: t().settings, icon: 'settings', run: () => to('settings') },
          ]}
        />
        <SearchBox
          label={t().search}
          placeholder={t().searchHint}
          value={q.value}
          onInput={(text) => {
            q.value = text
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape') q.value = ''
          }}
        />
        {q.value ? (
          <IconButton icon="close" label={t().clearSearch} onClick={() => (q.value = '')} />
        ) : (
          <IconButton icon="compose" label={t().newChat} isAccent onClick={() => to('new')} />
        )}
      </header>
      <LinkNotice />
      {q.value.trim() ? <SearchResults q={q.value.trim()} onDone={() => (q.value = '')} /> : <ChatList />}
    </>
  )
}

function LinkNotice() {
  // A socket notices late that its network is gone.
  const isOffline = useSignal(!navigator.onLine)
  useEffect(() => {
    const look = () => {
      isOffline.value = !navigator.onLine
    }
    for (const name of ['online', 'offline']) addEventListener(name, look)
    return () => {
      for (const name of ['online', 'offline']) removeEventListener(name, look)
    }
  }, [isOffline])
  const link = isOffline.value ? 'offline' : linkNow()
  if (link === 'open') return null
  return (
    <p class="notice" role="status">
      <span class="spinner" />
      {link === 'offline' ? t().offline : t().connecting}
    </p>
  )
}

function ChatList() {
  const keys = orderNow()
  if (keys.length === 0) {
    if (!isReady()) return <Loading />
    return (
      <div class="scroll">
        <Empty icon="chat" text={t().noChats}>
          <Button kind="primary" onClick={() => go({ page: ['new'] })}>
            {t().newChat}
          </Button>
          <Button kind="quiet" onClick={() => go({ page: ['channels'] })}>
            {t().findChannels}
          </Button>
        </Empty>
      </div>
    )
  }
  return (
    <nav class="chat-nav" aria-label={t().chats}>
      <FixedList
        class="chat-list"
        keys={keys}
        rowHeight={ROW_HEIGHT}
        label={t().chats}
        row={(chatId) => <ChatRow chatId={chatId} />}
      />
    </nav>
  )
}
